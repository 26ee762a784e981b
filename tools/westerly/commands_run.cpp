#include "tools/westerly/bundle.hpp"
#include "tools/westerly/commands.hpp"
#include "tools/westerly/workload_file.hpp"

#include <unistd.h>

#include <cstdio>

namespace westerly {

namespace {

constexpr std::size_t rejected_shown_max = 20;

result<std::string> upload(cli& with, const std::string& folder) {
    if (folder.empty())
        return std::string();
    auto bytes = make_bundle(folder);
    if (!bytes)
        return bytes.error();
    http_request request;
    request.method = "POST";
    request.target = "/v1/bundles";
    request.content_type = "application/x-tar";
    request.body = std::move(*bytes);
    auto answer = call(with, request);
    if (!answer)
        return answer.error();
    return text_at(*answer, "files");
}

result<std::string> prepare(cli& with, const run_options& options) {
    auto files = upload(with, options.with);
    if (!files)
        return files.error();
    return make_workload(options, *files);
}

void add_ranked(text_table& table, const json_value& a, std::size_t place) {
    table.add({std::to_string(place), text_at(a, "offer"), text_at(a, "region"), text_at(a, "units"),
               money_at(a, "cost"), rounded_at(a, "j", "CNY"), rounded_at(a, "rtt_ms", "ms"),
               percent_at(a, "green_power_share"), energy_at(a, "energy_kwh"), carbon_at(a, "carbon_kg"),
               text_at(a, "finish_at"), text_at(a, "launchable") == "no" ? "plan only" : ""});
}

}  // namespace

int run(cli& with, const run_options& options) {
    const auto body = prepare(with, options);
    if (!body)
        return complain(body.error());
    const auto key = options.idempotency_key.empty() ? fresh_key() : options.idempotency_key;
    auto made = post(with, "/v1/workloads", *body, {{"idempotency-key", key}});
    if (!made && (made.error().code == errc::timed_out || made.error().code == errc::provider_unavailable))
        made = post(with, "/v1/workloads", *body, {{"idempotency-key", key}});  // the same key: never a second copy
    if (!made)
        return complain(made.error());
    const auto id = text_at(*made, "id");
    if (options.detach) {
        if (with.json)
            print_json(*made);
        else
            std::printf("%s\n", id.c_str());
        if (const auto waits = text_at(*made, "waiting.0.detail"); !waits.empty())
            std::fprintf(stderr, "queued: %s\n", waits.c_str());
        return 0;
    }
    std::fprintf(stderr, "workload %s (%s)\n", id.c_str(), text_at(*made, "spec.name").c_str());
    const int code = follow(with, id, options.timeout_s);
    if (with.json && code != detached) {
        const auto ended = get(with, "/v1/workloads/" + id);
        if (ended)
            print_json(*ended);
    }
    return code;
}

int plan(cli& with, const run_options& options) {
    const auto body = prepare(with, options);
    if (!body)
        return complain(body.error());
    const auto answer = post(with, "/v1/plans", *body);
    if (!answer)
        return complain(answer.error());
    if (with.json) {
        print_json(*answer);
        return 0;
    }
    text_table table(
        {"#", "OFFER", "REGION", "UNITS", "COST", "ALL COUNTED", "RTT", "GREEN", "ENERGY", "CO2e", "FINISH", ""});
    if (const auto* ranked = value_at(*answer, "decision.ranked"); ranked != nullptr && ranked->IsArray())
        for (const auto& a : ranked->GetArray())
            add_ranked(table, a, 1 + static_cast<std::size_t>(&a - ranked->Begin()));
    if (!table.empty())
        std::printf("%s\n", table.render(with.colour).c_str());
    std::printf("%s", text_at(*answer, "decision.explanation").c_str());
    const auto* rejected = value_at(*answer, "rejected");
    if (rejected != nullptr && rejected->IsArray() && !rejected->Empty()) {
        text_table why({"REJECTED OFFER", "REASON"});
        for (const auto& r : rejected->GetArray())
            if (static_cast<std::size_t>(&r - rejected->Begin()) < rejected_shown_max)
                why.add({text_at(r, "offer"), text_at(r, "reason")});
        std::printf("\n%s", why.render(with.colour).c_str());
        if (rejected->Size() > rejected_shown_max)
            std::printf("and %zu more; -o json lists them\n", rejected->Size() - rejected_shown_max);
    }
    return 0;
}

}  // namespace westerly
