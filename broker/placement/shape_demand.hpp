#pragma once

#include "broker/placement/demand.hpp"
#include "broker/placement/filters.hpp"

#include <optional>

namespace westerly {

/// Everything of a decision that shapes are resolved against.
struct shape_question {
    const decision_world& world;
    limits_view limits;
    std::optional<money_cap> hourly, run;
    run_question length;

    shape_question(const offer_book& book, const policy& policy, const workload_spec& spec,
                   const decision_world& around, const request_view& request);
};

/// What one shape means for a workload, its cards as fast as `at` has it. Fills all three whole.
void resolve_shape(const offer_book::shape_row& row, const shape_question& asked, const request_view& request,
                   speed_end at, shape_view& into, run_length& run, shape_aside& aside);

/// Of shapes that stand alone. Nothing of their prices stands in the columns that the sieve reads: those that change
/// with the hour are others at every start, and before limits of money come the quotes of the others.
void resolve_alone(const offer_book& book, const shape_question& asked, demand& into);

}  // namespace westerly
