#include "broker/api/house.hpp"

#include "broker/support/embedded.hpp"

namespace westerly {

api_house::api_house(api_options o, api_services s)
    : options(std::move(o)),
      services(std::move(s)),
      streams(options.streams_per_tenant_max),
      rates(options.requests_per_s_per_key),
      openapi(embedded_file("schema/openapi.json").value_or("{}")) {}

std::shared_ptr<const market_view> api_house::market() const {
    static const auto none = std::make_shared<const market_view>();
    auto view = services.market();
    return view ? view : none;
}

}  // namespace westerly
