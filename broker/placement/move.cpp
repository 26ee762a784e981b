#include "broker/placement/move.hpp"

#include "broker/domain/explain.hpp"
#include "broker/placement/rank.hpp"
#include "broker/placement/rounding.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

/// No estimate proves that nothing is left.
constexpr double saved_most = 0.99;

double seconds_between(instant from, instant until) noexcept {
    return std::max(0.0, static_cast<double>((until - from).count()) / 1000.0);
}

/// What an attempt has been at, in seconds of work: a restore comes first where something was saved before, and every
/// interval of work is followed by the writing of a checkpoint.
struct work_done_here {
    double saved_s = 0;
    double worked_s = 0;
};
work_done_here work_of(const checkpoint_rule& saves, double ran_s, bool restored) noexcept {
    const double at_work_s = std::max(0.0, ran_s - (restored ? saves.restore_s : 0));
    const auto interval_s = static_cast<double>(saves.interval_s);
    const double segment_s = interval_s + saves.write_s;
    const double whole = std::floor(at_work_s / segment_s);
    return {whole * interval_s, whole * interval_s + std::min(at_work_s - whole * segment_s, interval_s)};
}

bool saves_portably(const workload_spec& spec, const attempt& of) noexcept {
    return spec.kind == workload_kind::batch && spec.checkpoint && spec.checkpoint->portable && of.terms.work_s > 0;
}

double share_of(double work_s, const attempt& of, double before) noexcept {
    return std::clamp(before + work_s / static_cast<double>(of.terms.work_s), 0.0, saved_most);
}

double in_base(const unit_price& price, const exchange_rates& rates) noexcept {
    return static_cast<double>(price.nanos) / 1e9 * static_cast<double>(rate_nanos(rates, price.unit)) / 1e9;
}

/// What is paid for the place from now on, if the run ends after `more_s`: the whole lease less what has passed.
double cost_from_now(const running_here& run, double ran_s, std::uint64_t more_s, const decision_world& world) {
    const exchange_rates& rates = world.rates;
    const lease& terms = run.of.terms;
    const auto whole_s = static_cast<std::uint64_t>(std::ceil(ran_s)) + more_s;
    const double paid_s = static_cast<double>(billed_seconds(whole_s, terms.increment_s, terms.minimum_s)) - ran_s;
    if (!terms.schedule.empty() && paid_s > 0) {  // at the prices of the hours that it is paid for
        const std::int64_t from_ms = world.now.time_since_epoch().count();
        const wide nano_ms =
            price_curve(terms.price.nanos, terms.schedule).integral(from_ms, from_ms + std::llround(paid_s * 1000));
        return static_cast<double>(nano_ms) / 3.6e6 * static_cast<double>(terms.units) *
               in_base({1, terms.price.unit}, rates);
    }
    return std::max(0.0, paid_s) / 3600.0 * static_cast<double>(terms.units) * in_base(terms.price, rates);
}

/// Another cost, and J and the keys that are of it.
void change_cost(appraisal& of, double by, const policy& rules, std::span<const ordered_key> order) {
    of.cost_base += by;
    of.cost_low += by;
    of.cost_high += by;
    of.j += by;
    if (rules.ordered())
        for (std::size_t i = 0; i < std::min(order.size(), of.keys.size()); ++i)
            if (order[i].term == "cost")
                of.keys[i] = in_steps(of.cost_base, order[i].step);
}

/// The place as the run has it: at its own price, with nothing to wait for or to bring.
offer place_as_leased(const running_here& run) {
    offer here = run.on;
    here.price = run.of.terms.price;
    here.schedule = run.of.terms.schedule;
    here.increment_s = 1;  // what has begun is paid for already
    here.minimum_s = 0;
    here.units_free.reset();
    here.launchable = true;
    here.queue_wait_s = 0;
    here.supply.available_from.reset();
    here.supply.price_until.reset();  // the lease's price is frozen
    return here;
}

/// Staying needs no leave: limits were met when it was placed, and what has happened since does not end it.
workload_spec spec_of_staying(const workload_spec& spec, const attempt& of) {
    workload_spec here = spec;
    here.limits = {};
    here.limits.from = spec.limits.from;
    here.limits.origins = spec.limits.origins;
    here.inputs.clear();
    here.budget.reset();
    here.when = {};
    here.when.target_at = spec.when.target_at;  // what hours are worth, and no limit
    here.tasks = gang_of(of, spec);
    here.tasks_max = 0;
    return here;
}

std::optional<appraisal> appraise_staying(const policy& rules, term_table terms, const workload_spec& spec,
                                          const running_here& run, const decision_world& world, double done,
                                          double ran_s) {
    offer_book book;
    book.replace_provider(run.on.provider, {place_as_leased(run)});
    policy here = rules;
    here.within_of_cheapest.reset();
    here.within_of_least.reset();
    here.min_green_power_share.reset();
    here.max_pue.reset();
    here.compliance.clear();
    decision_world around = world;
    around.blocked = {};
    around.budget_left.reset();
    around.asked_at.reset();
    around.plan_only_too = true;
    around.progress = run_progress{.work_left = 1 - done, .restores = false};
    const decision made = decide(book, here, terms, spec_of_staying(spec, run.of), around);
    if (made.ranked.empty())
        return std::nullopt;
    appraisal stay = made.ranked.front();
    if (spec.kind == workload_kind::batch)  // the increment that has begun, and the minimum, are of the whole lease
        change_cost(stay, cost_from_now(run, ran_s, stay.billed_s, world) - stay.cost_base, rules,
                    order_of(rules, spec));
    return stay;
}

const std::string* model_of(const std::optional<accelerator_facts>& cards) {
    return cards ? &cards->model : nullptr;
}

/// How much of the gain the intervals of the speeds leave open: offers of one model share its speed.
double doubt(const offer_book& book, const running_here& run, const appraisal& stay, const appraisal& there) {
    const auto at = book.find(there.offer);
    const std::string* const mine = model_of(run.on.accelerators);
    const std::string* const other = at ? model_of(book.at(*at).accelerators) : nullptr;
    if (mine && other && *mine == *other)
        return 0;
    return std::max(0.0, stay.cost_base - stay.cost_low) + std::max(0.0, there.cost_high - there.cost_base);
}

/// The key that gains enough, by its number in the order; nullopt: none, or an earlier one loses.
std::optional<std::size_t> key_that_gains(std::span<const ordered_key> order, const appraisal& stay,
                                          const appraisal& there, double min_gain) {
    for (std::size_t i = 0; i < order.size() && i < stay.keys.size() && i < there.keys.size(); ++i) {
        if (there.keys[i] > stay.keys[i])
            return std::nullopt;
        if (there.keys[i] < stay.keys[i] * (1 - min_gain))
            return i;
    }
    return std::nullopt;
}

}  // namespace

double saved_share(const workload_spec& spec, const attempt& of, double before, instant until) noexcept {
    if (!saves_portably(spec, of) || !of.started_at)
        return before;
    const double ran_s = seconds_between(*of.started_at, until);
    return std::max(before, share_of(work_of(*spec.checkpoint, ran_s, before > 0).saved_s, of, before));
}

bool movable(const workload_spec& spec) noexcept {
    const bool keeps_state = spec.kind == workload_kind::service || (spec.checkpoint && spec.checkpoint->portable);
    return keeps_state && spec.movable.value_or(spec.kind == workload_kind::batch);
}

move_look look_for_move(const offer_book& book, const policy& rules, term_table terms, const workload_spec& spec,
                        const running_here& run, const decision_world& world) {
    move_look look;
    const bool service = spec.kind == workload_kind::service;
    if (!rules.replacement || !run.of.started_at || (!service && !saves_portably(spec, run.of)))
        return look;
    const replacement_rule& by = *rules.replacement;
    const double ran_s = seconds_between(*run.of.started_at, world.now);
    const double done =
        service ? 0 : share_of(work_of(*spec.checkpoint, ran_s, run.work_done > 0).worked_s, run.of, run.work_done);
    const double saved = service ? 0 : saved_share(spec, run.of, run.work_done, world.now);
    const auto stay = appraise_staying(rules, terms, spec, run, world, done, ran_s);
    if (!stay || done >= saved_most)
        return look;

    look.seen = world;
    look.seen.asked_at.reset();
    look.seen.progress = run_progress{.work_left = 1 - saved, .restores = saved > 0};
    look.made = decide(book, rules, terms, spec, look.seen);
    const appraisal* const found = winner_of(look.made);
    if (!found || !found->launchable || !look.made.rivals.empty())
        return look;
    appraisal there = *found;
    const double stop = cost_from_now(run, ran_s, spec.grace_s, world);
    note why;
    if (rules.ordered()) {
        const auto order = order_of(rules, spec);
        change_cost(there, service ? 0 : stop, rules, order);
        const auto key = key_that_gains(order, *stay, there, by.min_gain);
        if (!key)
            return look;
        why = {note_kind::moved_in_order,
               {run.of.offer, there.offer, order[*key].term},
               {stay->keys[*key], there.keys[*key]}};
    } else {
        const double hours = service ? static_cast<double>(by.at_most_every_s) / 3600.0 : 1;
        const double gain = (stay->j - there.j) * hours - stop;
        const double sure = gain - doubt(book, run, *stay, there) * hours;
        if (!(sure > by.min_gain * stay->j * hours) || !(sure > by.min_gain_amount))
            return look;
        why = {note_kind::moved, {run.of.offer, there.offer}, {stay->j * hours, there.j * hours, stop, gain}};
    }
    look.moves = true;
    look.words = in_words(why, world.rates.base);
    look.made.notes.push_back(std::move(why));
    return look;
}

}  // namespace westerly
