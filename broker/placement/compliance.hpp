#pragma once

#include "broker/domain/accelerator.hpp"
#include "broker/domain/policy.hpp"
#include "broker/placement/start_dates.hpp"

namespace westerly {

/// What holds for one decision: a policy's rules, for every workload under it, and the workload's own.
struct compliance_rules {
    std::span<const compliance_rule> of_policy, of_workload;

    /// Some rule begins or ends.
    bool dated() const noexcept;
};

/// When rules forbid these cards, from `from_ms` on: each while it is in force, if its expression holds or a figure
/// that it turns on is not known. In the order of the rules, the policy's first. Null: an offer without cards, which no
/// such rule speaks of. A card that tells no link to others has an unknown one, unless the table knows that it has none
/// but its host link.
void find_forbidden(const compliance_rules& rules, const accelerator_facts* cards, const accelerator_table& known,
                    std::int64_t from_ms, std::vector<start_dates::time_span>& into);

/// Why these cards are forbidden from then on.
struct forbidding_rule {
    const compliance_rule* rule = nullptr;   // the first that forbids them; nullptr: none does
    std::optional<offer_fact> unknown = {};  // it forbids them because this is not known
};
forbidding_rule first_forbidding(const compliance_rules& rules, const accelerator_facts& cards,
                                 const accelerator_table& known, std::int64_t from_ms);

}  // namespace westerly
