#include "broker/engine/core.hpp"

namespace westerly {

namespace {

/// After a start the provider is asked for so long, before a rule gives up what was unknown before.
constexpr seconds asked_first{60};

}  // namespace

/// The tenant's decision, with who made it in the event. Only what nothing is known of may be given up.
void engine_core::on(turn& t, const give_up_attempt& in) {
    const auto at = workloads.find(in.workload);
    if (at == workloads.end() || at->second.lingers() ||
        (in.who.as != role::operator_ && in.who.tenant != at->second.value.tenant))
        return reply(t, in.request, fail(errc::not_found, "There is no such live workload."));
    live_workload& w = at->second;
    const auto wanted = in.attempt ? in.attempt : w.value.current;
    const auto of = wanted ? attempts.find(*wanted) : attempts.end();
    if (of == attempts.end() || of->second.value.workload != in.workload)
        return reply(t, in.request,
                     fail(errc::conflict, "That attempt of the workload has ended, or was never made.",
                          "Read the workload again: it needs no second copy."));
    live_attempt& a = of->second;
    if (a.value.given_up_at) {  // a repeat
        t.workload_answers.push_back({in.request, in.workload, false});
        return;
    }
    if (!uncertain(a.value.state))
        return reply(t, in.request,
                     fail(errc::conflict,
                          "Attempt " + std::to_string(a.value.number) + " is " + std::string(to_string(a.value.state)) +
                              ": only what is unknown or lost can be given up.",
                          "Wait for it, or cancel the workload."));
    if (w.value.cancel_wanted)
        return reply(t, in.request,
                     fail(errc::conflict, "The workload is being cancelled: it gets no second copy.",
                          "Submit it again as a new workload, if two copies do no harm."));
    if (w.given_up >= given_up_max)
        return reply(t, in.request,
                     fail(errc::conflict,
                          std::to_string(w.given_up) + " attempts of it that were given up may still "
                                                       "run: its limit.",
                          "Wait until the providers tell of some."));
    give_up(t, a,
            "Given up by key " + to_string(in.who.key) + " of tenant " + in.who.tenant_name +
                ": a second copy may run beside it.");
    t.workload_answers.push_back({in.request, in.workload, false});
}

/// It is watched on, and stopped if it turns up; its workload is placed anew. It counts as a try of the workload's.
void engine_core::give_up(turn& t, live_attempt& a, const std::string& words) {
    live_workload& w = workloads.at(a.value.workload);
    timers_.clear(timer_kind::give_up, a.value.id.bytes, a.give_up_due);
    ++w.given_up;
    ++w.value.attempts_counted;
    w.value.waiting.clear();
    apply(t, a, {.on = attempt_event::given_up, .message = words});
    advance(t, w, workload_event::given_up,
            "Attempt " + std::to_string(a.value.number) + " was given up: placed anew, at the risk of a second copy.");
    seat(t, w);
}

void engine_core::give_up_by_rule(turn& t, live_attempt& a) {
    const live_workload& w = workloads.at(a.value.workload);
    if (gives_up_at(a, w.value))
        give_up(t, a,
                "Given up by the workload's retry rule (second_copy_after_s: " +
                    std::to_string(*w.value.spec->retry.second_copy_after_s) + "): a second copy may run.");
}

/// When the workload's own rule gives it up; nullopt: it does not.
std::optional<instant> engine_core::gives_up_at(const live_attempt& a, const workload& w) const {
    const retry_rule& rule = w.spec->retry;
    const bool may = rule.second_copy_after_s && uncertain(a.value.state) && !a.value.given_up_at && !w.cancel_wanted &&
                     !terminal(w.state) && w.attempts_counted + 1 < rule.attempts_max &&
                     workloads.at(w.id).given_up < given_up_max;
    if (!may)
        return std::nullopt;
    return std::max(later(a.value.uncertain_since.value_or(a.value.updated_at), *rule.second_copy_after_s),
                    started_at_ + asked_first);
}

/// While nothing is known of a workload's attempt, the workload says so, and its rule's time runs.
void engine_core::explain_uncertainty(turn& t, live_attempt& a, attempt_state before) {
    if (a.value.given_up_at || (!uncertain(a.value.state) && !uncertain(before)))
        return;
    live_workload& w = workloads.at(a.value.workload);
    if (w.value.current != a.value.id)
        return;
    if (!uncertain(a.value.state)) {
        timers_.clear(timer_kind::give_up, a.value.id.bytes, a.give_up_due);
        w.value.waiting.clear();
        return mark(t, w, touch::changed);
    }
    const auto at = gives_up_at(a, w.value);
    if (at && !a.give_up_due)
        timers_.set(timer_kind::give_up, a.value.id.bytes, a.give_up_due, *at);
    std::vector<wait_reason> reasons{uncertainty(a.value, w.value, at)};
    if (w.value.waiting == reasons)
        return;
    w.value.waiting = std::move(reasons);
    if (a.value.state == before)  // otherwise the attempt's own event has told
        return record(t, w, &a.value, "workload.waiting", w.value.waiting.front().detail);
    mark(t, w, touch::changed);
}

}  // namespace westerly
