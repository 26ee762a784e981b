#include "broker/engine/core.hpp"

namespace westerly {

namespace {

std::string words_of(const mutation_reply& reply) {
    const std::string kind(to_string(reply.why));
    return reply.message.empty() ? kind : kind + ": " + reply.message;
}

/// The provider had not what it offered: what the book says of this offer is not so.
bool ran_out(adapter_error why) {
    return why == adapter_error::no_capacity || why == adapter_error::quota_exceeded;
}

}  // namespace

/// What the answer to a launch says of its provider. Called before the answer is a fact about the attempt.
void engine_core::judge_launch(turn& t, live_attempt& a, const mutation_reply& reply) {
    provider_entry& at = providers_[a.value.provider];
    const auto before = look_at(at.gate);
    at.gate.answered(at.config ? at.config->calls_max : 1);
    const bool refused = reply.outcome == call_outcome::not_done;
    if (reply.outcome == call_outcome::done) {
        at.gate.went_well();
    } else if (refused && reply.why == adapter_error::unauthorised) {
        at.gate.unauthorised(words_of(reply), t.now, t.random);
    } else if (refused && ran_out(reply.why)) {
        book_.distrust(a.value.offer);
    } else if (reply.why != adapter_error::rate_limited && reply.why != adapter_error::none &&
               a.value.state == attempt_state::submitting) {
        at.gate.went_badly(a.value.workload, words_of(reply), t.now, t.random);
    }
    if (room_.size() == 0)
        at.gate.nobody_waits();
    note_gate(at, before);
}

/// A thing that was acknowledged or seen, and is proved to be gone without an end.
void engine_core::judge_end(turn& t, const live_attempt& a, attempt_state before, const attempt_fact& fact) {
    if (fact.on != attempt_event::proved_absent || before == attempt_state::unknown || a.value.given_up_at)
        return;
    provider_entry& at = providers_[a.value.provider];
    const auto gate_before = look_at(at.gate);
    at.gate.went_badly(a.value.workload, "it forgot what it had acknowledged", t.now, t.random);
    note_gate(at, gate_before);
}

/// Another thing bears this attempt's token, or its id was given anew.
void engine_core::note_foreign(turn& t, const live_attempt& a) {
    provider_entry& at = providers_[a.value.provider];
    const auto before = look_at(at.gate);
    at.gate.went_badly(a.value.workload, "it tells of another thing under a launch token of ours", t.now, t.random);
    note_gate(at, before);
}

engine_core::gate_look engine_core::look_at(const launch_gate& gate) {
    const auto& why = gate.distrusted();
    return {gate.closed(), why ? std::optional(why->until) : std::nullopt};
}

void engine_core::note_gate(const provider_entry& at, gate_look before) {
    const auto now = look_at(at.gate);
    market_dirty_ = market_dirty_ || now.distrusted_until != before.distrusted_until;
    if (now != before)
        refresh_blocks();
}

void engine_core::launch_begins(provider_entry& at) {
    const auto before = look_at(at.gate);
    at.gate.launched(at.config->calls_max);
    note_gate(at, before);
}

/// Its call is answered, or nobody waits for the answer any more.
void engine_core::launch_ends(provider_entry& at) {
    const auto before = look_at(at.gate);
    at.gate.answered(at.config ? at.config->calls_max : 1);
    note_gate(at, before);
}

/// A quarantine's time is over: one launch may show that it is.
void engine_core::run_gate(turn& t, provider_entry& at) {
    const auto due = at.gate.due();
    if (!due || t.now < *due)
        return;
    at.gate.try_one();
    refresh_blocks();
}

}  // namespace westerly
