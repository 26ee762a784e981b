#pragma once

#include "broker/placement/scan.hpp"

namespace westerly {

/// One decision under way: what its last steps read.
struct comparison {
    const offer_book& book;
    const demand& want;
    const policy& rules;
    const workload_spec& spec;
    const decision_world& world;
    term_table terms;
    const ranking_rule& rule;
};

/// The whole story of one offer, exact money included; at its best start, or started at once.
appraisal appraise(const comparison& by, std::uint32_t index, bool at_once = false);

/// Where the winner is to wait: since when, until when, why, and what that saves.
std::optional<chosen_start> put_off(const comparison& by, const decision& made, std::uint32_t winner);
/// That start's reason, with what it saves.
std::vector<note> notes_on_wait(const comparison& by, const decision& made, std::uint32_t winner,
                                const chosen_start& put);
/// Of these, what it saves against the cheapest started at once; nullopt: nothing. `by_price`: the hours are why.
std::optional<note> wait_on_baseline(const appraisal& baseline, const appraisal& then, bool by_price);
bool tells_wait_on_baseline(const note& told) noexcept;

/// Ids of the ranked offers that no other ranked one beats in every respect: money, latency (where RTT counts), carbon,
/// green share, finish. Unknown is worse than any number.
std::vector<offer_id> pareto_set(std::span<const appraisal> ranked, bool latency_counts);

/// An offer in all those respects, less is better, unknown is infinity.
struct pareto_point {
    std::array<double, 5> respects{};  // cost, RTT, carbon, minus green share, finish
    std::uint32_t index = 0;           // into the book
    std::uint32_t tasks = 1;
    bool won = false;  // it is what the decision chose
};
/// The same over everything feasible in one size of the gang: cheapest first. Offers that are equal in every respect
/// stand for each other: the first by id is told, and `winner` (an index; nullopt: none) beside it.
std::vector<pareto_point> pareto_front(const offer_book& book, const demand& want, std::uint32_t tasks = 1,
                                       std::optional<std::uint32_t> winner = std::nullopt);
/// Of several sizes together; of equals the first by id, then the smallest, is left, and what won.
void keep_undominated(std::vector<pareto_point>& all);
/// The first `most`; what won takes the last place where it stands past them.
void keep_first(std::vector<pareto_point>& all, std::size_t most);

/// The plain sentences of a decision: what was assumed, what is unknown, where greener and lower-carbon part ways.
std::vector<note> notes_on(const comparison& by, const decision& made);
/// Of these, what would help where offers were rejected: rules by name, figures that are missing, dates, classes.
void advise(const comparison& by, const decision& made, std::vector<note>& into);

}  // namespace westerly
