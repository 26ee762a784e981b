#pragma once

#include "broker/domain/accelerator.hpp"
#include "broker/domain/decision.hpp"
#include "broker/domain/policy.hpp"
#include "broker/domain/workload.hpp"
#include "broker/placement/offer_book.hpp"

namespace westerly {

/// When time alone may lift what rejects an offer.
struct lifting_dates {
    std::optional<instant> lawful_at;     // a rule of compliance ends then, and no other one follows at once
    std::optional<instant> available_at;  // something can be had from then on

    std::optional<instant> first() const noexcept;
    /// Pieces of a reason to wait; empty: there are no dates.
    std::vector<note> told() const;
};

/// The first such dates after a decision, as far as it rejected anything for them: of everything in the book that may
/// be launched (`plan_only_too`: and of what may not) and is of the workload's class. Some of it may fail other
/// filters, so the dates may come too early, and never too late.
lifting_dates next_dates(const offer_book& book, const policy& rules, const workload_spec& spec,
                         const accelerator_table& known, const decision& made, bool plan_only_too = false);

}  // namespace westerly
