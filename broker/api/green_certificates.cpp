#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/certificate_json.hpp"

namespace westerly {

response list_certificates(const call& c) {
    const auto market = c.house.market();
    std::vector<const certificate_status*> all;
    for (const auto& one : market->certificates)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const certificate_status& s) -> const std::string& { return s.held.id; },
        [](json_writer& out, const certificate_status& s) { encode(out, s); });
}

}  // namespace westerly
