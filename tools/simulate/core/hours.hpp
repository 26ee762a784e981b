#pragma once

#include "broker/placement/hourly_starts.hpp"

#include <vector>

namespace westerly {

/// Neighbouring ticks at which an offer with hourly prices costs the same.
struct cost_level {
    std::uint32_t first = 0, last = 0;  // counted from the first tick asked for
    double j = 0;                       // less the price of waiting
};

/// What an offer with hourly prices costs at each of `count` ticks, the first of them `first_delay_ms` after the
/// decision that it was judged in. Ticks at which its limits forbid it are left out.
///
/// Whoever is put off further than the workload lets it be gains nothing by that: such a start costs as much as the
/// best that is allowed at least. So nobody waits unasked for a cheaper hour, and who has to wait pays no less in J.
std::vector<cost_level> cost_levels(const hourly_costs& of, std::int64_t first_delay_ms, std::int64_t tick_ms,
                                    std::uint32_t count);

}  // namespace westerly
