#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response list_orphans(const call& c) {
    const auto market = c.house.market();
    std::vector<const orphan*> all;
    for (const auto& one : market->orphans)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const orphan& o) { return o.provider + "/" + o.token; },
        [](json_writer& out, const orphan& o) { encode(out, o); });
}

void confirm_sweeping(const call& c, responder answer) {
    ask(c, confirm_sweep{}, std::move(answer),
        [](result<westerly::answer> given) { return given ? empty_response(204) : problem(given.error()); });
}

response make_backup(const call& c) {
    const auto made = c.house.services.backup();
    if (!made)
        return problem(made.error());
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, "path", *made);
    out.EndObject();
    return json_response(201, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace westerly
