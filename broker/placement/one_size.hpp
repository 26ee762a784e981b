#pragma once

#include "broker/placement/compare.hpp"
#include "broker/placement/decide.hpp"

namespace westerly::one_size {

/// The parts of a decision for one size of the gang, for decide.cpp and sized_plan.cpp. All of them work on a scratch
/// that belongs to the calling thread; what one leaves there is the next one's.

/// The baseline of within_of_least.
struct least_found {
    offer_id offer;
    double quantity = 0;
};

/// Memory that one thread's decisions use again and again.
struct scratch {
    demand want;
    survivors left;
    ranking_rule rule;
    bool rankable = true;  // every term of the policy is known, and said what it has to say
    ranker ranks;
    std::optional<least_found> least;  // of the term that the policy bounds
    podium best{ranked_max};
    podium launchable{1};
    std::vector<standing> ranked;
};

struct question {
    const offer_book& book;
    const policy& rules;
    term_table terms;
    const workload_spec& spec;
    const decision_world& world;
    std::optional<double> cheapest = std::nullopt;    // of all sizes of a gang; nullopt: of what this one finds
    std::optional<least_found> least = std::nullopt;  // likewise
};

scratch& this_threads();

/// The workload in numbers, and the rule.
void resolve_into(const question& asked, scratch& use);
comparison comparison_of(const question& asked, const scratch& use);

/// The limits of the two ε-forms, in base currency and in the term's unit; the policy states the one that is asked for.
double dearest_from(double cheapest, const policy& rules);
double most_from(const least_found& least, const policy& rules);
/// Whether what passes every filter is also within the limit of the policy's ε-form.
bool within_limits(const question& asked, const scratch& use, std::uint32_t index);

/// Filters and ranks by what `use.want` holds.
void choose(const question& asked, scratch& use);
/// All but switch prices and rivals, which look at more than one world.
decision decide_with(const question& asked, scratch& use);
/// Of what decide_with ranked: the winner, launchable where anything is, and what comes after it.
std::span<const standing> from_winner(const scratch& use);

/// The first filter that an offer fails, by `use.want`, the limit of the ε-form included; nullopt: it is ranked.
std::optional<rejection> rejection_of(const question& asked, const scratch& use, std::uint32_t index);
/// Of each offer that fails one; `most` of them.
std::vector<std::pair<offer_id, rejection>> rejected_of(const question& asked, const scratch& use, std::size_t most);
/// Of everything feasible, the limit of the ε-form included: cheapest first.
std::vector<pareto_point> front_of(const question& asked, const scratch& use);

/// The model of an offer's cards; nullptr: none.
const std::string* model_at(const offer_book& book, std::uint32_t index);
bool some_speed_is_inexact(const demand& want);
/// The world in which the winner's cards are as slow as their interval allows and all others as fast.
void choose_in_corner(const question& asked, std::string_view winners_model, scratch& use);
/// Who stands before the winner there, one for each model. Offers of one model share its speed, so that a dearer one
/// never stands for uncertainty.
void tell_rivals(const offer_book& book, const std::vector<std::uint32_t>& best_first, std::uint32_t winner,
                 decision& made);

}  // namespace westerly::one_size
