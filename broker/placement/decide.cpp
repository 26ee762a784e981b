#include "broker/placement/decide.hpp"

#include "broker/placement/sized_plan.hpp"
#include "broker/placement/spread.hpp"
#include "broker/placement/switches.hpp"

#include <algorithm>

namespace westerly {
namespace {

using namespace one_size;

void add_switches(const question& asked, decision& made, const scratch& use) {
    std::vector<std::uint32_t> offers;
    for (const standing& each : from_winner(use))
        offers.push_back(each.index);
    switch_search prices(asked.rules, asked.terms, std::move(offers));
    prices.add(comparison_of(asked, use));
    made.switches = prices.found(asked.book);
}

/// The last step: it works on `use.want`, which then holds another world's figures.
void add_rivals(const question& asked, decision& made, scratch& use) {
    const appraisal* const won = winner_of(made);
    if (!won)
        return;
    const auto winner = static_cast<std::uint32_t>(*asked.book.find(won->offer));
    const std::string* const model = model_at(asked.book, winner);
    if (!model || !some_speed_is_inexact(use.want))
        return;
    choose_in_corner(asked, *model, use);
    std::vector<std::uint32_t> best_first;
    for (const standing& s : use.best.ranked())
        best_first.push_back(s.index);
    tell_rivals(asked.book, best_first, winner, made);
}

std::vector<appraisal> pareto_of(const question& asked, const scratch& use) {
    std::vector<pareto_point> front = front_of(asked, use);
    keep_first(front, pareto_max);
    std::vector<appraisal> told;
    for (const pareto_point& one : front)
        told.push_back(appraise(comparison_of(asked, use), one.index));
    return told;
}

/// With one size of the gang.
plan_result plan_one(const question& asked, std::size_t rejected_most) {
    scratch& use = this_threads();
    plan_result result{.made = decide_with(asked, use), .rejected = {}, .pareto = {}};
    add_switches(asked, result.made, use);
    if (rejected_most > 0) {
        result.rejected = rejected_of(asked, use, rejected_most);
        result.pareto = pareto_of(asked, use);
    }
    add_rivals(asked, result.made, use);
    return result;
}

/// Those that are counted and not listed.
std::uint32_t more_rejected(const plan_result& made) {
    std::size_t counted = 0;
    for (const auto& [why, count] : made.made.rejections)
        counted += count;
    return static_cast<std::uint32_t>(counted - std::min(counted, made.rejected.size()));
}

plan_result plan_within(const question& asked, std::size_t rejected_most) {
    return asked.spec.tasks_max > asked.spec.tasks ? plan_sizes(asked, rejected_most) : plan_one(asked, rejected_most);
}

}  // namespace

decision decide(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                const decision_world& world) {
    return plan_within({book, policy, terms, spec, world}, 0).made;
}

plan_result plan(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                 const decision_world& world) {
    plan_result made = plan_within({book, policy, terms, spec, world}, rejected_max);
    made.rejected_more = more_rejected(made);
    if (spec.spread)
        made.spread = spread_near_users(book, policy, terms, spec, world);
    return made;
}

}  // namespace westerly
