#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response list_offers(const call& c) {
    const auto market = c.house.market();
    const auto provider = c.parameter("provider");
    const auto region = c.parameter("region");
    const instant now = system_wall_clock().now();
    std::vector<const offer*> matching;
    for (const auto& one : market->offers)
        if ((!provider || one.provider == *provider) && (!region || one.site.region == *region))
            matching.push_back(&one);
    return page_response(
        c, std::move(matching), [](const offer& o) -> const std::string& { return o.id; },
        [now](json_writer& out, const offer& o) { encode(out, o, now); });
}

response get_offer_history(const call& c) {
    const auto id = c.parameter("offer");
    if (!id)
        return problem(parameter_error("?offer", "is missing", "give the id of an offer, as /v1/offers tells it"));
    const auto from = time_parameter(c, "from");
    if (!from)
        return problem(from.error());
    const auto until = time_parameter(c, "until");
    if (!until)
        return problem(until.error());
    const instant now = system_wall_clock().now();
    const instant end = until->value_or(now), begin = from->value_or(end - history_kept);
    if (begin > end)
        return problem(parameter_error("?until", "is before ?from", "exchange them"));
    const auto told = c.house.services.read->history_of(std::string(*id), begin, end);
    if (!told)
        return problem(told.error());
    if (told->empty())
        return problem(fail(errc::not_found, "nothing is kept of such an offer in that time",
                            "check the id against /v1/offers; what was offered is kept for 90 days"));
    return list_response(*told, "");
}

}  // namespace westerly
