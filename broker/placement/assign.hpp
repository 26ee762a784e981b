#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace westerly {

/// Many queued workloads over pools of limited capacity in one tick: decision-model §4 and §5, in numbers. Pure.
///
/// Time    slots of equal length; slot 0 is the tick's own. Work that starts in slot s holds its quantity in [s, s +
/// slots);
///         what reaches past the last slot is held to the last slot only.
/// Money   doubles in one currency. They rank; they never enter a charge.
/// Gangs   an option is taken whole or not at all; a workload takes one option or none.

inline constexpr std::uint32_t unlimited_capacity = std::numeric_limits<std::uint32_t>::max();

/// One way to run one workload: so many units of one pool for so many slots, at any start of a window.
struct assign_option {
    std::uint32_t pool = 0;
    std::uint32_t quantity = 1;  // units of the pool, all at once; >= 1
    std::uint32_t slots = 1;     // >= 1
    std::uint32_t first_start = 0;
    std::uint32_t last_start = 0;    // >= first_start, < assign_problem::slots
    double cost = 0;                 // when started in first_start; >= 0, finite
    double cost_per_slot_later = 0;  // >= 0
    double use = 0;                  // list-price money that counts on the account: fair share only

    double cost_at(std::uint32_t start) const noexcept {
        return cost + static_cast<double>(start - first_start) * cost_per_slot_later;
    }
};

struct assign_job {
    std::uint32_t options_begin = 0, options_end = 0;  // into assign_problem::options
    double refusal = 0;  // M: what it costs to be given nothing in these slots; >= 0, finite
    /// No option that is left out of the list costs less than this. The bound holds for those too.
    double unlisted_floor = std::numeric_limits<double>::infinity();
    // What follows is read by assign_fairly only.
    std::uint32_t account = 0;     // whose use it is
    std::int32_t priority = 0;     // higher goes first
    std::int64_t waits_since = 0;  // lower goes first among equals
    bool overdue = false;          // has waited longer than anybody should: goes before all priorities
};

/// Whose turn it is: the least used / weight.
struct assign_account {
    double weight = 1;  // > 0
    double used = 0;    // list-price money, decayed (decayed_use)
};

struct assign_problem {
    std::uint32_t slots = 1;
    std::vector<std::uint32_t> capacity;  // [pool * slots + slot]: what is free then; unlimited_capacity: no limit
    std::vector<assign_option> options;
    std::vector<assign_job> jobs;
    std::vector<assign_account> accounts;
    /// What a pool has when nothing runs there; empty: the most of its slots. An overdue workload that would fit into
    /// it, but not within the slots, keeps later starts out (assign_fairly).
    std::vector<std::uint32_t> pool_total;

    std::size_t pools() const noexcept { return capacity.size() / slots; }
};

/// Throws std::invalid_argument naming what is wrong: the assign functions expect a problem that passes.
void check_problem(const assign_problem& problem);

inline constexpr std::uint32_t nothing = std::numeric_limits<std::uint32_t>::max();
struct assigned {
    std::uint32_t option = nothing;  // into assign_problem::options
    std::uint32_t start = 0;
    friend bool operator==(const assigned&, const assigned&) = default;
};

/// A lower bound on every assignment and the prices that prove it: for any lambda >= 0 (decision-model §5)
/// LB = Σ_j min(M_j, unlisted_j, min over options and starts [c + quantity x Σ lambda]) − Σ lambda x capacity.
struct assign_bound {
    double value = 0;
    std::vector<double> lambda;  // [pool * slots + slot], money per unit and slot; 0 without limit
};

struct assignment {
    std::vector<assigned> of;            // parallel to jobs
    double cost = 0;                     // Σ of options and refusals, in the order of jobs
    assign_bound bound;                  // empty lambda: none was asked for
    std::vector<std::uint32_t> drained;  // pools kept free for the overdue (assign_fairly)
    bool optimal = false;                // proved: nothing over the listed options is cheaper
};

/// How hard to try. Counts, never clocks: the same problem gives the same bits on any machine.
struct assign_effort {
    std::uint32_t price_rounds = 150;     // of the subgradient, for each knot of contending workloads
    double enough = 1e-4;                 // no more prices once the cost is this near to the bound, relative
    std::uint32_t repair_passes = 6;      // of the local search
    std::uint32_t exact_jobs_max = 24;    // larger knots are not searched to the end
    std::uint32_t exact_nodes = 100'000;  // of the search, for each knot
};

/// The cheapest for all together: the optimum that the yardstick speaks of. Exact without contention (then
/// bound.value == cost to the bit) and in small knots; elsewhere held against `bound`. Looks at no account and no
/// priority.
assignment assign_by_cost(const assign_problem& problem, const assign_effort& effort = {});

/// By turns: overdue first, then by priority, then the least served account (used / weight, counting what this tick
/// gives), then the longest wait; each takes its cheapest option that is free from its earliest start on. Who cannot
/// start now keeps the place it is given, so that whoever is behind fills gaps but delays nobody (backfill). No bound.
assignment assign_fairly(const assign_problem& problem);

/// The bound at given prices; lambda below 0 counts as 0. For checks: assign_by_cost gives its own.
double bound_at(const assign_problem& problem, std::span<const double> lambda);
/// Raises a bound by so many price steps towards the cost of a known assignment; none is looked for.
assign_bound bound_by_prices(const assign_problem& problem, double upper, std::uint32_t rounds);
/// Σ of options and refusals.
double cost_of(const assign_problem& problem, std::span<const assigned> of);
/// Every start within its window, and nowhere more than there is.
bool feasible(const assign_problem& problem, std::span<const assigned> of);
/// What everybody's cheapest would cost if nothing were limited.
double uncontended_floor(const assign_problem& problem);

/// Use as fair share counts it: half as much after every half-life.
inline constexpr double use_half_life_s = 7.0 * 24 * 3600;
double decayed_use(double used, double elapsed_s) noexcept;

}  // namespace westerly
