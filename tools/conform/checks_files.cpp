// What tasks see and leave: environment, logs, files.
#include "tools/conform/checks.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace westerly {
namespace {

void need(kit& with, std::string_view capability) {
    if (!with.can(capability))
        skip("capability " + std::string(capability) + " is not declared");
}

/// Told by exit codes, so that no capability is needed for it.
std::string environment(kit& with) {
    constexpr std::array<const char*, 9> names{"WORKLOAD",    "ATTEMPT",   "TASKS",      "RANK",          "MASTER_ADDR",
                                               "MASTER_PORT", "INPUT_DIR", "OUTPUT_DIR", "CHECKPOINT_DIR"};
    constexpr int unset = 20, wrong_value = 40, own_env = 41, not_empty = 42, no_folder = 43;
    std::string script;
    for (std::size_t i = 0; i < names.size(); ++i)
        script += "[ -n \"$WESTERLY_" + std::string(names[i]) + "\" ] || exit " + std::to_string(unset + i) + "; ";
    script +=
        "[ \"$WESTERLY_WORKLOAD $WESTERLY_ATTEMPT $WESTERLY_RANK $WESTERLY_TASKS\" = \"$CONFORM_IDS 0 1\" ] || exit " +
        std::to_string(wrong_value) + "; [ \"$CONFORM_TEXT\" = 'a b=c' ] || exit " + std::to_string(own_env) +
        "; [ -z \"$(ls -A)\" ] || exit " + std::to_string(not_empty) +
        "; for d in INPUT OUTPUT CHECKPOINT; do eval \"cd \\\"\\$WESTERLY_${d}_DIR\\\"\" || exit " +
        std::to_string(no_folder) + "; done; : >\"$WESTERLY_OUTPUT_DIR/f\" || exit " + std::to_string(no_folder) +
        "; : >\"$WESTERLY_CHECKPOINT_DIR/f\" || exit " + std::to_string(no_folder);
    auto request = with.task(script);
    request.run.env = {{"CONFORM_IDS", request.workload + ' ' + request.attempt}, {"CONFORM_TEXT", "a b=c"}};
    with.launched(request);
    const auto code = with.until_ended(request.token).exit_code.value_or(-1);
    const auto missing = static_cast<std::size_t>(code - unset);
    expect(code < unset || missing >= names.size(),
           "a task does not see WESTERLY_" + std::string(names[missing < names.size() ? missing : 0]));
    expect(code != wrong_value, "WESTERLY_WORKLOAD, _ATTEMPT, _RANK or _TASKS has a wrong value");
    expect(code != own_env, "the run's own env does not arrive");
    expect(code != not_empty, "the working directory is not empty");
    expect(code != no_folder, "input, output or checkpoint directory is not there, or cannot be written");
    expect(code == 0, "the task that looks about ended with " + std::to_string(code));
    return "all variables and directories, and an empty working directory";
}

std::string logs(kit& with) {
    need(with, "logs");
    const auto request = with.task("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo oops >&2");
    with.launched(request);
    with.until_ended(request.token);
    std::string wanted;
    for (int i = 0; i < 2000; ++i)
        wanted += "line " + std::to_string(i) + '\n';
    expect(with.log(request.token) == wanted, "standard output does not come as it was written");
    expect(with.log(request.token, 0, true) == "oops\n", "standard error does not come as it was written");
    const auto middle =
        with.call("logs", encode(log_request{request.token, 0, false, wanted.size() - 5}), decode_byte_piece);
    expect(middle.bytes == wanted.substr(wanted.size() - 5), "from an offset other bytes come");
    const auto past = with.call("logs", encode(log_request{request.token, 0, false, wanted.size()}), decode_byte_piece);
    expect(past.bytes.empty() && past.complete, "at the end there are bytes, or it is not complete");
    return std::to_string(wanted.size()) + " bytes by offset, and complete at the end";
}

/// A ustar archive with one file, as `tar` makes it.
std::string archive_of(const std::string& name, const std::string& text) {
    constexpr std::size_t block = 512;
    const auto octal = [](std::size_t value, int width) {
        std::array<char, 16> out{};
        std::snprintf(out.data(), out.size(), "%0*zo", width, value);
        return std::string(out.data());
    };
    std::string header(block, '\0');
    const auto put = [&header](std::size_t at, const std::string& field) {
        header.replace(at, field.size(), field);
    };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, octal(text.size(), 11));
    put(136, octal(0, 11));
    put(148, "        ");  // the checksum is taken with spaces in its place
    put(156, "0");
    put(257, std::string("ustar\0", 6) + "00");
    std::size_t sum = 0;
    for (const char c : header)
        sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string("\0 ", 2));
    std::string body = text;
    body.resize((text.size() + block - 1) / block * block, '\0');
    return header + body + std::string(2 * block, '\0');
}

std::string files(kit& with) {
    need(with, "put");
    need(with, "fetch");
    const std::string text = "shipped\n";
    const auto bundle = archive_of("hello.txt", text);
    auto request =
        with.task(R"(cp hello.txt "$WESTERLY_OUTPUT_DIR/out.txt"; mkdir "$WESTERLY_OUTPUT_DIR/deep"; )"
                  R"(cp hello.txt "$WESTERLY_OUTPUT_DIR/deep/b.txt"; ln -s /etc "$WESTERLY_OUTPUT_DIR/away")");
    request.has_files = true;
    const auto half = bundle.size() / 2;
    const auto put = [&](std::size_t from, std::size_t size) {
        const auto answer =
            with.mutate("put", encode(put_params{request.token, "bundle.tar", from, bundle.substr(from, size)}));
        expect(answer.outcome == call_outcome::done, "put answers " + answer.told);
    };
    put(0, half);
    put(0, half);  // a repeat after a lost answer
    put(half, bundle.size() - half);
    with.launched(request);
    const auto end = with.until_ended(request.token);
    expect(end.exit_code == 0, "a task with a bundle fails: " + end.message);
    const auto fetch = [&](const std::string& path) {
        return with.call("fetch", encode(fetch_params{request.token, path, 0}), decode_fetch_reply);
    };
    const auto all = fetch("");
    expect(all.directory, "fetch of the output directory gives no entries");
    for (const std::string name : {"out.txt", "deep/b.txt"}) {
        expect(std::ranges::find(all.entries, name, &file_entry::path) != all.entries.end(), name + " is not listed");
        const auto one = fetch(name);
        expect(one.piece && one.piece->bytes == text, name + " does not come as it was written");
    }
    for (const std::string path : {"../stdout", "/etc/hostname", "away/hostname"}) {
        const auto reply =
            with.answer_to(with.link().begin("fetch", encode(fetch_params{request.token, path, 0})), "fetch");
        expect(reply.what == rpc_message::kind::error, path + " leads out of the output directory, and is given");
    }
    return "a bundle in pieces arrives, two files come back, three ways out are closed";
}

}  // namespace

std::vector<check> file_checks() {
    return {
        {"task.environment", "a task sees the agreed variables and an empty directory", environment},
        {"logs.offsets", "logs come by byte offset and say when they are complete", logs},
        {"files.both_ways", "a bundle arrives, outputs come back, nothing else does", files},
    };
}

}  // namespace westerly
