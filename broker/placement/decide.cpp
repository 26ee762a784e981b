#include "broker/placement/decide.hpp"

#include "broker/placement/compare.hpp"
#include "broker/placement/gang_sizes.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/scan.hpp"
#include "broker/placement/spread.hpp"
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
    return asked.cheapest.value_or(left.baseline_cost) * (1.0 + *asked.rules.within_of_cheapest) * (1 + rounding);
}

double most_of(const question& asked, const scratch& use) {
    return use.least ? use.least->quantity * (1.0 + asked.rules.within_of_least->within) * (1 + rounding)
                     : std::numeric_limits<double>::infinity();
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

/// Who would win if the winner's cards were as slow as their interval allows and all others as fast: one for each
/// model. Offers of one model share its speed, so that a dearer one never stands for uncertainty.
std::vector<offer_id> rivals_of(const question& asked, std::uint32_t winner, scratch& use) {
    const std::string* const own = model_at(asked.book, winner);
    const auto inexact = [](const run_length& run) {
        return !run.speed.r.exact();
    };
    if (!own || std::ranges::none_of(use.want.runs, inexact))
        return {};
    resolve_corner(asked.book, asked.rules, asked.spec, asked.world, *own, use.want);
    choose(asked, use);
    std::vector<offer_id> rivals;
    std::vector<std::string_view> models{*own};
    for (const standing& s : use.best.ranked()) {
        if (s.index == winner)
            break;
        const std::string* const model = model_at(asked.book, s.index);
        if (!model || std::ranges::find(models, *model) != models.end())
            continue;
        models.push_back(*model);
        rivals.push_back(asked.book.at(s.index).id);
    }
    return rivals;
}

/// Started at once, unless a limit forbids just that.
appraisal appraise_baseline(const comparison& by, std::uint32_t index) {
    if (!may_start_at_once(by.book, by.want, index))
        return appraise(by, index);
    const auto& cap = by.want.request.max_carbon_kg;
    appraisal at_once = appraise(by, index, true);
    return cap && at_once.carbon_kg > cap ? appraise(by, index) : at_once;
}

decision decide_with(const question& asked, scratch& use) {
    resolve(asked.book, asked.rules, asked.terms, asked.spec, asked.world, use.want);
    use.rankable = resolve_rule(asked.rules, asked.terms, asked.spec, use.want, use.rule);
    choose(asked, use);

    const comparison by{asked.book, use.want, asked.rules, asked.spec, asked.world, asked.terms, use.rule};
    const std::vector<standing> ranked = ranked_of(use);
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
    for (const standing& s : ranked)
        made.ranked.push_back(appraise(by, s.index));
    if (use.left.baseline)
        made.baseline = appraise_baseline(by, use.left.baseline->index);
    made.pareto = pareto_set(made.ranked, use.want.request.waits_at_it);
    const auto winner = std::ranges::find_if(ranked, &standing::launchable);
    const auto first = winner == ranked.end() ? 0 : static_cast<std::size_t>(winner - ranked.begin());
    made.switches = switch_prices(by, ranked, first);
    if (!ranked.empty())
        made.put_off = put_off(by, made, ranked[first].index);
    made.notes = notes_on(by, made);
    if (use.least)
        made.notes.push_back(
            {note_kind::within_of_least,
             {use.least->offer, std::string(use.rule.bounded->name), std::string(use.rule.bounded->unit)},
             {asked.rules.within_of_least->within, use.least->quantity}});
    return made;
}

/// The last step: it works on `use.want`, which then holds another world's figures.
void add_rivals(const question& asked, decision& made, scratch& use) {
    const appraisal* const won = winner_of(made);
    if (!won)
        return;
    made.rivals = rivals_of(asked, static_cast<std::uint32_t>(*asked.book.find(won->offer)), use);
    if (!made.rivals.empty())
        made.notes.push_back({note_kind::not_robust, made.rivals, {}});
}

double bounded_at(const question& asked, const scratch& use, std::size_t i) {
    return quantity_of(asked.book, use.want, asked.spec, asked.world.now, *use.rule.bounded,
                       static_cast<std::uint32_t>(i));
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

/// Of everything feasible, the limit of the ε-form included.
std::vector<appraisal> pareto_of(const question& asked, scratch& use) {
    if (!use.rankable)
        return {};
    const comparison by{asked.book, use.want, asked.rules, asked.spec, asked.world, asked.terms, use.rule};
    const auto dearest = dearest_of(asked, use.left);
    std::vector<appraisal> front;
    for (const std::uint32_t index : pareto_front(asked.book, use.want)) {
        if (front.size() == pareto_max || (dearest && cost_of(asked.book, use.want, index) > *dearest))
            break;
        if (use.least && !(bounded_at(asked, use, index) <= most_of(asked, use)))
            continue;
        front.push_back(appraise(by, index));
    }
    return front;
}

/// With one size of the gang.
plan_result plan_one(const question& asked, std::size_t rejected_most) {
    scratch& use = this_threads();
    plan_result result{.made = decide_with(asked, use), .rejected = {}, .pareto = {}};
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

/// Of all sizes, as cheapest_of.
std::optional<least_found> least_of(const std::vector<decision>& all, const offer_book& book) {
    std::optional<least_found> least;
    const auto place = [&](const least_found& of) {
        const auto index = book.find(of.offer);
        return std::pair(!index || !book.at(*index).launchable, of.quantity);
    };
    for (const auto& each : all)
        for (const note& told : each.notes)
            if (told.kind == note_kind::within_of_least)
                if (least_found found{told.words[0], told.figures[1]}; !least || place(found) < place(*least))
                    least = std::move(found);
    return least;
}

/// With each size in turn. Twice where a limit refers to the cheapest, which only the first round knows.
plan_result plan_sizes(question asked, std::size_t rejected_most) {
    workload_spec sized = asked.spec;
    sized.tasks_max = 0;
    const auto sizes = gang_sizes(asked.spec.tasks, asked.spec.tasks_max);
    const auto at_size = [&](std::uint32_t size) {
        sized.tasks = size;
        return question{asked.book, asked.rules, asked.terms, sized, asked.world, asked.cheapest, asked.least};
    };
    std::vector<decision> made;
    const auto all_sizes = [&] {
        made.clear();
        for (const auto size : sizes)
            made.push_back(decide_with(at_size(size), this_threads()));
    };
    all_sizes();
    if (asked.rules.within_of_cheapest) {
        asked.cheapest = cheapest_of(made);
        all_sizes();
    } else if (asked.rules.within_of_least) {
        asked.least = least_of(made, asked.book);
        all_sizes();
    }
    const auto preference = [&](const offer_id& id) {
        return fit_gang(asked.book.at(*asked.book.find(id)), asked.spec, known_in(asked.world)).preference;
    };
    decision best = best_of_sizes(std::move(made), asked.spec, preference);
    const appraisal* const won = winner_of(best);
    plan_result of_winner = plan_one(at_size(won ? won->tasks : asked.spec.tasks), rejected_most);
    best.rivals = std::move(of_winner.made.rivals);
    if (!best.rivals.empty())
        best.notes.push_back(of_winner.made.notes.back());
    return {std::move(best), std::move(of_winner.rejected), std::move(of_winner.pareto)};
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
    if (spec.spread)
        made.spread = spread_near_users(book, policy, terms, spec, world);
    return made;
}

}  // namespace westerly
