#pragma once

#include "broker/placement/rank.hpp"

namespace westerly {

/// Passes over the columns. Everything here is linear in the offers, allocates nothing once warm, and touches no
/// string.

/// What the filters leave, for policies that must know the cheapest before they rank.
struct survivors {
    std::vector<std::uint32_t> index;         // ascending; kept at the book's size
    std::vector<double> cost_base;            // C, parallel
    std::vector<double> quantity;             // parallel, of the term that find_least was asked for
    std::size_t size = 0;                     // of both, when kept at all
    sieve_columns along;                      // parallel to book.sequences(), filled where a run asked for it
    std::vector<std::uint8_t> asked;          // parallel: sequences that begin there are filled
    std::array<std::uint32_t, 256> counts{};  // by code, of all that is rejected
    std::size_t passed = 0;
    std::optional<standing> baseline;  // the cheapest: among launchable ones where there are any
    double baseline_cost = 0;
};

/// Filters every offer and counts what it rejects. What passes goes to `ranks` at once, or is kept in `into` when that
/// is null.
void filter_book(const offer_book& book, const demand& want, ranker* ranks, survivors& into);

/// Ranks what filter_book kept and costs at most `limit`, which want.hourly knows, too; the rest is counted as
/// too_dear_for_policy.
void rank_within(double limit, const offer_book& book, const demand& want, ranker& ranks, survivors& among);

/// Of what filter_book kept, the one with the least of a term: among launchable ones where there are any, the first of
/// equals. Fills among.quantity. nullopt: nothing was kept.
std::optional<std::uint32_t> find_least(const offer_book& book, const demand& want, const workload_spec& spec,
                                        const term& what, survivors& among);
/// Ranks what filter_book kept and has no more than `most` of it; the rest is counted as too_far_from_least.
void rank_near_least(double most, const offer_book& book, const demand& want, ranker& ranks, survivors& among);

/// The first failing filter of one offer, or `passes`: what filter_book counts.
std::uint8_t verdict(const offer_book& book, const demand& want, std::size_t i);

}  // namespace westerly
