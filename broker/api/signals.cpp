#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/signal_json.hpp"

namespace westerly {

response list_signals(const call& c) {
    const auto market = c.house.market();
    const auto zone = c.parameter("zone");
    const instant now = system_wall_clock().now();
    std::vector<const signal_status*> matching;
    for (const auto& one : market->signals)
        if (!zone || one.series->zone == *zone)
            matching.push_back(&one);
    return page_response(
        c, std::move(matching), [](const signal_status& s) -> const std::string& { return s.id; },
        [now](json_writer& out, const signal_status& s) { encode(out, s, now); });
}

}  // namespace westerly
