#pragma once

#include "broker/placement/decide.hpp"

namespace westerly {

/// The questions to terms of libraries. Pure, as everything here; who asks them stands in `runtime`.

/// The names of those that a policy weighs for such a workload, in the policy's order.
std::vector<std::string> foreign_terms_of(const policy& policy, term_table terms, const workload_spec& spec);

/// Linear in the offers. Prices in the base currency of `rates`.
std::shared_ptr<const score_table> make_score_table(const offer_book& book, const exchange_rates& rates);

/// For the size of the gang that `spec.tasks` says. Shapes that cannot run it are NaN.
std::shared_ptr<const score_request> make_score_request(const offer_book& book, const policy& policy, term_table terms,
                                                        const workload_spec& spec, const decision_world& world);

}  // namespace westerly
