#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/config_json.hpp"
#include "broker/domain/wording.hpp"

namespace westerly {

namespace {

/// As the caller may see them, by name.
std::vector<policy> seen_by(const principal& who, const market_view& market) {
    std::vector<policy> seen;
    for (const policy& each : market.policies)
        if (who.as == role::operator_)
            seen.push_back(each);
        else if (auto told = as_seen_by(each, who.tenant_name))
            seen.push_back(std::move(*told));
    return seen;
}

/// Some of the names that may be asked for.
std::string names_of(const std::vector<policy>& all) {
    constexpr std::size_t named_max = 20;
    std::vector<std::string> names;
    for (const policy& each : all)
        if (names.size() < named_max)
            names.push_back(each.name);
    return joined(names) + (all.size() > named_max ? ", …" : "");
}

}  // namespace

response list_policies(const call& c) {
    const auto seen = seen_by(c.who, *c.house.market());
    std::vector<const policy*> all;
    for (const auto& one : seen)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const policy& p) -> const std::string& { return p.name; },
        [](json_writer& out, const policy& p) { encode_policy(out, p); });
}

response get_policy(const call& c) {
    const auto seen = seen_by(c.who, *c.house.market());
    const auto found = std::ranges::find(seen, c.path[0], &policy::name);
    if (found == seen.end())
        return problem(fail(errc::not_found, "there is no such policy", "those that you may use: " + names_of(seen)));
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode_policy(out, *found);
    return json_response(200, {buffer.GetString(), buffer.GetSize()});
}

response refuse_policy_change(const call&) {
    return problem(fail(errc::conflict, "policies are managed by files",
                        "put, edit or remove policies/NAME.json in the broker's configuration folder and send SIGHUP"));
}

}  // namespace westerly
