#pragma once

#include "broker/placement/decide.hpp"

namespace westerly {

inline constexpr std::size_t spread_offers_max = 64;      // weighed at most
inline constexpr std::uint64_t spread_sets_max = 20'000;  // more are not all tried: some milliseconds

/// Spreads the replicas of a service over at most spec.spread->max_sites offers. Each origin is served by the chosen
/// site with the lowest RTT to it (ties: the lower offer id), and replicas follow demand: apportion(). Where a site has
/// not the free units for its replicas, it serves as much demand as it has replicas for, those with the lowest RTT
/// first, and the rest goes on to the next one. Of all such spreads the policy's best is taken: the least J = Σ C +
/// priced terms, where latency is that of the whole demand and the other terms are those of each part as a service of
/// its own; or the least keys. Limits hold for the whole: max_rtt_ms against what 95 % of the demand stays within,
/// money and carbon against the sums; each part has to pass every other filter for its replicas, capacity included. Two
/// offers of one host are not taken together.
///
/// Every set is tried where there are at most spread_sets_max of at most spread_offers_max offers, else a local search
/// (add, drop, exchange) from two starts is made; j_bound then tells how much better a set could be. Pure.
spread_plan spread_near_users(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                              const decision_world& world);

/// `replicas` in proportion to `shares` (which sum to 1), at least one each: the whole parts of the quotas, the rest to
/// those that are furthest below their quota; what is too much is taken from those furthest above. Ties go to the
/// first. replicas >= shares.size() >= 1.
std::vector<std::uint32_t> apportion(std::uint32_t replicas, std::span<const double> shares);

}  // namespace westerly
