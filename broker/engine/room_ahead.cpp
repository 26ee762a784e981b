// Waiting traded against price: whoever let its start be put off waits for room that is known to come free, where that
// costs less than what is free now.
#include "broker/domain/wording.hpp"
#include "broker/engine/core.hpp"
#include "broker/placement/compare.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// Estimates of ends tremble: less than this share of J is not waited for.
constexpr double gain_least = 0.01;

/// What the policy has an hour of waiting cost, in base currency.
double price_of_an_hour(const policy& rules) {
    double per_hour = 0;
    for (const auto& price : rules.prices)
        if (price.term == "time")
            per_hour += price.per_unit;
    return per_hour;
}

}  // namespace

/// When so many units are free there, beyond what others already wait for; nullopt: not known, or kept for others.
std::optional<instant> engine_core::room_at(const backfill::choice& way, instant now) const {
    if (backfill_.on(way.on))
        return std::nullopt;
    std::uint64_t before = 0;
    for (const auto& [who, place] : awaited_)
        before += place.on == way.on ? place.units : 0;
    return backfill_.free_at(way.on, way.units + before, book_.free_units(*book_.find(way.on)), now, false);
}

/// What would be decided if that place were free and nothing might start before `at`. Not by the clock of then: offers
/// that nobody has renewed by that time would count as too old.
decision engine_core::decide_as_if_free(const policy& rules, const live_workload& w, const decision_world& world,
                                        const backfill::choice& way, instant at) {
    const std::size_t index = *book_.find(way.on);
    const std::uint64_t free = book_.free_units(index);
    book_.set_free_units(index, book_.total_units(index));
    workload_spec later = *w.value.spec;
    later.when.earliest_start_at = at;
    later.when.max_delay_s.reset();
    ++counts_.decisions;
    decision then = decide(book_, rules, terms_, later, world);
    book_.set_free_units(index, free);
    return then;
}

/// The start of `made` is put off where the best place that is full now will have room within the slack, and costs less
/// with the wait than the winner does at once. Estimates and limits of what runs there tell when; they may be wrong, so
/// that it is decided anew then, and whenever room comes free before, but no more often than once a minute. Returns
/// what it waits for.
std::optional<backfill::choice> engine_core::look_ahead_for_room(const live_workload& w, const policy& rules,
                                                                 const decision_world& world, decision& made) {
    if (made.put_off || made.ranked.empty() || rules.ordered() ||
        std::ranges::find(made.rejections, rejection::capacity_now, &std::pair<rejection, std::uint32_t>::first) ==
            made.rejections.end())
        return std::nullopt;
    const appraisal& now_best = made.ranked.front();
    const auto latest = slack_until(rules, *w.value.spec, world);
    if (!latest)
        return std::nullopt;
    // Past a soft target hours count from that on, whenever they are asked of.
    const double per_hour = w.value.spec->when.target_at ? 0 : price_of_an_hour(rules);
    const auto waiting = [&](instant at) {
        return per_hour * static_cast<double>((at - world.now).count()) / 3.6e6;
    };
    std::optional<instant> best_at;
    backfill::choice best;
    double least = now_best.j * (1 - gain_least);
    for (const backfill::choice& way : places_ever(w, world.now)) {  // by J
        if (way.j >= least)
            break;
        const auto at = way.on == now_best.offer ? std::nullopt : room_at(way, world.now);
        if (at && *at > world.now && at->time_since_epoch().count() <= *latest && way.j + waiting(*at) < least) {
            best = way;
            best_at = at;
            least = way.j + waiting(*at);
        }
    }
    if (!best_at)
        return std::nullopt;
    const decision then = decide_as_if_free(rules, w, world, best, *best_at);
    if (then.ranked.empty() || then.ranked.front().offer != best.on)
        return std::nullopt;
    const double gain = now_best.j - then.ranked.front().j - waiting(*best_at);
    if (!(gain > gain_least * now_best.j))
        return std::nullopt;
    made.notes.push_back({note_kind::room_ahead, {format_rfc3339(*best_at), best.on}, {gain}});
    chosen_start& put = made.put_off.emplace();
    put.launch_at = *best_at;
    put.start_at = then.ranked.front().start_at;
    put.at_once_at = now_best.start_at;
    put.saved_base = gain;
    put.why = in_words(made.notes.back(), rates_.base, language::en);
    return best;
}

/// Room has come free where somebody waits for it.
void engine_core::room_came_free(const offer_id& on) {
    if (std::ranges::none_of(awaited_, [&](const auto& each) { return each.second.on == on; }))
        return;
    look_at_put_off_again(last_now_);
}

}  // namespace westerly
