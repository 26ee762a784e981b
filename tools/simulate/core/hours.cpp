#include "tools/simulate/core/hours.hpp"

#include "broker/placement/demand.hpp"

#include <algorithm>

namespace westerly {

std::vector<cost_level> cost_levels(const hourly_costs& of, std::int64_t first_delay_ms, std::int64_t tick_ms,
                                    std::uint32_t count) {
    constexpr double none = std::numeric_limits<double>::infinity();
    std::vector<cost_level> levels;
    double allowed = none;  // the best so far of what the workload lets it be put off to, or of what is first
    for (std::uint32_t t = 0; t < count; ++t) {
        const std::int64_t delay_ms = first_delay_ms + t * tick_ms;
        const hourly_costs::at_start here = of.at(delay_ms);
        if (here.code != passes)
            continue;
        double j = here.cost_base + of.rest_base;
        if (allowed == none || of.from_ms + delay_ms <= of.slack_until_ms)
            allowed = std::min(allowed, j);
        else
            j = std::max(j, allowed);
        if (!levels.empty() && levels.back().last + 1 == t && levels.back().j == j)
            levels.back().last = t;
        else
            levels.push_back({t, t, j});
    }
    return levels;
}

}  // namespace westerly
