#include "broker/engine/core.hpp"

namespace westerly {

namespace {

constexpr milliseconds first_find_after{500};

bool absent(const attempt_fact& fact) {
    return fact.on == attempt_event::proved_absent;
}

/// A launch whose outcome is not known yet keeps its outbox row.
bool launch_open(attempt_state state) {
    return state == attempt_state::intended || state == attempt_state::submitting || state == attempt_state::unknown;
}

}  // namespace

live_attempt* engine_core::find_live(const provider_id& provider, const attempt_id& id) {
    const auto at = attempts.find(id);
    if (at == attempts.end() || at->second.value.provider != provider || !live(at->second.value.state))
        return nullptr;
    return &at->second;
}

void engine_core::on(turn& t, const attempt_observed& in) {
    const auto id = attempt_of_token(in.seen.token);
    live_attempt* a = id ? find_live(in.provider, *id) : nullptr;
    if (!a)
        return;  // a list will tell whether something of ours runs that no record knows
    const auto fact = fact_of(in.seen);
    if (absent(fact)) {  // a look that finds nothing is a hint; a find is the proof
        if (a->call_ended_at != instant::max())
            find_later(t, *a, milliseconds(0));
        return;
    }
    apply(t, *a, fact);
}

void engine_core::on(turn& t, const preemption_noticed& in) {
    const auto id = attempt_of_token(in.token);
    live_attempt* a = id ? find_live(in.provider, *id) : nullptr;
    if (!a || a->preemption_noted)
        return;
    a->preemption_noted = true;
    record(t, workloads.at(a->value.workload), &a->value, "attempt.preemption_noticed",
           "The provider will take it away at " + format_rfc3339(in.at) + ".");
}

/// One fact, one transition, one record of it, and what follows.
void engine_core::apply(turn& t, live_attempt& a, const attempt_fact& fact) {
    attempt_step made = step(a.value, fact, t.now);
    if (!made.legal)
        ++counts_.illegal_transitions;
    if (made.foreign)
        note_foreign(t, a);
    if (!made.legal || made.stale)
        return;
    if (options_.watch)
        options_.watch->moves(a.value, fact.on, made.next.state);
    const auto before = a.value.state;
    a.value = std::move(made.next);
    if (a.value.state != before) {
        --counts_.attempts[static_cast<std::size_t>(before)];
        ++counts_.attempts[static_cast<std::size_t>(a.value.state)];
    }
    if (made.changed)
        mark(t, a, touch::changed);
    if (made.news)
        tell(t, a, before, fact);
    if (made.then == attempt_effect::finish) {
        judge_end(t, a, before, fact);
        return finish(t, a, fact.why);
    }
    after_step(t, a, before);
    if (made.then == attempt_effect::find)
        find_later(t, a, first_find_after);
    // Also when the wish came while nothing was known to be there to stop. Repeats follow the call's answer.
    if (made.then == attempt_effect::cancel && before != attempt_state::stopping)
        call_cancel(t, a);
}

/// The event of what has changed, for the tenant.
void engine_core::tell(turn& t, live_attempt& a, attempt_state before, const attempt_fact& fact) {
    const attempt& now = a.value;
    std::string type = "attempt." + std::string(now.state == before ? "updated" : to_string(now.state));
    std::string detail = fact.message;
    if (now.state != before && !live(now.state))
        detail = "Outcome: " + std::string(to_string(now.outcome)) + ". " + now.message;
    if (fact.on == attempt_event::given_up)
        type = "attempt.given_up";
    else if (now.given_up_at && now.state != before)
        detail = live(now.state) ? "It has turned up after it was given up, and is stopped. " + detail
                                 : "It had been given up. " + detail;
    record(t, workloads.at(now.workload), &now, std::move(type), std::move(detail));
}

void engine_core::after_step(turn& t, live_attempt& a, attempt_state before) {
    const auto state = a.value.state;
    if (a.launch_seq != 0 && !launch_open(state)) {
        t.changes.outbox_done.push_back(a.launch_seq);
        a.launch_seq = 0;
    }
    if (state != before && !uncertain(state))
        timers_.clear(timer_kind::find, a.value.id.bytes, a.find_due);
    explain_uncertainty(t, a, before);
    live_workload& w = workloads.at(a.value.workload);
    if (state == attempt_state::running && before != attempt_state::running) {
        if (!w.value.started_at)
            w.value.started_at = a.value.started_at;
        advance(t, w, workload_event::started, "Runs at " + a.value.provider + ", " + a.value.site + ".");
        watch_overrun(a, *w.value.spec);
        watch_for_better(a, t.now);
        if (a.value.started_at)
            backfill_.began(a.value.offer, a.value.id, *a.value.started_at);
    }
}

}  // namespace westerly
