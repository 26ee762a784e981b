#include "broker/domain/provider.hpp"

#include <algorithm>

namespace westerly {

std::uint32_t stale_after_s(const provider_config& of) noexcept {
    constexpr std::uint32_t listings_missed = 10, least_s = 300, catalogue_s = 30 * 86'400;
    if (of.stale_after_s)
        return *of.stale_after_s;
    return of.kind == "catalogue" ? catalogue_s : std::max(least_s, of.offers_refresh_s * listings_missed);
}

}  // namespace westerly
