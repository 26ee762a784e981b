#include "broker/domain/energy.hpp"
#include "broker/domain/explain.hpp"
#include "broker/domain/owned.hpp"
#include "broker/domain/waiting.hpp"
#include "broker/engine/core.hpp"
#include "broker/engine/wait_reasons.hpp"
#include "broker/placement/market_based.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

bool same_codes(const std::vector<wait_reason>& a, const std::vector<wait_reason>& b) {
    return std::ranges::equal(a, b, {}, &wait_reason::code, &wait_reason::code);
}

lease lease_of(const offer& on, std::uint64_t units, const exchange_rates& rates) {
    lease terms;
    terms.price = billed_price(on).value_or(unit_price{});
    if (is_owned(on) && on.price && on.price->unit == terms.price.unit)
        terms.list_price = on.price;
    if (has_hourly_prices(on))
        terms.schedule = on.schedule;
    terms.mode = on.mode;
    terms.units = units;
    terms.limited = on.units_free.has_value();
    terms.increment_s = on.increment_s;
    terms.minimum_s = on.minimum_s;
    terms.rates = rates;
    terms.idle_w = on.idle_w;
    terms.max_w = on.max_w;
    terms.pue = on.site.pue;
    terms.green_power_share = on.site.claimable_share();
    terms.carbon_g_per_kwh = on.site.carbon_g_per_kwh;
    terms.residual_g_per_kwh = on.site.residual_g_per_kwh;
    return terms;
}

/// For how long it waited, and for what in the end: when it runs nothing else says so. What it chose or was asked to
/// wait for is counted, too. Nothing where it waited for less than a second.
std::optional<note> why_it_waited(const workload& w, instant waits_since, instant now) {
    const auto waited = std::chrono::duration_cast<seconds>(now - (w.attempts == 0 ? w.created_at : waits_since));
    if (w.waiting.empty() || waited < seconds(1))
        return std::nullopt;
    note told{note_kind::waited, {}, {static_cast<double>(waited.count())}};
    for (const wait_reason& reason : w.waiting)
        told.words.push_back(reason.code);
    return told;
}

/// How long the whole of the work would take there, where checkpoints make it matter how much of it is done.
std::uint64_t whole_work_s(const decision& made, const workload_spec& spec,
                           const std::optional<run_progress>& progress) {
    const auto& run = made.ranked.front().run;
    if (!run || !spec.checkpoint || made.runtime_assumed)
        return 0;
    const double restore_s = progress && progress->restores ? spec.checkpoint->restore_s : 0;
    const double left_s = static_cast<double>(run->work_s) - restore_s;
    return static_cast<std::uint64_t>(std::max(std::llround(left_s / (progress ? progress->work_left : 1)), 0ll));
}

}  // namespace

/// Tries those whose turn it is, one decision each, as many as one input may cost; the next tick goes on. Nothing is
/// started before all of them were tried: they are assigned together.
void engine_core::run_placement(turn& t) {
    if (draining_ || !market_settled(t.now))
        return;
    looks_left_ = offers_looked_at_max;
    keep_again(t.now);
    for (std::uint32_t left = options_.placements_per_input_max; left > 0;) {
        room_.turn_over();
        placement_round round;
        bool any = false;
        for (; left > 0; --left) {
            const auto* id = room_.next(fair_, t.now);
            if (!id)
                break;
            any = true;
            place(t, workloads.at(*id), round);
        }
        if (!any)
            return;
        assign_round(t, round);
        for (auto& one : round.starts) {
            live_workload& w = workloads.at(one.who);
            start_attempt(t, w, std::move(one));
        }
        // Those of its shape wait for the same; what they show follows at once for the first ones only, and for the
        // rest when their turn comes.
        for (const auto& one : round.refused)
            for (const auto& id : room_.members_like(seat_of(workloads.at(one.who)), reasons_rewritten_max))
                if (!workloads.at(id).preempts)
                    show_reasons(t, workloads.at(id), one.reasons, one.until);
        for (const auto& one : round.refused)
            if (std::ranges::find(one.reasons, "no_capacity", &wait_reason::code) != one.reasons.end())
                preempt(t, workloads.at(one.who));
    }
}

/// After a start, the first answers of all providers are awaited for a moment: a choice among the first one's offers
/// only would be a poor one.
bool engine_core::market_settled(instant now) const {
    if (policies_.empty())
        return false;
    if (now >= started_at_ + market_settle_max)
        return true;
    return providers_known_ && std::ranges::all_of(providers_, [](const auto& entry) {
               const provider_entry& at = entry.second;
               return !at.config || at.offers_seen || at.health.state == provider_state::down ||
                      at.health.state == provider_state::degraded;
           });
}

void engine_core::place(turn& t, live_workload& w, placement_round& into) {
    const workload_spec& spec = *w.value.spec;
    const auto seat = seat_of(w);
    // It may have been tried in this round already: who is given a place may wake others.
    std::erase_if(into.refused, [&](const placement_round::refusal& one) { return one.who == w.value.id; });
    const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), spec);
    const auto allowed = rules ? check_overrides(**rules, spec) : result<void>(rules.error());
    if (!allowed) {
        release_place(w.value.id);  // it may wait for long
        w.preempts = false;
        into.refused.push_back({w.value.id, {policy_reason(policies_, spec, allowed.error())}});
        return room_.sleep(seat, wake_on_policies, into.refused.back().reasons);
    }
    decision made;
    std::size_t kept = 0;
    bool heard = true;
    if (auto one = choose(t, w, **rules, made, kept, heard); !heard) {
        wait_for_terms(w);
    } else if (one) {
        room_.remove(seat);
        w.seated = false;
        const auto* own = backfill_.of(w.value.id);
        one->kept = own && own->pinned;
        release_place(w.value.id);
        hold(*one, t.now);
        into.starts.push_back(std::move(*one));
    } else if (w.seated) {
        const lifting_dates dates = next_dates(book_, **rules, spec, options_.accelerators, made);
        into.refused.push_back({w.value.id, reasons_of(made, blocks_, kept, dates), dates.first()});
        if (into.refused.back().reasons.front().code == "term_failed")
            scores_.at(w.shape).priorities.insert(spec.priority);  // it is tried again when they are asked again
        if (count_of(made, rejection::capacity_now) > 0)
            reserve_place(w, t.now);
        else if (const auto* own = backfill_.of(w.value.id); !own || !own->pinned)
            release_place(w.value.id);
        room_.sleep(seat, what_lifts(into.refused.back().reasons), into.refused.back().reasons, dates.first());
    }
}

/// Decides. Nothing, and `made` says why: nothing is free, `kept` offers of what is are kept for others; or the start
/// was put off, and it waits for that outside. Not `heard`: libraries of the policy's terms are being asked first.
std::optional<given_start> engine_core::choose(turn& t, live_workload& w, const policy& rules, decision& made,
                                               std::size_t& kept, bool& heard) {
    const workload_spec& spec = *w.value.spec;
    std::optional<policy> changed;
    if (spec.overrides.any() || spec.when.value_of_time)
        changed = effective_policy(rules, spec);
    const policy& by = changed ? *changed : rules;
    decision_world world = world_at(t.now, &w);
    const auto* said = hear_terms(t, w.shape, by, spec, world);
    heard = said != nullptr;
    if (!heard)
        return std::nullopt;
    world.foreign = *said;
    std::vector<std::pair<std::size_t, std::uint64_t>> set_aside;
    made = decide_behind(by, w, world, set_aside);
    const auto at = made.ranked.empty() ? std::nullopt : book_.find(made.ranked.front().offer);
    given_start one;
    if (at) {
        one.who = made.workload = w.value.id;
        made.id = decision_id::make(t.now, t.random);
        one.basis = basis_of(t, w, world, made.id);
        one.basis.certificates = count_certificates(w.value.tenant, spec, told_of_offers(made));
    }
    for (const auto& [index, free] : set_aside)
        book_.set_free_units(index, free);
    kept = set_aside.size();
    if (auto why = why_chosen(rules, spec))
        made.notes.push_back(std::move(*why));
    const auto room = look_ahead_for_room(w, by, world, made);
    if (put_off(t, w, by, world, made, one.basis)) {
        if (room)
            awaited_[w.value.id] = *room;
        return std::nullopt;
    }
    if (!at)
        return std::nullopt;
    one.takes = bounds_of(spec, made);
    one.terms = lease_of(book_.at(*at), made.ranked.front().units, rates_);
    one.terms.tasks = made.ranked.front().tasks;
    one.terms.utilisation = spec.work.utilisation.value_or(default_utilisation);
    one.terms.work_s = whole_work_s(made, spec, world.progress);
    one.made = std::move(made);
    return one;
}

/// From now on it is taken: units, the turn of its tenant, and a launch of its provider's.
void engine_core::hold(const given_start& one, instant now) {
    const appraisal& where = one.made.ranked.front();
    hold_units(where.offer, static_cast<std::int64_t>(one.terms.units));
    fair_.hold(workloads.at(one.who).value.tenant, one.terms, now);
    launch_begins(providers_.at(where.provider));
}

void engine_core::let_go(const given_start& one, instant now) {
    const appraisal& where = one.made.ranked.front();
    hold_units(where.offer, -static_cast<std::int64_t>(one.terms.units));
    fair_.take_back(workloads.at(one.who).value.tenant, one.terms, now);
    launch_ends(providers_.at(where.provider));
}

/// Writes reasons only when their codes change, or the date that they name: counts within them move with every offer,
/// and are not worth a commit.
void engine_core::show_reasons(turn& t, live_workload& w, const std::vector<wait_reason>& reasons,
                               std::optional<instant> until) {
    if (same_codes(w.value.waiting, reasons) && std::exchange(w.shown_date, until) == until)
        return;
    w.shown_date = until;
    w.value.waiting = reasons;
    record(t, w, nullptr, "workload.waiting", reasons.empty() ? "" : reasons.front().detail);
}

/// Whose chosen start has come is decided as of then: a moment later a limit that it just meets would be missed.
instant engine_core::decided_as_of(const workload& w, instant now) {
    if (!waits_for_chosen_start(w) || !w.next_action_at)
        return now;
    const milliseconds since = now - *w.next_action_at;
    return since >= milliseconds(0) && since <= chosen_start_kept ? *w.next_action_at : now;
}

decision_world engine_core::world_at(instant now, const live_workload* w) const {
    decision_world world;
    world.now = w ? decided_as_of(w->value, now) : now;
    world.rates = rates_;
    world.regions = options_.regions;
    world.accelerators = &options_.accelerators;
    world.blocked = blocks_;
    world.signals = &signals_;
    if (w) {
        world.budget_left = budget_left(w->value);
        if (w->value.spec->when.max_delay_s)  // its slack counts from then
            world.asked_at = w->value.created_at;
        world.measured = speeds_.of(w->value.tenant, w->value.spec->name);
        world.progress = progress_of(*w);
        // Of one that runs nothing is asked: what was said of its start is not of what is left of it.
        if (w->value.state == workload_state::queued)
            if (const auto* said = scores_.heard(w->shape, book_.version(), now))
                world.foreign = *said;
    }
    return world;
}

std::optional<money> engine_core::budget_left(const workload& w) const {
    if (!w.spec->budget)
        return std::nullopt;
    return money{w.spec->budget->micros - w.billed_micros, w.spec->budget->unit};
}

/// Of what it holds already.
void engine_core::start_attempt(turn& t, live_workload& w, given_start one) {
    const appraisal& where = one.made.ranked.front();
    const offer& on = book_.at(*book_.find(where.offer));
    live_attempt fresh;
    attempt& a = fresh.value;
    a.id = attempt_id::make(t.now, t.random);
    a.workload = w.value.id;
    a.tenant = w.value.tenant;
    a.number = w.value.attempts + 1;
    a.provider = on.provider;
    a.site = on.site.site;
    a.offer = on.id;
    a.decision = one.made.id;
    a.terms = std::move(one.terms);
    a.fence = epoch_;
    a.created_at = a.updated_at = t.now;
    const auto id = a.id;

    if (auto waited = why_it_waited(w.value, w.waits_since, t.now))
        one.made.notes.push_back(std::move(*waited));
    w.preempts = false;
    w.value.waiting.clear();
    w.value.next_action_at.reset();
    w.value.attempts = a.number;
    w.value.current = id;
    w.value.last_decision = one.made.id;
    providers_[a.provider].attempts.insert(id);
    ++counts_.attempts[static_cast<std::size_t>(a.state)];
    may_go_ += agreed_to_go(a, *w.value.spec) ? 1 : 0;
    if (a.terms.limited)
        backfill_.occupy(a.offer, id, a.terms.units, t.now, one.takes);

    live_attempt& kept = attempts.emplace(id, std::move(fresh)).first->second;
    mark(t, kept, touch::made);
    advance(t, w, workload_event::placed, "Placed on " + on.id + " by policy " + one.made.policy + ".");
    t.changes.bases.push_back(std::move(one.basis));
    t.changes.decisions.push_back(std::move(one.made));
    // Handing it to the provider's queue is part of this commit: the call runs only after it.
    apply(t, kept, {.on = attempt_event::dispatched});
    call_launch(t, kept, *w.value.spec, on);
}

/// Units of live attempts count as taken whatever the provider has noticed so far.
void engine_core::hold_units(const offer_id& id, std::int64_t delta) {
    std::uint64_t& held = held_units_[id];
    held += static_cast<std::uint64_t>(delta);
    book_.set_our_live_units(id, held);
    if (held == 0)
        held_units_.erase(id);
}

}  // namespace westerly
