#pragma once

#include "broker/placement/demand.hpp"
#include "broker/placement/filters.hpp"

#include <optional>

namespace westerly {

/// Everything of a decision that shapes are resolved against.
struct shape_question {
    const decision_world& world;
    const name_table& names;
    limits_view limits;
    std::optional<money_cap> hourly, run;
    run_question length;

    shape_question(const offer_book& book, const policy& policy, const workload_spec& spec,
                   const decision_world& around, const request_view& request);
};

/// What one shape means for a workload, its cards as fast as `at` has it. Fills all three whole.
void resolve_shape(const offer_book::shape_row& row, const shape_question& asked, const request_view& request,
                   speed_end at, shape_view& into, run_length& run, shape_aside& aside);

/// Every shape of the book, `at` as fast as its row has it. What differs in the jurisdiction only is worked out once,
/// unless a rule asks for that.
template <class Speed>
void resolve_shapes(const offer_book& book, const shape_question& asked, const Speed& at, demand& into) {
    const bool by_place = into.request.compliance.speak_of(offer_fact::jurisdiction);
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        const auto& row = book.shapes()[i];
        if (row.first_alike == i || by_place) {
            resolve_shape(row, asked, into.request, at(row), into.shapes[i], into.runs[i], into.aside[i]);
            continue;
        }
        into.shapes[i] = into.shapes[row.first_alike];
        into.runs[i] = into.runs[row.first_alike];
        into.aside[i] = into.aside[row.first_alike];
    }
}

/// Of shapes that stand alone. Nothing of their prices stands in the columns that the sieve reads: those that change
/// with the hour are others at every start, and before limits of money come the quotes of the others.
void resolve_alone(const offer_book& book, const shape_question& asked, demand& into);

}  // namespace westerly
