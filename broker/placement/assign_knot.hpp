#pragma once

#include "broker/placement/assign_room.hpp"

namespace westerly {

/// The part of a problem in which workloads really contend: those that share pools which cannot hold everybody who
/// could come. Pools and options are numbered anew and stand close together.
struct assign_knot {
    struct option {
        double cost = 0, cost_per_slot_later = 0;
        std::uint32_t pool = 0, quantity = 0, slots = 0, first_start = 0, last_start = 0;
        std::uint32_t original = 0;
        double cost_at(std::uint32_t start) const noexcept {
            return cost + static_cast<double>(start - first_start) * cost_per_slot_later;
        }
    };
    struct job {
        std::uint32_t begin = 0, end = 0;  // into options, cheapest first
        double refusal = 0, floor = 0;     // floor: the least of refusal and what is unlisted
        std::uint32_t original = 0;
        std::uint32_t size() const noexcept { return end - begin; }
    };
    std::uint32_t slots = 1;
    std::vector<std::uint32_t> capacity;
    std::vector<std::uint32_t> pools;  // original numbers
    std::vector<option> options;
    std::vector<job> jobs;
};

/// What is chosen in a knot; option counts in knot.options.
struct knot_choice {
    std::vector<assigned> of;
    double cost = 0;
};

struct knot_prices {
    std::vector<double> lambda;  // [pool * slots + slot]
    double bound = 0;
};

/// Splits off what is not contended: those workloads get their cheapest in `of`, the others stand in one knot each set
/// of workloads that are joined by scarce pools.
std::vector<assign_knot> find_knots(const assign_problem& problem, std::vector<assigned>& of);

double knot_cost(const assign_knot& knot, std::span<const assigned> of);

/// The bound at prices, and what each workload would choose at them.
class knot_dual {
public:
    explicit knot_dual(const assign_knot& knot);
    double evaluate(std::span<const double> lambda, std::vector<assigned>& picks);
    /// Σ lambda over what the option would hold; of the last evaluate().
    double toll(const assign_knot::option& o, std::uint32_t start) const noexcept {
        const double* const at = &up_to_[o.pool * (knot_.slots + std::size_t{1})];
        const std::uint32_t end = o.slots < knot_.slots - start ? start + o.slots : knot_.slots;
        return o.quantity * (at[end] - at[start]);
    }

private:
    const assign_knot& knot_;
    std::vector<double> up_to_;
};

/// Raises the bound by subgradient steps, and tries an assignment at the prices now and then: `best` is improved.
knot_prices raise_bound(const assign_knot& knot, const assign_effort& effort, knot_choice& best);

/// Raises one price at a time to where the bound is highest: the last hair that subgradient steps leave. For small
/// knots.
void polish_bound(const assign_knot& knot, knot_prices& prices);

/// Each in turn, whoever would lose most by his second best first, takes what is cheapest at the prices and free.
knot_choice fill_by_regret(const assign_knot& knot, knot_dual& dual, std::span<const double> lambda);

/// Moves to what is cheaper and free, and trades places where both together get cheaper.
void repair(const assign_knot& knot, std::uint32_t passes, knot_choice& chosen);

/// Depth first, bounded by the prices; improves `best`. True: searched to the end, `best` is an optimum.
bool search_to_the_end(const assign_knot& knot, const knot_prices& prices, std::uint32_t nodes_max, knot_choice& best);

}  // namespace westerly
