#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/replay_json.hpp"

namespace westerly {

response list_decisions(const call& c) {
    const auto limit = limit_of(c);
    if (!limit)
        return problem(limit.error());
    const auto found = c.house.services.read->list_decisions(cursor_of(c), *limit);
    if (!found)
        return list_problem(found.error());
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_key(out, "items");
    out.StartArray();
    for (const auto& id : found->items) {
        out.StartObject();
        put_id(out, "id", id);
        out.EndObject();
    }
    out.EndArray();
    put_text(out, "next_cursor", found->next_cursor);
    out.EndObject();
    return json_response(200, {buffer.GetString(), buffer.GetSize()});
}

response replay_decision(const call& c) {
    const auto made = decision_in_path(c);
    if (!made)
        return problem(made.error());
    const auto report = c.house.services.replay(made->id);
    return report ? json_response(200, to_json(*report)) : problem(report.error());
}

response compare_policies(const call& c) {
    const auto asked = decode_comparison_request(c.http.body);
    if (!asked)
        return problem(asked.error());
    const auto report = c.house.services.compare_policies(*asked);
    return report ? json_response(200, to_json(*report)) : problem(report.error());
}

}  // namespace westerly
