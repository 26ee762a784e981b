#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/config_json.hpp"

namespace westerly {

response list_policies(const call& c) {
    const auto market = c.house.market();
    std::vector<const policy*> all;
    for (const auto& one : market->policies)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const policy& p) -> const std::string& { return p.name; },
        [](json_writer& out, const policy& p) { encode_policy(out, p); });
}

response get_policy(const call& c) {
    const auto market = c.house.market();
    const auto found = std::ranges::find(market->policies, c.path[0], &policy::name);
    if (found == market->policies.end())
        return problem(fail(errc::not_found, "there is no such policy", "see /v1/policies"));
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
