#include "broker/engine/core.hpp"
#include "broker/placement/market_based.hpp"
#include "broker/placement/move.hpp"
#include "broker/placement/score.hpp"

namespace westerly {

namespace {

/// Looks of one input, and the time between two such: so many looks hold the thread for a few milliseconds at most.
/// Where more attempts run than can be looked at in look_every_s so, each is looked at as often as it goes.
constexpr std::size_t looks_at_once = 8;
constexpr milliseconds looks_apart{50};

}  // namespace

/// The policy that the workload runs under, if it moves what runs.
std::optional<policy> engine_core::replacing(const live_workload& w) const {
    const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec);
    if (!rules || !(*rules)->replacement || !check_overrides(**rules, *w.value.spec))
        return std::nullopt;
    return effective_policy(**rules, *w.value.spec);
}

bool engine_core::may_move(const live_attempt& a, const replacement_rule& by) const {
    const workload& w = workloads.at(a.value.workload).value;
    return a.value.state == attempt_state::running && a.value.started_at && !a.value.cancel_wanted &&
           !a.value.given_up_at && !w.cancel_wanted && movable(*w.spec) && w.attempts_displaced < by.moves_max;
}

/// Running attempts take their turns in the order of when they are due.
void engine_core::watch_for_better(live_attempt& a, instant not_before) {
    look_no_more(a);
    const live_workload& w = workloads.at(a.value.workload);
    if (!movable(*w.value.spec))
        return;
    const auto rules = replacing(w);
    if (!rules || !may_move(a, *rules->replacement))
        return;
    a.look_due = std::max(not_before, later(*a.value.started_at, rules->replacement->at_most_every_s));
    looks_.emplace(*a.look_due, a.value.id);
}

void engine_core::look_no_more(live_attempt& a) {
    if (a.look_due)
        looks_.erase({*a.look_due, a.value.id});
    a.look_due.reset();
}

void engine_core::run_looks(turn& t) {
    const auto due = looks_due_at();
    if (!due || t.now < *due)
        return;
    next_looks_at_ = t.now + looks_apart;
    for (std::size_t looked = 0; looked < looks_at_once; ++looked) {
        if (looks_.empty() || looks_.begin()->first > t.now)
            return;
        live_attempt& a = attempts.at(looks_.begin()->second);
        look_no_more(a);
        const auto rules = replacing(workloads.at(a.value.workload));
        if (!rules || !may_move(a, *rules->replacement))
            continue;
        look(t, a, *rules);
        watch_for_better(a, later(t.now, rules->replacement->look_every_s));
    }
}

/// The run's own units are free for the one that would replace it, and a stop can be sent only where somebody listens.
void engine_core::look(turn& t, live_attempt& a, const policy& rules) {
    const live_workload& w = workloads.at(a.value.workload);
    const auto here = book_.find(a.value.offer);
    if (!foreign_terms_of(rules, terms_, *w.value.spec).empty())
        return;  // libraries are not asked about runs, and without them it might be moved back and forth
    if (!here || !providers_.at(a.value.provider).usable())
        return;
    const offer on = book_.at(*here);
    const auto units = static_cast<std::int64_t>(a.value.terms.units);
    decision_world world = world_at(t.now, &w);
    if (world.budget_left)
        world.budget_left->micros -= cost_so_far(a.value, world.budget_left->unit, t.now);
    hold_units(a.value.offer, -units);
    ++counts_.decisions;
    move_look seen = look_for_move(book_, rules, terms_, *w.value.spec, {a.value, on, w.value.work_done}, world);
    if (seen.moves) {
        if (auto why = why_chosen(rules, *w.value.spec))  // before the note of the move: in the order of a replay
            seen.made.notes.insert(seen.made.notes.end() - 1, std::move(*why));
        seen.made.id = decision_id::make(t.now, t.random);
        seen.made.workload = w.value.id;
        t.changes.bases.push_back(basis_of(t, w, seen.seen, seen.made.id));
        t.changes.bases.back().certificates =
            count_certificates(w.value.tenant, *w.value.spec, told_of_offers(seen.made));
    }
    hold_units(a.value.offer, units);
    if (!seen.moves || !displace(t, a, displacement::better_place, seen.words))
        return;
    workloads.at(a.value.workload).value.last_decision = seen.made.id;
    const appraisal& there = *winner_of(seen.made);
    if (!backfill_.on(there.offer))
        keep_place(w, there.offer, there.units, t.now);
    t.changes.decisions.push_back(std::move(seen.made));
}

std::optional<instant> engine_core::looks_due_at() const {
    if (looks_.empty() || draining_ || policies_.empty())
        return std::nullopt;
    instant due = looks_.begin()->first;
    if (next_looks_at_)
        due = std::max(due, *next_looks_at_);
    return market_settled(std::max(due, last_now_)) ? due : std::max(due, started_at_ + market_settle_max);
}

}  // namespace westerly
