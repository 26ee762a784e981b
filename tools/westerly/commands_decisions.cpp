#include "broker/codec/config_json.hpp"
#include "broker/codec/writer.hpp"
#include "broker/support/files.hpp"
#include "tools/westerly/commands.hpp"

#include <cmath>
#include <cstdio>

namespace westerly {
namespace {

/// The answer to one replay. A name or id of a workload stands for its last decision.
result<rapidjson::Document> replayed(cli& with, const std::string& asked) {
    if (parse_uuid(asked)) {
        auto direct = get(with, "/v1/decisions/" + url_encode(asked) + "/replay");
        if (direct || direct.error().code != errc::not_found)
            return direct;
    }
    const auto workload = find_workload_id(with, asked);
    if (!workload)
        return workload.error();
    const auto made = get(with, "/v1/workloads/" + url_encode(*workload) + "/decision");
    if (!made)
        return made.error();
    return get(with, "/v1/decisions/" + text_at(*made, "id") + "/replay");
}

void tell_replay(const json_value& report) {
    const auto id = text_at(report, "decision");
    if (text_at(report, "identical") == "yes") {
        std::printf("%s: identical\n", id.c_str());
        return;
    }
    const auto pointer = text_at(report, "first_difference.pointer");
    std::printf("%s: differs%s%s\n  recorded: %s\n  replayed: %s\n", id.c_str(), pointer.empty() ? "" : " first at ",
                pointer.c_str(), text_at(report, "first_difference.recorded").c_str(),
                text_at(report, "first_difference.replayed").c_str());
}

/// The newest decisions of all tenants.
result<std::vector<std::string>> newest_decisions(cli& with, std::uint64_t last) {
    std::vector<std::string> ids;
    std::string cursor;
    do {
        const auto page =
            get(with, "/v1/decisions?limit=500" + (cursor.empty() ? "" : "&cursor=" + url_encode(cursor)));
        if (!page)
            return page.error();
        for (const auto& item : (*page)["items"].GetArray())
            if (ids.size() < last)
                ids.push_back(text_at(item, "id"));
        cursor = text_at(*page, "next_cursor");
    } while (!cursor.empty() && ids.size() < last);
    return ids;
}

/// A policy of the broker (NAME, or NAME@VERSION for one of the past), or a file.
result<void> put_choice(json_writer& out, const char* name, const std::string& asked) {
    put_key(out, name);
    out.StartObject();
    const bool is_file = asked.find('/') != std::string::npos || asked.ends_with(".json");
    if (is_file) {
        const auto text = read_file(asked, config_json_max);
        if (!text)
            return missing_file(text.error());
        put_text(out, "name", std::filesystem::path(asked).stem().string());
        put_text(out, "text", *text);
    } else {
        const auto at = asked.find('@');
        put_text(out, "name", asked.substr(0, at));
        if (at != std::string::npos)
            put_text(out, "version", asked.substr(at + 1));
    }
    out.EndObject();
    return {};
}

std::string more_or_less(const json_value& of, const char* path, const char* unit) {
    const auto* v = value_at(of, path);
    if (v == nullptr || !v->IsNumber())
        return "-";
    char text[64];
    std::snprintf(text, sizeof text, "%+.4g%s", v->GetDouble() + 0.0, unit);
    return text;
}

void tell_comparison(const cli& with, const json_value& report) {
    const auto& differ = report["differ"];
    const auto currency = " " + text_at(report, "currency");
    text_table table({"DECISION", "DECIDED", "OLD CHOOSES", "NEW CHOOSES", "COST", "CO2e", "NON-GREEN", "FINISH"});
    double cost = 0, carbon = 0, energy = 0;
    for (const auto& one : differ.GetArray()) {
        const auto old_offer = text_at(one, "before.offer"), new_offer = text_at(one, "after.offer");
        table.add({text_at(one, "decision"), text_at(one, "decided_at"), old_offer.empty() ? "nothing fits" : old_offer,
                   new_offer.empty() ? "nothing fits" : new_offer,
                   more_or_less(one, "difference.cost_base", currency.c_str()),
                   more_or_less(one, "difference.carbon_kg", " kg"),
                   more_or_less(one, "difference.non_green_kwh", " kWh"),
                   more_or_less(one, "difference.finish_s", " s")});
        cost += number_at(one, "difference.cost_base", 0);
        carbon += number_at(one, "difference.carbon_kg", 0);
        energy += number_at(one, "difference.non_green_kwh", 0);
    }
    if (!table.empty())
        std::printf("%s", table.render(with.colour).c_str());
    std::printf("%s of %s decisions chosen otherwise by %s %s than by %s %s\n", std::to_string(differ.Size()).c_str(),
                text_at(report, "compared").c_str(), text_at(report, "after.name").c_str(),
                text_at(report, "after.version").c_str(), text_at(report, "before.name").c_str(),
                text_at(report, "before.version").c_str());
    if (differ.Size() > 0)
        std::printf("together, where known: %+.4g%s, %+.4g kg CO2e, %+.4g kWh not green\n", cost, currency.c_str(),
                    carbon, energy);
    if (const auto missing = text_at(report, "not_comparable"); missing != "0")
        std::printf("%s more could not be compared: what they were made from is not kept\n", missing.c_str());
    if (text_at(report, "complete") == "no")
        std::printf("older ones were not looked at: it took too long; ask for fewer with --last\n");
}

}  // namespace

int replay_decisions(cli& with, const replay_command& said) {
    auto ids = said.decisions;
    if (said.all) {
        auto newest = newest_decisions(with, said.last);
        if (!newest)
            return complain(newest.error());
        ids = std::move(*newest);
    }
    int code = 0;
    std::size_t identical = 0, differ = 0, not_kept = 0;
    rapidjson::Document reports(rapidjson::kArrayType);
    for (const auto& id : ids) {
        const auto report = replayed(with, id);
        if (!report) {
            if (!said.all || report.error().code != errc::conflict)
                return complain(report.error());
            ++not_kept;
            continue;
        }
        const bool same = text_at(*report, "identical") == "yes";
        ++(same ? identical : differ);
        code = same ? code : 1;
        if (with.json)
            reports.PushBack(rapidjson::Value(*report, reports.GetAllocator()), reports.GetAllocator());
        else if (!said.all || !same)
            tell_replay(*report);
    }
    if (with.json)
        print_json(reports);
    else if (said.all)
        std::printf("%zu identical, %zu differ, %zu cannot be replayed: what they were made from is not kept\n",
                    identical, differ, not_kept);
    return code;
}

int compare_policies(cli& with, const compare_command& said) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    for (const auto& [name, asked] : {std::pair("before", said.before), std::pair("after", said.after)})
        if (const auto put = put_choice(out, name, asked); !put)
            return complain(put.error());
    if (said.last)
        put_whole(out, "last", *said.last);
    put_text(out, "since", said.since);
    out.EndObject();
    const auto report = post(with, "/v1/policy-comparisons", {buffer.GetString(), buffer.GetSize()});
    if (!report)
        return complain(report.error());
    if (with.json)
        print_json(*report);
    else
        tell_comparison(with, *report);
    return (*report)["differ"].Empty() ? 0 : 1;
}

}  // namespace westerly
