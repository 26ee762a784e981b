// westerly-load: a bounded load on a broker, and how long it let its clients wait.
#include "broker/codec/json.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/support/files.hpp"
#include "tools/client/problem.hpp"
#include "tools/client/profile.hpp"
#include "tools/load/report.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

using namespace westerly;

/// 0 when all went well; else as `westerly` has them.
enum exit_code : int { with_errors = 1, ours = 125, refused = 126 };

constexpr std::size_t connections_max = 1'024, count_max = 10'000'000;
constexpr double seconds_max = 3'600, rate_max = 1'000'000;
constexpr std::size_t known_pages = 4;

constexpr std::string_view default_workload =
    R"({"kind":"batch","name":"load","resources":{"vcpus":1,"memory_mib":64},"variants":[{"command":["true"]}]})";

struct words {
    std::string mix = "list=1,plan=1", rate = "100", workload, output = "table";
    std::size_t connections = 16, count = 100'000;
    double duration_s = 10, repeat_share = 0.1, timeout_s = 30;
    std::optional<std::uint64_t> seed;
    bool allow_remote = false;
};

void declare(CLI::App& app, words& w) {
    app.add_option("--mix", w.mix, "What is asked, weighed: submit, read, list, plan, as in submit=1,read=8");
    app.add_option("--rate", w.rate, "Requests a second, evenly spaced whatever the broker does; max: as answers come");
    app.add_option("--duration-s", w.duration_s, "For so long, at most an hour")->check(CLI::Range(0.1, seconds_max));
    app.add_option("--count", w.count, "So many requests at most")->check(CLI::Range(std::size_t{1}, count_max));
    app.add_option("--connections", w.connections, "Keep-alive connections, with one request at a time on each")
        ->check(CLI::Range(std::size_t{1}, connections_max));
    app.add_option("--workload", w.workload,
                   "Workload file (YAML or JSON) to submit and plan; each gets a name and the label load=RUN");
    app.add_option("--repeat-share", w.repeat_share, "Share of submits that repeat one with its Idempotency-Key")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--timeout-s", w.timeout_s, "An answer that takes longer is an error")
        ->check(CLI::Range(0.1, 600.0));
    app.add_option("--seed", w.seed, "Makes the same choices again");
    app.add_option("-o,--output", w.output, "table, or json for programs")->check(CLI::IsMember({"table", "json"}));
    app.add_flag("--allow-remote", w.allow_remote, "The broker may be another machine");
    app.footer(
        "The broker and the key are those of `westerly login`, or WESTERLY_URL, WESTERLY_KEY and "
        "WESTERLY_FINGERPRINT.\n"
        "A submit runs for real and is charged for. Ctrl-C ends the run with the report so far.\n\n"
        "Exit codes: 0; 1 with errors in the report; 125 our fault or the broker's, 126 refused.");
}

int complain(const error& why) {
    std::fprintf(stderr, "westerly-load: %s\n", why.detail.c_str());
    for (const fault& f : why.faults)
        std::fprintf(stderr, "  %s: %s\n", f.pointer.c_str(), f.message.c_str());
    if (!why.remedy.empty())
        std::fprintf(stderr, "  %s\n", why.remedy.c_str());
    const bool theirs = why.code <= errc::unsupported;
    return theirs ? refused : ours;
}

result<double> parse_rate(const std::string& text) {
    if (text == "max")
        return 0.0;
    char* end = nullptr;
    const double rate = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(rate >= 0.01 && rate <= rate_max))
        return fail(errc::invalid, "\"" + text + "\" is no rate", "a number from 0.01 to 1000000, or max");
    return rate;
}

result<workload_template> read_template(const words& said, const std::string& run) {
    if (said.workload.empty())
        return workload_template::make(default_workload, run);
    const auto text = read_file(said.workload, workload_json_max);
    if (!text)
        return text.error();
    const auto json = yaml_to_json(*text);
    if (!json)
        return json.error();
    return workload_template::make(*json, run);
}

/// The newest workloads of this key's tenant, a few pages of them: to be read. It also shows whether the key is good.
result<std::vector<std::string>> known_workloads(http_client& broker) {
    std::vector<std::string> ids;
    std::string cursor;
    for (std::size_t page = 0; page < known_pages; ++page) {
        http_request request;
        request.target = "/v1/workloads?limit=500" + (cursor.empty() ? "" : "&cursor=" + cursor);
        const auto answer = broker.send(request);
        if (!answer)
            return answer.error();
        if (answer->status >= 400)
            return problem_of(*answer);
        const auto document = parse_json(answer->body, answer->body.size() + 1);
        if (!document || !document->IsObject() || !document->HasMember("items"))
            return fail(errc::internal, "the answer to GET /v1/workloads is no list",
                        "see that the address is that of westerlyd");
        for (const auto& one : (*document)["items"].GetArray())
            ids.emplace_back(one["id"].GetString());
        if (!document->HasMember("next_cursor"))
            break;
        cursor = (*document)["next_cursor"].GetString();
    }
    return ids;
}

int run(const words& said) {
    const auto mix = parse_mix(said.mix);
    if (!mix)
        return complain(mix.error());
    const auto rate = parse_rate(said.rate);
    if (!rate)
        return complain(rate.error());
    const auto who = load_profile();
    if (!who)
        return complain(who.error());
    const auto to = parse_endpoint(who->url);
    if (!to)
        return complain(to.error());
    if (!said.allow_remote && !is_loopback(to->host))
        return complain(fail(errc::invalid, to->host + " is not this machine",
                             "--allow-remote, when you may put load on the broker there"));
    std::array<char, 9> run_name;
    const auto seed = said.seed.value_or(secure_seed());
    std::snprintf(run_name.data(), run_name.size(), "%08x", static_cast<unsigned>(secure_seed()));
    auto form = read_template(said, run_name.data());
    if (!form)
        return complain(form.error());
    auto broker = connect(*who);
    if (!broker)
        return complain(broker.error());
    auto known = known_workloads(*broker);
    if (!known)
        return complain(known.error());
    const auto weight = [&](ask what) {
        return (*mix)[static_cast<std::size_t>(what)];
    };
    const bool submits = weight(ask::submit) > 0;
    if (weight(ask::read) > 0 && known->empty() && !submits)
        return complain(fail(errc::invalid, "there is no workload to read", "submit one, or add submit=1 to --mix"));

    traffic sent({.mix = *mix,
                  .repeat_share = said.repeat_share,
                  .key = who->key,
                  .host = to->host,
                  .run = run_name.data(),
                  .seed = seed},
                 std::move(*form), said.connections, std::move(*known));
    load_options how;
    how.at = {to->host, to->port, false, who->fingerprint, who->ca_file};
    how.connections = said.connections;
    how.length = std::chrono::duration<double>(said.duration_s);
    how.rate_per_s = *rate;
    how.requests_max = said.count;
    how.answer_limit = std::chrono::milliseconds(static_cast<std::int64_t>(said.timeout_s * 1000));
    how.reopens = how.ends_on_signals = true;
    const auto done = run_load(
        how, [&](std::size_t connection, std::string& out) { return sent.make(connection, out); },
        [&](std::size_t connection, const http_answer& answer) { sent.take(connection, answer); });
    if (!done.trouble.empty())
        return complain(fail(errc::provider_unavailable, done.trouble, "see that westerlyd runs there"));
    const load_facts facts{who->url, run_name.data(), *rate, said.connections, submits};
    const auto report = said.output == "json" ? report_json(facts, done, sent) + "\n" : report_text(facts, done, sent);
    std::fputs(report.c_str(), stdout);
    return errors_of(done, sent).empty() ? 0 : with_errors;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("westerly-load: put a bounded load on a broker, and see how long it lets its clients wait.",
                 "westerly-load");
    app.set_version_flag("--version", "westerly-load 0.1.0");
    words said;
    app.option_defaults()->always_capture_default();
    declare(app, said);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0)
            return app.exit(e);
        return complain(fail(errc::invalid, e.what(), "westerly-load --help"));
    }
    return run(said);
}
