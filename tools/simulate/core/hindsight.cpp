#include "broker/support/time.hpp"
#include "tools/simulate/core/certificate.hpp"
#include "tools/simulate/core/run_state.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr std::uint32_t price_rounds = 60;

}  // namespace

/// Over all schedules that start everything at ticks and within max_wait_s: pools that were never full have no price,
/// so that of those only each workload's cheapest counts, without limit.
yardstick judge_in_hindsight(const run_state& run) {
    assign_problem p;
    std::vector<std::uint32_t> local(run.pools.size(), nothing);
    std::uint32_t pools = 0;
    for (std::uint32_t pool = 0; pool < run.pools.size(); ++pool)
        if (run.pools.was_full(pool))
            local[pool] = pools++;
    const std::uint64_t first = run.first_tick;
    p.slots = static_cast<std::uint32_t>(run.last_end_tick - first + 1);
    for (std::uint32_t pool = 0; pool < run.pools.size(); ++pool)
        if (local[pool] != nothing)
            p.capacity.insert(p.capacity.end(), p.slots, static_cast<std::uint32_t>(run.pools.total(pool)));
    p.capacity.insert(p.capacity.end(), p.slots, unlimited_capacity);  // number `pools`: everywhere else
    const double later = run.setup.later_price_per_h * run.setup.tick_s / 3600.0;
    const auto patience = static_cast<std::uint32_t>(run.setup.max_wait_s / run.setup.tick_s);
    yardstick judged{.measured = 1};
    for (const remembered_job& job : run.remembered) {
        assign_job mine;
        mine.options_begin = static_cast<std::uint32_t>(p.options.size());
        const auto came = static_cast<std::uint32_t>(std::max(job.came_tick, first) - first);
        double elsewhere = std::numeric_limits<double>::infinity(), dearest = 0;
        for (std::uint32_t i = job.begin; i < job.end; ++i) {
            const remembered_way& way = run.remembered_ways[i];
            dearest = std::max(dearest, way.j);
            if (local[way.pool] == nothing)
                elsewhere = std::min(elsewhere, way.j);
        }
        for (std::uint32_t i = job.begin; i < job.end; ++i) {
            const remembered_way& way = run.remembered_ways[i];
            if (local[way.pool] == nothing || way.j >= elsewhere)
                continue;
            // Later starts than these cost more than going elsewhere.
            const double worth = later > 0 ? (elsewhere - way.j) / later : 1e9;
            const auto window = static_cast<std::uint32_t>(std::min<double>(patience, worth));
            assign_option o{.pool = local[way.pool], .quantity = way.units, .slots = way.ticks, .first_start = came};
            o.last_start = std::min(came + window, p.slots - 1);
            o.cost = way.j;
            o.cost_per_slot_later = later;
            p.options.push_back(o);
        }
        if (elsewhere < std::numeric_limits<double>::infinity())
            p.options.push_back({.pool = pools, .first_start = came, .last_start = came, .cost = elsewhere});
        mine.options_end = static_cast<std::uint32_t>(p.options.size());
        mine.unlisted_floor = job.next_j;
        mine.refusal = std::max(dearest + later * (patience + 1), job.paid);
        p.jobs.push_back(mine);
        judged.cost += job.paid;
    }
    assignment made;
    made.cost = judged.cost;
    made.bound = bound_by_prices(p, judged.cost, price_rounds);
    judged.bound = made.bound.value;
    judged.floor = uncontended_floor(p);
    judged.contended = judged.cost > judged.floor;
    if (run.setup.certify)
        run.setup.certify(certificate_line("hindsight", format_rfc3339(run.time_of(first)), p, made));
    return judged;
}

}  // namespace westerly
