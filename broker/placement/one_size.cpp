#include "broker/placement/one_size.hpp"

#include "broker/placement/rounding.hpp"

#include <algorithm>

namespace westerly::one_size {

scratch& this_threads() {
    static thread_local scratch one;
    return one;
}

void resolve_into(const question& asked, scratch& use) {
    resolve(asked.book, asked.rules, asked.terms, asked.spec, asked.world, use.want);
    use.rankable = resolve_rule(asked.rules, asked.terms, asked.spec, use.want, use.rule);
}

comparison comparison_of(const question& asked, const scratch& use) {
    return {asked.book, use.want, asked.rules, asked.spec, asked.world, asked.terms, use.rule};
}

double dearest_from(double cheapest, const policy& rules) {
    return cheapest * (1.0 + *rules.within_of_cheapest) * (1 + rounding);
}

double most_from(const least_found& least, const policy& rules) {
    return least.quantity * (1.0 + rules.within_of_least->within) * (1 + rounding);
}

namespace {

/// A rule that cannot be followed ranks nothing.
void reject_all(survivors& left) {
    left.counts[static_cast<std::size_t>(rejection::quantity_unknown)] += static_cast<std::uint32_t>(left.passed);
    left.baseline.reset();
}

/// Best first. A plan always shows the best offer that could be launched, however many catalogue offers beat it.
std::vector<standing> ranked_of(const scratch& use) {
    std::vector<standing> ranked(use.best.ranked().begin(), use.best.ranked().end());
    if (std::ranges::none_of(ranked, &standing::launchable) && !use.launchable.ranked().empty()) {
        if (ranked.size() == ranked_max)
            ranked.pop_back();
        ranked.push_back(use.launchable.ranked().front());
    }
    return ranked;
}

void count_rejections(const survivors& left, decision& into) {
    for (std::size_t code = 0; code < static_cast<std::size_t>(rejection::count_); ++code)
        if (left.counts[code] > 0)
            into.rejections.emplace_back(static_cast<rejection>(code), left.counts[code]);
}

/// The limit of the ε-form, where the policy sets one and anything is feasible.
std::optional<double> dearest_of(const question& asked, const survivors& left) {
    if (!asked.rules.within_of_cheapest || !left.baseline)
        return std::nullopt;
    return dearest_from(asked.cheapest.value_or(left.baseline_cost), asked.rules);
}

double most_of(const question& asked, const scratch& use) {
    return use.least ? most_from(*use.least, asked.rules) : std::numeric_limits<double>::infinity();
}

/// Ranks what is near the least of the term that the policy bounds.
void choose_near_least(const question& asked, scratch& use) {
    const term& what = *use.rule.bounded;
    const auto found = find_least(asked.book, use.want, asked.spec, what, use.left);
    if (!found)
        return;
    use.least = asked.least;
    if (!use.least)
        use.least = least_found{asked.book.at(*found).id,
                                quantity_of(asked.book, use.want, asked.spec, asked.world.now, what, *found)};
    rank_near_least(most_of(asked, use), asked.book, use.want, use.ranks, use.left);
}

/// Started at once, unless a limit forbids just that.
appraisal appraise_baseline(const comparison& by, std::uint32_t index) {
    if (!may_start_at_once(by.book, by.want, index))
        return appraise(by, index);
    const auto& cap = by.want.request.max_carbon_kg;
    appraisal at_once = appraise(by, index, true);
    return cap && at_once.carbon_kg > cap ? appraise(by, index) : at_once;
}

double bounded_at(const question& asked, const scratch& use, std::size_t i) {
    return quantity_of(asked.book, use.want, asked.spec, asked.world.now, *use.rule.bounded,
                       static_cast<std::uint32_t>(i));
}

}  // namespace

void choose(const question& asked, scratch& use) {
    use.want.hourly.forget();
    use.ranks.begin(asked.book, use.want, asked.spec, use.rule, asked.world.now, use.best, use.launchable);
    const bool at_once = use.rankable && !asked.rules.within_of_cheapest && !use.rule.bounded;
    use.least.reset();
    filter_book(asked.book, use.want, at_once ? &use.ranks : nullptr, use.left);
    if (!use.rankable) {
        reject_all(use.left);
    } else if (use.rule.bounded) {
        choose_near_least(asked, use);
    } else if (const auto dearest = dearest_of(asked, use.left)) {
        use.want.hourly.limit(*dearest);
        rank_within(*dearest, asked.book, use.want, use.ranks, use.left);
    }
    use.ranks.finish();
}

bool within_limits(const question& asked, const scratch& use, std::uint32_t index) {
    const auto dearest = dearest_of(asked, use.left);
    return !(dearest && cost_of(asked.book, use.want, index) > *dearest) &&
           !(use.least && !(bounded_at(asked, use, index) <= most_of(asked, use)));
}

decision decide_with(const question& asked, scratch& use) {
    resolve_into(asked, use);
    choose(asked, use);

    const comparison by = comparison_of(asked, use);
    use.ranked = ranked_of(use);
    decision made;
    made.at = asked.world.now;
    made.policy = asked.rules.name;
    made.policy_version = asked.rules.version;
    made.book_version = asked.book.version();
    made.rates = asked.world.rates;
    made.runtime_s = use.want.request.runtime_s;
    made.runtime_assumed = use.want.request.runtime_assumed;
    made.considered = static_cast<std::uint32_t>(asked.book.size());
    count_rejections(use.left, made);
    for (const standing& s : use.ranked)
        made.ranked.push_back(appraise(by, s.index));
    if (use.left.baseline)
        made.baseline = appraise_baseline(by, use.left.baseline->index);
    made.pareto = pareto_set(made.ranked, use.want.request.waits_at_it);
    if (!use.ranked.empty())
        made.put_off = put_off(by, made, from_winner(use).front().index);
    made.notes = notes_on(by, made);
    if (use.least)
        made.notes.push_back(
            {note_kind::within_of_least,
             {use.least->offer, std::string(use.rule.bounded->name), std::string(use.rule.bounded->unit)},
             {asked.rules.within_of_least->within, use.least->quantity}});
    return made;
}

std::span<const standing> from_winner(const scratch& use) {
    const auto launchable = std::ranges::find_if(use.ranked, &standing::launchable);
    return {launchable == use.ranked.end() ? use.ranked.begin() : launchable, use.ranked.end()};
}

std::optional<rejection> rejection_of(const question& asked, const scratch& use, std::uint32_t index) {
    if (const std::uint8_t code = verdict(asked.book, use.want, index); code != passes)
        return static_cast<rejection>(code);
    if (!use.rankable)
        return rejection::quantity_unknown;
    if (const auto dearest = dearest_of(asked, use.left); dearest && cost_of(asked.book, use.want, index) > *dearest)
        return rejection::too_dear_for_policy;
    if (use.least && !(bounded_at(asked, use, index) <= most_of(asked, use)))
        return rejection::too_far_from_least;
    return std::nullopt;
}

std::vector<std::pair<offer_id, rejection>> rejected_of(const question& asked, const scratch& use, std::size_t most) {
    std::vector<std::pair<offer_id, rejection>> rejected;
    for (std::uint32_t i = 0; i < asked.book.size() && rejected.size() < most; ++i)
        if (const auto why = rejection_of(asked, use, i))
            rejected.emplace_back(asked.book.at(i).id, *why);
    return rejected;
}

std::vector<pareto_point> front_of(const question& asked, const scratch& use) {
    if (!use.rankable)
        return {};
    const auto won = from_winner(use);
    const auto winner = won.empty() ? std::nullopt : std::optional(won.front().index);
    std::vector<pareto_point> front = pareto_front(asked.book, use.want, asked.spec.tasks, winner);
    std::erase_if(front, [&](const pareto_point& one) { return !within_limits(asked, use, one.index); });
    return front;
}

const std::string* model_at(const offer_book& book, std::uint32_t index) {
    const auto& cards = book.shapes()[book.cols().shape[index]].accelerators;
    return cards ? &cards->model : nullptr;
}

bool some_speed_is_inexact(const demand& want) {
    return std::ranges::any_of(want.runs, [](const run_length& run) { return !run.speed.r.exact(); });
}

void choose_in_corner(const question& asked, std::string_view winners_model, scratch& use) {
    resolve_corner(asked.book, asked.rules, asked.spec, asked.world, winners_model, use.want);
    choose(asked, use);
}

void tell_rivals(const offer_book& book, const std::vector<std::uint32_t>& best_first, std::uint32_t winner,
                 decision& made) {
    std::vector<std::string_view> models{*model_at(book, winner)};
    for (const std::uint32_t index : best_first) {
        if (index == winner)
            break;
        const std::string* const model = model_at(book, index);
        if (!model || std::ranges::find(models, *model) != models.end())
            continue;
        models.push_back(*model);
        made.rivals.push_back(book.at(index).id);
    }
    if (!made.rivals.empty())
        made.notes.push_back({note_kind::not_robust, made.rivals, {}});
}

}  // namespace westerly::one_size
