#pragma once

#include "tools/simulate/core/pools.hpp"
#include "tools/simulate/core/run.hpp"

#include <deque>
#include <unordered_map>

namespace westerly {

/// A workload that has come and not yet started.
struct waiting_job {
    traced_job job;
    std::size_t number = 0;  // in the trace
    std::uint32_t user = 0;
    instant asked_at{};                // when it was submitted
    double ready_s = 0;                // since the trace's begin: when it was, or wants to start
    std::uint64_t came_tick = 0;       // the first tick at which it could have started
    std::vector<feasible_offer> ways;  // best first
    std::vector<hourly_costs> hours;   // of those whose price changes with the hour
    instant judged_at{};               // when `ways` were worked out
};

/// What the clairvoyant needs of a workload that started.
struct remembered_job {
    std::uint64_t came_tick = 0;
    double paid = 0;  // J with the wait
    std::uint32_t begin = 0, end = 0;
    double next_j = 0;  // of the best way that is not kept, with its wait; infinity: all are
};
/// A way with the starts at which it costs the same, in ticks after the workload came.
struct remembered_way {
    std::uint32_t pool = 0, units = 0, ticks = 0;
    std::uint32_t first = 0, last = 0;
    double j = 0;
};

inline constexpr std::size_t remembered_ways_max = 24;                        // of one workload: the rest has its floor
inline constexpr std::size_t remembered_hours_max = 4 * remembered_ways_max;  // where prices change with the hour

/// A simulation under way.
struct run_state {
    run_state(const supply& from, const carbon_series& signals, const run_setup& with);

    const carbon_series& carbon;
    const run_setup& setup;
    offer_book book;
    bool reads_carbon;                               // the policy does: its ways are of the hour
    instant book_hour{};                             // whose intensities the book has
    std::vector<offer> offers;                       // as the book has them, without the hour's intensity
    std::vector<std::optional<price_curve>> curves;  // parallel to it: of those whose price changes with the hour
    bool prices_by_hour = false;                     // some price does: what waits is judged anew at each tick
    run_pools pools;
    std::deque<waiting_job> queue;               // in order of arrival
    std::multimap<double, waiting_job> not_yet;  // by the second before which they do not want to start
    std::uint64_t tick = 0;
    std::uint32_t last_taken = 0;  // round_robin
    std::vector<assign_account> accounts;
    std::unordered_map<std::string, std::uint32_t> users;
    struct user_sum {
        double slowdown = 0;
        std::size_t jobs = 0;
    };
    std::vector<user_sum> user_sums;
    std::vector<double> unit_hours;  // by pool
    std::uint64_t first_tick = ~std::uint64_t{0}, last_end_tick = 0;
    std::vector<remembered_job> remembered;
    std::vector<remembered_way> remembered_ways;
    bool remembers;
    outcome made;

    instant time_of(std::uint64_t at) const { return setup.begin + std::chrono::seconds(at * setup.tick_s); }
    /// Not by a baseline, which neither waits for a better hour nor looks at more than one workload.
    bool together() const noexcept { return setup.how == tick_rule::by_cost || setup.how == tick_rule::by_turns; }
    bool priced() const noexcept { return !setup.rules.ordered(); }
    std::int64_t tick_ms() const noexcept { return std::int64_t{setup.tick_s} * 1000; }
    /// What a tick's wait costs in J.
    double tick_price() const noexcept { return setup.later_price_per_h * setup.tick_s / 3600.0; }
    /// How many ticks' wait is not late.
    std::uint64_t patience() const noexcept { return static_cast<std::uint64_t>(setup.max_wait_s / setup.tick_s); }
    /// Ticks that a way holds its units: the data's way included.
    std::uint32_t ticks_of(const waiting_job& w, const feasible_offer& way) const noexcept;
    /// How many ticks after the one that it was judged at it may still start there, by its deadline and longest wait.
    std::uint64_t ticks_left(const waiting_job& w, const feasible_offer& way) const noexcept;
    /// C when it starts at the tick at which it was judged; `way` may be of its best start.
    double cost_at_once(const waiting_job& w, const feasible_offer& way) const noexcept;
    /// Fills in what is feasible for it now.
    void judge(waiting_job& w);
    /// It starts now: holds its units, and everything is counted.
    void start(const waiting_job& w, const feasible_offer& way);
    /// For the clairvoyant.
    void remember(const waiting_job& w, const feasible_offer& way);
};

/// Who starts now: for each of the queue the number of its way, or -1. Adds to the yardstick.
std::vector<std::int32_t> assign_tick(run_state& run);
/// The same by the rules that look at one workload at a time.
std::vector<std::int32_t> one_at_a_time(run_state& run);
/// The clairvoyant's bound over all that started.
yardstick judge_in_hindsight(const run_state& run);

}  // namespace westerly
