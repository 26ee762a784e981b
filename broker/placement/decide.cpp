#include "broker/placement/decide.hpp"

#include "broker/placement/compare.hpp"
#include "broker/placement/gang_sizes.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/scan.hpp"
#include "broker/placement/spread.hpp"
#include "broker/placement/switches.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>

namespace westerly {
namespace {

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

scratch& this_threads() {
    static thread_local scratch one;
    return one;
}

struct question {
    const offer_book& book;
    const policy& rules;
    term_table terms;
    const workload_spec& spec;
    const decision_world& world;
    std::optional<double> cheapest = std::nullopt;    // of all sizes of a gang; nullopt: of what this one finds
    std::optional<least_found> least = std::nullopt;  // likewise
};

/// The workload in numbers, and the rule.
void resolve_into(const question& asked, scratch& use) {
    resolve(asked.book, asked.rules, asked.terms, asked.spec, asked.world, use.want);
    use.rankable = resolve_rule(asked.rules, asked.terms, asked.spec, use.want, use.rule);
}

comparison comparison_of(const question& asked, const scratch& use) {
    return {asked.book, use.want, asked.rules, asked.spec, asked.world, asked.terms, use.rule};
}

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

double dearest_from(double cheapest, const policy& rules) {
    return cheapest * (1.0 + *rules.within_of_cheapest) * (1 + rounding);
}
double most_from(const least_found& least, const policy& rules) {
    return least.quantity * (1.0 + rules.within_of_least->within) * (1 + rounding);
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

/// Filters and ranks by what `use.want` holds.
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

/// The model of an offer's cards; nullptr: none.
const std::string* model_at(const offer_book& book, std::uint32_t index) {
    const auto& cards = book.shapes()[book.cols().shape[index]].accelerators;
    return cards ? &cards->model : nullptr;
}

bool some_speed_is_inexact(const demand& want) {
    return std::ranges::any_of(want.runs, [](const run_length& run) { return !run.speed.r.exact(); });
}

/// The world in which the winner's cards are as slow as their interval allows and all others as fast.
void choose_in_corner(const question& asked, std::string_view winners_model, scratch& use) {
    resolve_corner(asked.book, asked.rules, asked.spec, asked.world, winners_model, use.want);
    choose(asked, use);
}

/// Who stands before the winner there, one for each model. Offers of one model share its speed, so that a dearer one
/// never stands for uncertainty.
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

/// Whether what passes every filter is also within the limit of the policy's ε-form.
bool within_limits(const question& asked, const scratch& use, std::uint32_t index) {
    const auto dearest = dearest_of(asked, use.left);
    return !(dearest && cost_of(asked.book, use.want, index) > *dearest) &&
           !(use.least && !(bounded_at(asked, use, index) <= most_of(asked, use)));
}

/// All but switch prices and rivals, which look at more than one world.
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
    const auto launchable = std::ranges::find_if(use.ranked, &standing::launchable);
    const auto winner = launchable == use.ranked.end() ? use.ranked.begin() : launchable;
    if (winner != use.ranked.end())
        made.put_off = put_off(by, made, winner->index);
    made.notes = notes_on(by, made);
    if (use.least)
        made.notes.push_back(
            {note_kind::within_of_least,
             {use.least->offer, std::string(use.rule.bounded->name), std::string(use.rule.bounded->unit)},
             {asked.rules.within_of_least->within, use.least->quantity}});
    return made;
}

void add_switches(const question& asked, decision& made, const scratch& use) {
    const auto launchable = std::ranges::find_if(use.ranked, &standing::launchable);
    const auto winner = launchable == use.ranked.end() ? use.ranked.begin() : launchable;
    std::vector<std::uint32_t> offers;
    for (auto each = winner; each != use.ranked.end(); ++each)
        offers.push_back(each->index);
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

/// The first failing filter of each offer that fails one, by `use.want`.
std::vector<std::pair<offer_id, rejection>> rejected_of(const question& asked, const scratch& use, std::size_t most) {
    std::vector<std::pair<offer_id, rejection>> rejected;
    const auto dearest = dearest_of(asked, use.left);
    const double allowed = most_of(asked, use);
    for (std::size_t i = 0; i < asked.book.size() && rejected.size() < most; ++i) {
        const std::uint8_t code = verdict(asked.book, use.want, i);
        if (code != passes)
            rejected.emplace_back(asked.book.at(i).id, static_cast<rejection>(code));
        else if (!use.rankable)
            rejected.emplace_back(asked.book.at(i).id, rejection::quantity_unknown);
        else if (dearest && cost_of(asked.book, use.want, i) > *dearest)
            rejected.emplace_back(asked.book.at(i).id, rejection::too_dear_for_policy);
        else if (use.least && !(bounded_at(asked, use, i) <= allowed))
            rejected.emplace_back(asked.book.at(i).id, rejection::too_far_from_least);
    }
    return rejected;
}

/// Of everything feasible, the limit of the ε-form included: cheapest first.
std::vector<pareto_point> front_of(const question& asked, const scratch& use) {
    if (!use.rankable)
        return {};
    std::vector<pareto_point> front = pareto_front(asked.book, use.want, asked.spec.tasks);
    std::erase_if(front, [&](const pareto_point& one) { return !within_limits(asked, use, one.index); });
    return front;
}

std::vector<appraisal> pareto_of(const question& asked, const scratch& use) {
    std::vector<appraisal> told;
    for (const pareto_point& one : front_of(asked, use))
        if (told.size() < pareto_max)
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

/// Of the cheapest that may be launched, or at all.
std::optional<double> cheapest_of(const std::vector<decision>& all) {
    const appraisal* least = nullptr;
    for (const auto& each : all)
        if (each.baseline && (!least || std::pair(!each.baseline->launchable, each.baseline->cost_base) <
                                            std::pair(!least->launchable, least->cost_base)))
            least = &*each.baseline;
    return least ? std::optional(least->cost_base) : std::nullopt;
}

/// Of two sizes' least: one that may be launched before others.
void keep_lesser(const least_found& one, const offer_book& book, std::optional<least_found>& into) {
    const auto place = [&](const least_found& of) {
        const auto index = book.find(of.offer);
        return std::pair(!index || !book.at(*index).launchable, of.quantity);
    };
    if (!into || place(one) < place(*into))
        into = one;
}

/// Of all sizes, as cheapest_of.
std::optional<least_found> least_of(const std::vector<decision>& all, const offer_book& book) {
    std::optional<least_found> least;
    for (const auto& each : all)
        for (const note& told : each.notes)
            if (told.kind == note_kind::within_of_least)
                keep_lesser({told.words[0], told.figures[1]}, book, least);
    return least;
}

/// One question for each size of a gang.
class sized_plan {
public:
    sized_plan(const question& asked, std::size_t rejected_most)
        : asked_(asked),
          rejected_most_(rejected_most),
          sizes_(gang_sizes(asked.spec.tasks, asked.spec.tasks_max)),
          sized_(asked.spec),
          use_(this_threads()) {
        sized_.tasks_max = 0;
    }

    plan_result make() {
        std::vector<decision> made = decide_all();
        if (limited()) {  // by what only the first round knows
            asked_.cheapest = cheapest_of(made);
            asked_.least = least_of(made, asked_.book);
            made = decide_all();
        }
        result_.made = best_of_sizes(std::move(made), asked_.spec, preference());
        if (const appraisal* const won = winner_of(result_.made)) {
            winner_ = static_cast<std::uint32_t>(*asked_.book.find(won->offer));
            winners_size_ = won->tasks;
        }
        compare_all();
        add_rivals();
        return std::move(result_);
    }

private:
    question at(std::uint32_t size) {
        sized_.tasks = size;
        return {asked_.book, asked_.rules, asked_.terms, sized_, asked_.world, asked_.cheapest, asked_.least};
    }

    /// To what is near the cheapest, or the least of a term, of all sizes.
    bool limited() const noexcept { return asked_.rules.within_of_cheapest || asked_.rules.within_of_least; }

    preferences preference() const {
        return [this](const offer_id& id) {
            return fit_gang(asked_.book.at(*asked_.book.find(id)), asked_.spec, known_in(asked_.world)).preference;
        };
    }

    std::vector<decision> decide_all() {
        std::vector<decision> made;
        front_.clear();
        for (const auto size : sizes_) {
            const question one = at(size);
            made.push_back(decide_with(one, use_));
            if (rejected_most_ > 0)
                std::ranges::copy(front_of(one, use_), std::back_inserter(front_));
        }
        return made;
    }

    /// What is told of all sizes together, and the rejections of the winner's.
    void compare_all() {
        keep_undominated(front_);
        front_.resize(std::min(front_.size(), pareto_max));
        result_.pareto.resize(front_.size());
        switch_search prices(asked_.rules, asked_.terms, contenders());
        for (const auto size : sizes_) {
            const question one = at(size);
            resolve_into(one, use_);
            inexact_ |= some_speed_is_inexact(use_.want);
            const switch_limits limits = limits_of(one);
            if (limits.dearest)
                use_.want.hourly.limit(*limits.dearest);
            if (use_.rankable) {
                prices.add(comparison_of(one, use_), limits);
                appraise_front(one);
            }
            if (size == winners_size_ && rejected_most_ > 0) {
                choose(one, use_);
                result_.rejected = rejected_of(one, use_, rejected_most_);
            }
        }
        result_.made.switches = prices.found(asked_.book);
    }

    void appraise_front(const question& one) {
        for (std::size_t k = 0; k < front_.size(); ++k)
            if (front_[k].tasks == one.spec.tasks)
                result_.pareto[k] = appraise(comparison_of(one, use_), front_[k].index);
    }

    /// Those of all sizes; where they are not known, nothing is feasible.
    switch_limits limits_of(const question& one) const {
        switch_limits limits;
        if (one.rules.within_of_cheapest && one.cheapest)
            limits.dearest = dearest_from(*one.cheapest, one.rules);
        if (one.rules.within_of_least && one.least)
            limits.most = most_from(*one.least, one.rules);
        return limits;
    }

    /// The winner and what is ranked after it.
    std::vector<std::uint32_t> contenders() const {
        std::vector<std::uint32_t> offers;
        const auto& ranked = result_.made.ranked;
        const appraisal* const won = winner_of(result_.made);
        for (const appraisal* each = won; won && each != ranked.data() + ranked.size(); ++each)
            offers.push_back(static_cast<std::uint32_t>(*asked_.book.find(each->offer)));
        return offers;
    }

    /// In the corner every offer takes the size that serves it best there.
    void add_rivals() {
        const std::string* const model = winner_ ? model_at(asked_.book, *winner_) : nullptr;
        if (!model || !inexact_)
            return;
        asked_.cheapest.reset();
        asked_.least.reset();
        std::vector<appraisal> all = in_corner(*model);
        if (limited())
            all = in_corner(*model);
        const bool waited_for = asked_.spec.kind == workload_kind::service || asked_.spec.interactive;
        std::vector<std::uint32_t> best_first;
        for (const appraisal& each : best_at_any_size(std::move(all), waited_for, preference()))
            best_first.push_back(static_cast<std::uint32_t>(*asked_.book.find(each.offer)));
        tell_rivals(asked_.book, best_first, *winner_, result_.made);
    }

    /// The best of each size there, and the winner; what is cheapest there, or least, is known afterwards.
    std::vector<appraisal> in_corner(std::string_view winners_model) {
        std::vector<appraisal> all;
        std::optional<std::pair<bool, double>> cheapest;
        std::optional<least_found> least;
        for (const auto size : sizes_) {
            const question one = at(size);
            resolve_into(one, use_);
            if (!use_.rankable)
                continue;
            choose_in_corner(one, winners_model, use_);
            const comparison by = comparison_of(one, use_);
            for (const standing& s : use_.best.ranked())
                all.push_back(appraise(by, s.index));
            if (verdict(one.book, use_.want, *winner_) == passes && within_limits(one, use_, *winner_))
                all.push_back(appraise(by, *winner_));
            if (const auto& base = use_.left.baseline) {
                const std::pair here(!base->launchable, use_.left.baseline_cost);
                cheapest = cheapest ? std::min(*cheapest, here) : here;
            }
            if (use_.least)
                keep_lesser(*use_.least, one.book, least);
        }
        asked_.cheapest = cheapest ? std::optional(cheapest->second) : std::nullopt;
        asked_.least = std::move(least);
        return all;
    }

    question asked_;
    const std::size_t rejected_most_;
    const std::vector<std::uint32_t> sizes_;
    workload_spec sized_;
    scratch& use_;
    plan_result result_{};
    std::vector<pareto_point> front_;
    std::optional<std::uint32_t> winner_;
    std::uint32_t winners_size_ = sizes_.front();
    bool inexact_ = false;
};

plan_result plan_within(const question& asked, std::size_t rejected_most) {
    return asked.spec.tasks_max > asked.spec.tasks ? sized_plan(asked, rejected_most).make()
                                                   : plan_one(asked, rejected_most);
}

}  // namespace

decision decide(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                const decision_world& world) {
    return plan_within({book, policy, terms, spec, world}, 0).made;
}

plan_result plan(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                 const decision_world& world) {
    plan_result made = plan_within({book, policy, terms, spec, world}, rejected_max);
    if (spec.spread)
        made.spread = spread_near_users(book, policy, terms, spec, world);
    return made;
}

}  // namespace westerly
