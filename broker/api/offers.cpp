#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response list_offers(const call& c) {
    const auto market = c.house.market();
    const auto provider = c.parameter("provider");
    const auto region = c.parameter("region");
    std::vector<const offer*> matching;
    for (const auto& one : market->offers)
        if ((!provider || one.provider == *provider) && (!region || one.site.region == *region))
            matching.push_back(&one);
    return page_response(
        c, std::move(matching), [](const offer& o) -> const std::string& { return o.id; },
        [](json_writer& out, const offer& o) { encode(out, o); });
}

}  // namespace westerly
