#include "broker/lifecycle/step.hpp"

namespace westerly {
namespace {

constexpr std::size_t message_bytes_max = 1024;

/// Cut to message_bytes_max without splitting a UTF-8 sequence.
std::string shortened(const std::string& message) {
    if (message.size() <= message_bytes_max)
        return message;
    std::size_t end = message_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80)
        --end;
    return message.substr(0, end);
}

/// Whether the provider speaks of this very thing: token and, where both are known, its own id.
bool same_thing(const attempt& current, const attempt_fact& fact) {
    const std::string& handle = fact.seen ? fact.seen->handle : fact.handle;
    if (!current.handle.empty() && !handle.empty() && handle != current.handle)
        return false;
    return !fact.seen || fact.seen->token == launch_token(current.id);
}

/// Not of the past.
bool is_new(const attempt& current, const attempt_fact& fact) {
    if (!fact.seen)
        return true;
    // What the provider does not know has no count of its own to give.
    const bool uncounted = fact.seen->at == observation::phase::absent && fact.seen->seq == 0;
    return uncounted || fact.seen->seq >= current.seen_seq;
}

/// The observation that told of the end, once more. Other news of an ended attempt contradict the proof of its end.
bool echoes_end(const attempt& current, const attempt_fact& fact) {
    const bool end_was_told =
        current.outcome != attempt_outcome::vanished && current.outcome != attempt_outcome::never_started;
    return !live(current.state) && end_was_told && fact.on == attempt_event::exited && fact.seen &&
           fact.seen->seq == current.seen_seq;
}

/// Takes over what the provider's record says; the state is not touched.
void note_record(attempt& next, const attempt_fact& fact, instant now) {
    const bool called = fact.on == attempt_event::accepted && !fact.handle.empty();
    if (called)
        next.handle = fact.handle;
    const bool sighted = fact.seen && fact.seen->at != observation::phase::absent;
    if (called || sighted)
        next.last_seen_at = now;
    if (!sighted)
        return;
    const observation& seen = *fact.seen;
    next.seen_seq = seen.seq;
    if (!seen.handle.empty())
        next.handle = seen.handle;
    if (seen.started_at)
        next.started_at = seen.started_at;
    if (seen.exit_code)
        next.exit_code = seen.exit_code;
    if (seen.exit_signal)
        next.exit_signal = seen.exit_signal;
    if (seen.failed_rank)
        next.failed_rank = seen.failed_rank;
}

attempt_outcome outcome_of_exit(const attempt& ended, attempt_state from, const attempt_fact& fact) {
    if (fact.seen && fact.seen->timed_out)
        return attempt_outcome::timed_out;
    if (fact.seen && fact.seen->preempted)
        return attempt_outcome::preempted;
    if (ended.exit_code == 0 && !ended.exit_signal)
        return attempt_outcome::succeeded;
    // A wish that waited for the launch's outcome has stopped nothing yet.
    const bool stop_was_sent = from != attempt_state::submitting && from != attempt_state::unknown;
    if (ended.cancel_wanted && stop_was_sent)
        return attempt_outcome::cancelled;
    const bool ran = ended.started_at || ended.exit_code || ended.exit_signal;
    return ran ? attempt_outcome::failed : attempt_outcome::never_started;
}

attempt_outcome outcome_of(const attempt& ended, attempt_state from, const attempt_fact& fact) {
    switch (fact.on) {
        case attempt_event::exited:
            return outcome_of_exit(ended, from, fact);
        case attempt_event::proved_absent:
            return ended.started_at ? attempt_outcome::vanished : attempt_outcome::never_started;
        case attempt_event::cancel:
            return attempt_outcome::cancelled;
        default:
            return attempt_outcome::never_started;
    }
}

std::string words_for_failure(const attempt& ended) {
    std::string words = "ended";
    if (ended.exit_signal)
        words += " by signal " + std::to_string(*ended.exit_signal);
    else if (ended.exit_code)
        words += " with exit code " + std::to_string(*ended.exit_code);
    else
        words += " without an exit code";
    if (ended.failed_rank)
        words += " (rank " + std::to_string(*ended.failed_rank) + ")";
    return words;
}

/// What people read when the provider gave no words of its own.
std::string words_for_end(const attempt& ended, const attempt_fact& fact) {
    switch (ended.outcome) {
        case attempt_outcome::failed:
            return words_for_failure(ended);
        case attempt_outcome::cancelled:
            return ended.displaced_for == displacement::none
                       ? "stopped on request"
                       : "stopped to go on elsewhere (" + std::string(to_string(ended.displaced_for)) + ")";
        case attempt_outcome::preempted:
            return "taken away by the provider";
        case attempt_outcome::timed_out:
            return "stopped by the provider at its wall-clock limit";
        case attempt_outcome::vanished:
            return "the provider no longer knows it; its last sighting is taken as its end";
        case attempt_outcome::never_started:
            if (fact.on == attempt_event::refused)
                return "the provider refused the launch (" + std::string(to_string(fact.why)) + ")";
            return "the launch came to nothing";
        default:
            return {};
    }
}

void finish(attempt& next, attempt_state from, const attempt_fact& fact, instant now) {
    next.outcome = outcome_of(next, from, fact);
    if (fact.on == attempt_event::exited)
        next.ended_at = fact.seen ? fact.seen->ended_at.value_or(now) : now;
    else if (next.outcome == attempt_outcome::vanished)
        next.ended_at = next.last_seen_at.value_or(now);
    else
        next.ended_at = now;
    if (next.started_at)  // the provider's clock and ours may differ
        next.ended_at = std::max(*next.ended_at, *next.started_at);
    if (next.message.empty())
        next.message = words_for_end(next, fact);
}

/// What differs: nothing, or the time of the last sighting alone; its number besides, which has to be kept; or more.
void compare(const attempt& current, const attempt& next, attempt_step& into) {
    attempt sighted = current;
    sighted.last_seen_at = next.last_seen_at;
    into.changed = sighted != next;
    sighted.seen_seq = next.seen_seq;
    into.news = sighted != next;
}

}  // namespace

attempt_step step(const attempt& current, const attempt_fact& fact, instant now) {
    attempt_step result{.next = current};
    if (!same_thing(current, fact)) {
        result.stale = result.foreign = true;
        return result;
    }
    if (!is_new(current, fact) || echoes_end(current, fact)) {
        result.stale = true;
        return result;
    }
    const attempt_transition* row = find_transition(current.state, fact.on);
    if (row == nullptr) {
        result.legal = false;
        return result;
    }

    attempt& next = result.next;
    next.state = row->to;
    result.then = row->then;
    note_record(next, fact, now);
    if (fact.on == attempt_event::started && !next.started_at)
        next.started_at = now;
    if (fact.on == attempt_event::cancel && !next.cancel_wanted) {
        next.cancel_wanted = true;
        next.deadline_cancel = fact.deadline;
        next.displaced_for = fact.displaced_for;
    }
    if (fact.on == attempt_event::given_up) {
        next.given_up_at = now;
        next.cancel_wanted = true;
    }
    if (!fact.message.empty() || next.state != current.state)
        next.message = shortened(fact.message);
    if (next.state == attempt_state::ended)
        finish(next, current.state, fact, now);

    const bool resolved = next.state == attempt_state::pending || next.state == attempt_state::running;
    if (next.cancel_wanted && resolved) {
        row = find_transition(next.state, attempt_event::cancel);
        next.state = row->to;
        result.then = row->then;
    }
    if (!uncertain(next.state))
        next.uncertain_since.reset();
    else if (!uncertain(current.state))
        next.uncertain_since = now;
    compare(current, next, result);
    if (result.news)
        next.updated_at = now;
    return result;
}

attempt_fact fact_of(const observation& seen) {
    attempt_fact fact{.seen = seen, .message = seen.message};
    switch (seen.at) {
        case observation::phase::pending:
            fact.on = attempt_event::accepted;
            break;
        case observation::phase::running:
            fact.on = attempt_event::started;
            break;
        case observation::phase::exited:
            fact.on = attempt_event::exited;
            break;
        case observation::phase::absent:
            fact.on = attempt_event::proved_absent;
            break;
    }
    return fact;
}

namespace {

attempt_fact fact_of_call(const mutation_reply& reply) {
    attempt_fact fact{.why = reply.why, .message = reply.message};
    switch (reply.outcome) {
        case call_outcome::done:
            fact.on = attempt_event::accepted;
            break;
        case call_outcome::not_done:
            fact.on = attempt_event::refused;
            break;
        case call_outcome::unknown:
            fact.on = attempt_event::no_answer;
            break;
    }
    return fact;
}

}  // namespace

attempt_fact fact_of_launch(const mutation_reply& reply) {
    attempt_fact fact = fact_of_call(reply);
    fact.handle = reply.handle;
    return fact;
}

attempt_fact fact_of_cancel(const mutation_reply& reply) {
    attempt_fact fact = fact_of_call(reply);
    if (reply.why == adapter_error::not_found)
        fact.on = attempt_event::no_answer;
    return fact;
}

}  // namespace westerly
