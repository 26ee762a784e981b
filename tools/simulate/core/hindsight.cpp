#include "broker/support/time.hpp"
#include "tools/simulate/core/certificate.hpp"
#include "tools/simulate/core/hours.hpp"
#include "tools/simulate/core/run_state.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr std::uint32_t price_rounds = 60;

/// What a way costs at the first of its starts.
double with_wait(const run_state& run, const remembered_way& way) {
    return way.j + way.first * run.tick_price();
}

/// Ticks from the first arrival or start to the last end, and to the last start that an hour's price makes worth it.
struct span_of_ticks {
    std::uint64_t first = 0, last = 0;
};
span_of_ticks span_of(const run_state& run, const std::vector<std::uint32_t>& limited) {
    span_of_ticks span{run.first_tick, run.last_end_tick};
    for (const remembered_job& job : run.remembered) {
        span.first = std::min(span.first, job.came_tick);
        for (std::uint32_t i = job.begin; i < job.end; ++i)
            if (const remembered_way& way = run.remembered_ways[i]; limited[way.pool] != nothing && way.first > 0)
                span.last = std::max(span.last, job.came_tick + way.first);
    }
    return span;
}

}  // namespace

void run_state::remember(const waiting_job& w, const feasible_offer& way) {
    if (remembers && (remembered.size() == setup.hindsight_jobs_max ||
                      remembered_ways.size() > setup.hindsight_jobs_max * remembered_ways_max)) {
        remembers = false;
        remembered.clear();
        remembered_ways.clear();
    }
    if (!remembers || !priced())
        return;
    const auto waited = static_cast<std::uint32_t>(tick - w.came_tick);
    double paid = way.hours == price_is_one ? way.j : cost_at_once(w, way) + w.hours[way.hours].rest_base;
    std::vector<remembered_way> all;
    for (const feasible_offer& each : w.ways) {
        const auto last = static_cast<std::uint32_t>(std::min(patience(), waited + ticks_left(w, each)));
        remembered_way kept{each.index, static_cast<std::uint32_t>(each.units), ticks_of(w, each), 0, last, each.j};
        if (each.hours == price_is_one) {
            all.push_back(kept);
            if (w.hours.empty() && all.size() > remembered_ways_max)
                break;  // best first
            continue;
        }
        for (const cost_level& level :
             cost_levels(w.hours[each.hours], -std::int64_t{waited} * tick_ms(), tick_ms(), last + 1)) {
            kept.first = level.first;
            kept.last = level.last;
            kept.j = level.j;
            all.push_back(kept);
            if (&each == &way && level.first <= waited && waited <= level.last)
                paid = level.j;
        }
    }
    if (!w.hours.empty())
        std::ranges::stable_sort(all, {}, [&](const remembered_way& each) { return with_wait(*this, each); });
    const std::size_t count = std::min(all.size(), w.hours.empty() ? remembered_ways_max : remembered_hours_max);
    remembered_job job{w.came_tick, paid + waited * tick_price(), static_cast<std::uint32_t>(remembered_ways.size()), 0,
                       count < all.size() ? with_wait(*this, all[count]) : std::numeric_limits<double>::infinity()};
    remembered_ways.insert(remembered_ways.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    job.end = static_cast<std::uint32_t>(remembered_ways.size());
    remembered.push_back(job);
}

/// Over all schedules that start everything at ticks and within max_wait_s: pools that were never full have no price,
/// so that of those only each workload's cheapest counts, without limit.
yardstick judge_in_hindsight(const run_state& run) {
    assign_problem p;
    std::vector<std::uint32_t> local(run.pools.size(), nothing);
    std::uint32_t pools = 0;
    for (std::uint32_t pool = 0; pool < run.pools.size(); ++pool)
        if (run.pools.was_full(pool))
            local[pool] = pools++;
    const auto [first, last] = span_of(run, local);
    p.slots = static_cast<std::uint32_t>(last - first + 1);
    for (std::uint32_t pool = 0; pool < run.pools.size(); ++pool)
        if (local[pool] != nothing)
            p.capacity.insert(p.capacity.end(), p.slots, static_cast<std::uint32_t>(run.pools.total(pool)));
    p.capacity.insert(p.capacity.end(), p.slots, unlimited_capacity);  // number `pools`: everywhere else
    const double later = run.tick_price();
    yardstick judged{.measured = 1};
    for (const remembered_job& job : run.remembered) {
        assign_job mine;
        mine.options_begin = static_cast<std::uint32_t>(p.options.size());
        const auto came = static_cast<std::uint32_t>(job.came_tick - first);
        double elsewhere = std::numeric_limits<double>::infinity(), dearest = 0;
        for (std::uint32_t i = job.begin; i < job.end; ++i) {
            const remembered_way& way = run.remembered_ways[i];
            dearest = std::max(dearest, way.j);
            if (local[way.pool] == nothing)
                elsewhere = std::min(elsewhere, with_wait(run, way));
        }
        for (std::uint32_t i = job.begin; i < job.end; ++i) {
            const remembered_way& way = run.remembered_ways[i];
            const double cost = with_wait(run, way);
            if (local[way.pool] == nothing || cost >= elsewhere)
                continue;
            // Later starts than these cost more than going elsewhere.
            const double worth = later > 0 ? (elsewhere - cost) / later : 1e9;
            const auto window = static_cast<std::uint32_t>(std::min<double>(way.last - way.first, worth));
            assign_option o{
                .pool = local[way.pool], .quantity = way.units, .slots = way.ticks, .first_start = came + way.first};
            o.last_start = std::min(o.first_start + window, p.slots - 1);
            o.cost = cost;
            o.cost_per_slot_later = later;
            p.options.push_back(o);
        }
        if (elsewhere < std::numeric_limits<double>::infinity())
            p.options.push_back({.pool = pools, .first_start = came, .last_start = came, .cost = elsewhere});
        mine.options_end = static_cast<std::uint32_t>(p.options.size());
        mine.unlisted_floor = job.next_j;
        mine.refusal = std::max(dearest + later * static_cast<double>(run.patience() + 1), job.paid);
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
