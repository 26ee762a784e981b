#pragma once

#include "broker/domain/offer.hpp"

#include <algorithm>

namespace westerly {

/// An offer that is older than its stale_after_s is stale: it says so and loses ties. After so many times that, nothing
/// is launched there any more.
inline constexpr std::int64_t stale_times_launchable = 10;

/// From when on it is stale; the end of time where that is not told, or where it is not dated.
inline instant stale_from(const offer& o) noexcept {
    return o.stale_after_s > 0 && o.as_of != instant{} ? o.as_of + seconds(std::int64_t{o.stale_after_s})
                                                       : instant::max();
}
/// From when on nothing is launched there.
inline instant lapses_at(const offer& o) noexcept {
    return stale_from(o) == instant::max() ? instant::max()
                                           : o.as_of + seconds(std::int64_t{o.stale_after_s} * stale_times_launchable);
}
/// From when and until when, inclusive, what was measured of a site's RTT counts. Clocks may differ by minutes; what is
/// said to be measured later than that is not believed.
inline constexpr seconds measured_ahead_max{300};
inline instant counts_from(const measured_rtt& seen) noexcept {
    return seen.measured_at - measured_ahead_max;
}
inline instant counts_until(const measured_rtt& seen, const site_facts& of) noexcept {
    return seen.measured_at + seconds(std::int64_t{of.rtt_max_age_s});
}
/// The first moment at which time alone changes what the offer counts as.
inline instant dated_from(const offer& o) noexcept {
    return std::min(stale_from(o), o.supply.price_until.value_or(instant::max()));
}

}  // namespace westerly
