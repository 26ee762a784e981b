#include "tools/simulate/core/run_state.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

/// Price an hour of the whole gang now, in base currency.
double hourly(const run_state& run, const feasible_offer& way) {
    const unit_price& price = *run.offers[way.index].price;
    const auto& hours = run.curves[way.index];
    const std::int64_t nanos = hours ? hours->at(run.time_of(run.tick).time_since_epoch().count()) : price.nanos;
    return static_cast<double>(nanos) * static_cast<double>(way.units) *
           (static_cast<double>(rate_nanos(run.setup.rates, price.unit)) / 1e9);
}

/// What the rule minimises; ways that tie are taken in their own order.
double key(const run_state& run, const feasible_offer& way, std::size_t place) {
    switch (run.setup.how) {
        case tick_rule::first_fit:
            return way.index;
        case tick_rule::round_robin: {
            const auto size = static_cast<std::uint32_t>(run.offers.size());
            return (way.index + size - run.last_taken) % size;
        }
        case tick_rule::cheapest_hour:
            return hourly(run, way);
        case tick_rule::nearest_first:
            return std::isnan(way.rtt_ms) ? 1e9 : way.rtt_ms;
        default:
            return static_cast<double>(place);
    }
}

}  // namespace

std::vector<std::int32_t> one_at_a_time(run_state& run) {
    std::vector<std::uint64_t> taken(run.pools.size(), 0);
    std::vector<std::int32_t> starts(run.queue.size(), -1);
    for (std::size_t j = 0; j < run.queue.size(); ++j) {
        const auto& ways = run.queue[j].ways;
        double least = 0;
        for (std::size_t i = 0; i < ways.size(); ++i) {
            if (run.pools.free(ways[i].index) - std::min(taken[ways[i].index], run.pools.free(ways[i].index)) <
                ways[i].units)
                continue;
            const double here = key(run, ways[i], i);
            if (starts[j] < 0 || here < least) {
                starts[j] = static_cast<std::int32_t>(i);
                least = here;
            }
        }
        if (starts[j] >= 0) {
            const feasible_offer& way = ways[static_cast<std::size_t>(starts[j])];
            taken[way.index] += way.units;
            run.last_taken = (way.index + 1) % static_cast<std::uint32_t>(run.offers.size());
        }
    }
    return starts;
}

}  // namespace westerly
