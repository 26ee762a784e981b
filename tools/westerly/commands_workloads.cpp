#include "broker/domain/wording.hpp"
#include "tools/westerly/commands.hpp"

#include <cstdio>
#include <fstream>

namespace westerly {

namespace {

namespace fs = std::filesystem;

std::string waiting_of(const json_value& w) {
    const auto waiting = text_at(w, "waiting.0.detail");
    return waiting.empty() ? text_at(w, "message") : waiting;
}

std::string list_target(const list_options& options, std::uint64_t limit) {
    std::string target = "/v1/workloads?limit=" + std::to_string(limit);
    for (const auto& state : options.states)
        target += "&state=" + url_encode(state);
    for (const auto& label : options.labels)
        target += "&label=" + url_encode(label);
    if (!options.name.empty())
        target += "&name=" + url_encode(options.name);
    if (!options.project.empty())
        target += "&project=" + url_encode(options.project);
    return target;
}

/// The frozen price, with the hours at which it is another.
void print_lease(const json_value& lease) {
    const auto windows = windows_of(lease);
    std::printf("  price: %s per unit-hour%s, %s unit(s)\n", money_at(lease, "price").c_str(),
                windows.empty() ? "" : " outside of the hours below", text_at(lease, "units").c_str());
    if (!windows.empty())
        std::printf("  hours: of the clock %s, every week: %s\n", text_at(lease, "price_schedule.utc_offset").c_str(),
                    joined(windows, "; ", "; ").c_str());
}

void print_attempts(const json_value& attempts) {
    for (const auto& a : attempts.GetArray()) {
        std::printf("attempt %s: %s%s%s at %s/%s (%s)\n", text_at(a, "number").c_str(), text_at(a, "state").c_str(),
                    text_at(a, "outcome").empty() ? "" : ", ", text_at(a, "outcome").c_str(),
                    text_at(a, "provider").c_str(), text_at(a, "site").c_str(), text_at(a, "id").c_str());
        for (const auto& [label, path] : {std::pair{"  started", "started_at"},
                                          {"  ended", "ended_at"},
                                          {"  exit code", "exit_code"},
                                          {"  signal", "exit_signal"},
                                          {"  nothing known of it since", "uncertain_since"},
                                          {"  given up (a second copy may run beside it)", "given_up_at"},
                                          {"  displaced (the work goes on elsewhere)", "displaced_for"},
                                          {"  message", "message"}})
            if (const auto text = text_at(a, path); !text.empty())
                std::printf("%s: %s\n", label, text.c_str());
        print_lease(a["lease"]);
    }
}

/// The workload of that name or id, whole.
result<rapidjson::Document> find_workload(cli& with, const std::string& name_or_id) {
    const auto id = find_workload_id(with, name_or_id);
    if (!id)
        return id.error();
    return get(with, "/v1/workloads/" + *id);
}

/// Where a file of the outputs goes; nullopt for a path that would leave `into`.
std::optional<fs::path> place_in(const fs::path& into, const std::string& path) {
    const fs::path relative = fs::path(path).lexically_normal();
    if (relative.empty() || relative.is_absolute() || *relative.begin() == "..")
        return std::nullopt;
    return into / relative;
}

result<void> fetch_one(cli& with, const std::string& id, const std::string& path, const fs::path& to) {
    std::string encoded;
    for (std::size_t begin = 0; begin <= path.size();) {
        const auto slash = std::min(path.find('/', begin), path.size());
        encoded += "/" + url_encode(path.substr(begin, slash - begin));
        begin = slash + 1;
    }
    http_request request;
    request.target = "/v1/workloads/" + id + "/files" + encoded;
    std::ofstream file;
    if (to != "-") {
        std::error_code ignored;
        fs::create_directories(to.parent_path(), ignored);
        file.open(to, std::ios::binary | std::ios::trunc);
        if (!file)
            return fail(errc::storage_failed, "cannot write " + to.string(), "choose another folder with --into");
    }
    const auto answer = with.broker.send(request, [&](std::string_view piece) {
        if (to == "-")
            std::fwrite(piece.data(), 1, piece.size(), stdout);
        else
            file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
        return true;
    });
    if (!answer)
        return answer.error();
    if (answer->status >= 400)
        return problem_of(*answer);
    if (to != "-" && !file.flush())
        return fail(errc::storage_failed, "cannot write " + to.string(), "free space, or choose another --into");
    return {};
}

/// As the workload names it; an operator's files may force another, which its decision tells.
std::string policy_of(const json_value& w) {
    const auto* named = value_at(w, "spec.policy");
    if (named == nullptr)
        return "(default)";
    return named->IsObject() ? text_at(*named, "name") + " (overridden)" : text_at(w, "spec.policy");
}

}  // namespace

int list(cli& with, const list_options& options) {
    const auto query = language_query(with, {});
    const auto page = get(with, list_target(options, options.limit) + (query.empty() ? "" : "&" + query.substr(1)));
    if (!page)
        return complain(page.error());
    if (with.json) {
        print_json(*page);
        return 0;
    }
    text_table table({"WORKLOAD", "NAME", "STATE", "POLICY", "TASKS", "CREATED", "NOTE"});
    for (const auto& w : (*page)["items"].GetArray())
        table.add({text_at(w, "id"), text_at(w, "spec.name"), text_at(w, "state"), policy_of(w),
                   text_at(w, "spec.tasks"), text_at(w, "created_at"), waiting_of(w)});
    std::printf("%s", table.empty() ? "no workloads\n" : table.render(with.colour).c_str());
    if (!text_at(*page, "next_cursor").empty())
        std::printf("there are more; --limit shows up to 500\n");
    return 0;
}

int show(cli& with, const std::string& workload, const telling& how) {
    auto w = find_workload(with, workload);
    if (!w)
        return complain(w.error());
    const auto path = "/v1/workloads/" + text_at(*w, "id");
    if (const auto query = language_query(with, how); !query.empty())
        if (w = get(with, path + query); !w)
            return complain(w.error());
    const auto attempts = get_all(with, path + "/attempts");
    if (!attempts)
        return complain(attempts.error());
    if (with.json) {
        rapidjson::Document all(rapidjson::kObjectType);
        auto& memory = all.GetAllocator();
        all.AddMember("workload", rapidjson::Value(*w, memory), memory);
        all.AddMember("attempts", rapidjson::Value(*attempts, memory), memory);
        print_json(all);
        return 0;
    }
    std::printf("%s %s: %s\n", text_at(*w, "id").c_str(), text_at(*w, "spec.name").c_str(),
                text_at(*w, "state").c_str());
    if (!text_at(*w, "message").empty())
        std::printf("%s\n", text_at(*w, "message").c_str());
    for (std::size_t i = 0; value_at(*w, "waiting." + std::to_string(i)) != nullptr; ++i)
        std::printf("waiting (%s): %s\n", text_at(*w, "waiting." + std::to_string(i) + ".code").c_str(),
                    text_at(*w, "waiting." + std::to_string(i) + ".detail").c_str());
    print_attempts(*attempts);
    const auto decision = get(with, path + "/decision" + language_query(with, how));
    if (decision) {
        std::printf("\n");
        print_decision(*decision, how);
    }
    return 0;
}

int events(cli& with, const std::string& workload) {
    std::string target = "/v1/events?limit=500";
    if (!workload.empty()) {
        const auto id = find_workload_id(with, workload);
        if (!id)
            return complain(id.error());
        target = "/v1/workloads/" + *id + "/events?limit=500";
    }
    const auto page = get(with, target);
    if (!page)
        return complain(page.error());
    if (with.json) {
        print_json(*page);
        return 0;
    }
    text_table table({"AT", "EVENT", "WORKLOAD", "DETAIL"});
    for (const auto& e : (*page)["items"].GetArray())
        table.add({text_at(e, "at"), text_at(e, "type"), text_at(e, "workload"), text_at(e, "detail")});
    std::printf("%s", table.empty() ? "no events\n" : table.render(with.colour).c_str());
    return 0;
}

int fetch_files(cli& with, const std::string& workload, const std::string& path, const std::string& into) {
    const auto id = find_workload_id(with, workload);
    if (!id)
        return complain(id.error());
    if (into == "-") {
        if (path.empty())
            return complain(fail(errc::invalid, "which file?", "westerly get WORKLOAD FILE --into -"));
        const auto done = fetch_one(with, *id, path, "-");
        return done ? 0 : complain(done.error());
    }
    const auto listed = get(with, "/v1/workloads/" + *id + "/files");
    if (!listed)
        return complain(listed.error());
    rapidjson::Document written(rapidjson::kArrayType);
    for (const auto& f : (*listed)["items"].GetArray()) {
        const auto name = text_at(f, "path");
        if (!path.empty() && name != path && name.rfind(path + "/", 0) != 0)
            continue;
        const auto to = place_in(into, name);
        if (!to)
            return complain(fail(errc::invalid, "the output file \"" + name + "\" would leave " + into,
                                 "read it alone: westerly get WORKLOAD FILE --into -"));
        if (auto done = fetch_one(with, *id, name, *to); !done)
            return complain(done.error());
        if (!with.json)
            std::printf("%s (%s bytes)\n", to->c_str(), text_at(f, "size_bytes").c_str());
        written.PushBack(rapidjson::Value(to->string(), written.GetAllocator()), written.GetAllocator());
    }
    const auto fetched = written.Size();
    if (fetched == 0 && !path.empty())
        return complain(fail(errc::not_found, "no output file \"" + path + "\"", "westerly get WORKLOAD lists all"));
    if (with.json)
        print_json(written);
    else if (fetched == 0)
        std::printf("no output files; a task leaves them in $WESTERLY_OUTPUT_DIR\n");
    return 0;
}

int cancel(cli& with, const std::vector<std::string>& workloads, const std::vector<std::string>& labels) {
    if (workloads.empty() && labels.empty())
        return complain(fail(errc::invalid, "which workload?", "westerly cancel WORKLOAD, or --label NAME=VALUE"));
    std::vector<std::string> ids;
    for (const auto& name : workloads) {
        auto id = find_workload_id(with, name);
        if (!id)
            return complain(id.error());
        ids.push_back(std::move(*id));
    }
    if (!labels.empty()) {
        list_options matching{.states = {"queued", "launching", "active"}, .labels = labels, .name = {}, .project = {}};
        const auto found = get_all(with, list_target(matching, 500));
        if (!found)
            return complain(found.error());
        for (const auto& w : found->GetArray())
            ids.push_back(text_at(w, "id"));
    }
    int code = 0;
    rapidjson::Document answers(rapidjson::kArrayType);
    for (const auto& id : ids) {
        const auto done = post(with, "/v1/workloads/" + id + "/cancel");
        if (!done) {
            code = complain(done.error());
            continue;
        }
        answers.PushBack(rapidjson::Value(*done, answers.GetAllocator()), answers.GetAllocator());
        if (!with.json)
            std::printf("%s %s\n", id.c_str(), text_at(*done, "state").c_str());
    }
    if (with.json)
        print_json(answers);
    else if (ids.empty())
        std::printf("nothing to cancel\n");
    return code;
}

int risk_second_copy(cli& with, const std::string& workload) {
    const auto w = find_workload(with, workload);
    if (!w)
        return complain(w.error());
    const auto id = text_at(*w, "id");
    const auto attempt = text_at(*w, "current_attempt");
    if (attempt.empty())
        return complain(fail(errc::conflict, "the workload has no attempt yet", "westerly show " + id));
    const auto body = "{\"attempt\": \"" + attempt + "\", \"accept_second_copy\": true}";
    const auto done = post(with, "/v1/workloads/" + id + "/give-up", body);
    if (!done)
        return complain(done.error());
    if (with.json)
        print_json(*done);
    else
        std::printf("%s %s\n", id.c_str(), text_at(*done, "state").c_str());
    return 0;
}

int retry(cli& with, const std::string& workload) {
    const auto id = find_workload_id(with, workload);
    if (!id)
        return complain(id.error());
    const auto made = post(with, "/v1/workloads/" + *id + "/retry", "{}", {{"idempotency-key", fresh_key()}});
    if (!made)
        return complain(made.error());
    if (with.json)
        print_json(*made);
    else
        std::printf("%s\n", text_at(*made, "id").c_str());
    return 0;
}

}  // namespace westerly
