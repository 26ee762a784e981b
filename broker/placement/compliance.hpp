#pragma once

#include "broker/domain/accelerator.hpp"
#include "broker/domain/policy.hpp"
#include "broker/placement/offer_book.hpp"
#include "broker/placement/start_dates.hpp"

namespace westerly {

/// What holds for one decision: a policy's rules, for every workload under it, and the workload's own.
struct compliance_rules {
    std::span<const compliance_rule> of_policy, of_workload;

    /// Some rule begins or ends.
    bool dated() const noexcept;
    /// Some rule has that fact in it.
    bool speak_of(offer_fact fact) const noexcept;
};
/// Whether that fact stands in it.
bool speaks_of(const fact_expression& by, offer_fact fact) noexcept;

/// What rules may speak of, of all offers of one shape.
struct ruled_facts {
    const accelerator_facts* cards = nullptr;     // nullptr: it has none
    std::string_view jurisdiction, architecture;  // empty: not known
};
ruled_facts facts_of(const offer_book::shape_row& row, const name_table& names) noexcept;
/// The word that a fact is; empty: not known, or no word.
std::string_view word_of(offer_fact fact, const ruled_facts& of) noexcept;

/// When rules forbid such offers, from `from_ms` on: each while it is in force, if its expression holds or a fact that
/// it turns on is not known. In the order of the rules, the policy's first. Of offers without cards only those rules
/// speak that name words; in them a comparison of a card's figure does not hold there. A card that tells no link to
/// others has an unknown one, unless the table knows that it has none but its host link.
void find_forbidden(const compliance_rules& rules, const ruled_facts& of, const accelerator_table& known,
                    std::int64_t from_ms, std::vector<start_dates::time_span>& into);

/// Why such offers are forbidden from then on.
struct forbidding_rule {
    const compliance_rule* rule = nullptr;   // the first that forbids them; nullptr: none does
    std::optional<offer_fact> unknown = {};  // it forbids them because this is not known
};
forbidding_rule first_forbidding(const compliance_rules& rules, const ruled_facts& of, const accelerator_table& known,
                                 std::int64_t from_ms);

}  // namespace westerly
