#include "broker/placement/sized_plan.hpp"

#include "broker/placement/gang_sizes.hpp"
#include "broker/placement/switches.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>

namespace westerly {
namespace {

using namespace one_size;

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

    /// What is told of all sizes together, and the rejections of the winner's, without what is ranked at another.
    void compare_all() {
        for (pareto_point& one : front_)
            one.won = one.won && one.tasks == winners_size_;
        keep_undominated(front_);
        keep_first(front_, pareto_max);
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
            if (size == winners_size_ && (rejected_most_ > 0 || ranked_at_several_sizes())) {
                choose(one, use_);
                result_.rejected = rejected_of(one, use_, rejected_most_);
                keep_rejected_only(one);
            }
        }
        result_.made.switches = prices.found(asked_.book);
    }

    bool ranked_at_several_sizes() const {
        return std::ranges::any_of(result_.made.ranked,
                                   [this](const appraisal& each) { return each.tasks != winners_size_; });
    }

    /// What fails at the winner's size, and is ranked at another one, is not rejected.
    void keep_rejected_only(const question& one) {
        for (const appraisal& each : result_.made.ranked) {
            const auto index = static_cast<std::uint32_t>(*asked_.book.find(each.offer));
            const auto why = each.tasks == winners_size_ ? std::nullopt : rejection_of(one, use_, index);
            if (!why)
                continue;
            auto& counts = result_.made.rejections;
            const auto counted = std::ranges::find_if(counts, [&](const auto& row) { return row.first == *why; });
            if (counted != counts.end() && --counted->second == 0)
                counts.erase(counted);
            std::erase_if(result_.rejected, [&](const auto& row) { return row.first == each.offer; });
        }
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

}  // namespace

plan_result plan_sizes(const question& asked, std::size_t rejected_most) {
    return sized_plan(asked, rejected_most).make();
}

}  // namespace westerly
