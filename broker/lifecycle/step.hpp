#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/domain/protocol.hpp"
#include "broker/domain/transitions.hpp"

namespace westerly {

/// Something learned about an attempt: the answer to a call, an observation, a proof of absence, or silence.
struct attempt_fact {
    attempt_event on = attempt_event::silent;
    std::optional<observation> seen = {};  // for accepted, started, exited, proved_absent; absent for answers to calls
    adapter_error why = adapter_error::none;
    std::string message = {};
    std::string handle = {};  // the provider's id from the answer to a launch; may be empty
    bool deadline = false;    // of a cancel: the broker asks because time ran out, not the tenant
    displacement displaced_for = displacement::none;  // likewise: the broker asks, to go on with the work elsewhere
};

struct attempt_step {
    attempt next;  // differs from the argument in last_seen_at at most when not `changed`: keep it, no commit needed
    attempt_effect then = attempt_effect::none;
    bool changed = false;  // worth a commit
    bool news = false;     // in more than the sighting's number: worth an event, too
    bool legal = true;     // false: no row for it; nothing changed
    bool stale = false;    // older than what was seen, or another thing's identity: dropped
    bool foreign = false;  // stale because the provider spoke of another thing under this attempt's token
};

/// One transition of one attempt. Pure. Times come from the provider's record (`now` where it keeps none); the outcome
/// of `ended` follows from fact, cancel wish and walltime. A wish to cancel that waited for an unknown launch goes
/// straight on to stopping when the launch is resolved; so does an attempt that was given up, when it turns up. Every
/// fact about an ended attempt is illegal or stale.
attempt_step step(const attempt& current, const attempt_fact& fact, instant now);

/// The fact in an observation of this attempt; identity is checked by `step`.
attempt_fact fact_of(const observation& seen);
/// The fact in the answer to a launch or cancel. Not_found to cancel is unknown until find proves absence; done to
/// cancel says that the stop is under way, and sights nothing.
attempt_fact fact_of_launch(const mutation_reply& reply);
attempt_fact fact_of_cancel(const mutation_reply& reply);

constexpr bool uncertain(attempt_state state) noexcept {
    return state == attempt_state::unknown || state == attempt_state::lost;
}
/// What a tenant reads while nothing is known of an attempt: what is not known, since when, what is done about it, what
/// there is to choose. `at`: when the retry rule gives it up by itself.
wait_reason uncertainty(const attempt& of, const workload& for_whom, std::optional<instant> at);

/// Attempts of one workload that were given up and may still run.
inline constexpr std::size_t given_up_max = 4;

/// Launches of one workload that may come to nothing (refused, or proved absent) before it is given up.
inline constexpr std::uint32_t never_started_max = 100;
inline constexpr std::uint32_t forgiven_at_once = 8;

/// What becomes of a workload when its attempt has ended.
struct settlement {
    workload_event on = workload_event::failed;
    bool counts = true;                      // toward retry.attempts_max: add it to attempts_counted
    bool forgiven = false;                   // add it to attempts_forgiven
    bool displaced = false;                  // add it to attempts_displaced
    std::optional<instant> not_before = {};  // of the next try, for requeued
    std::string message = {};
};
/// `of` as it was when the attempt ended: `attempts` includes the ended one, `attempts_counted` does not yet. A
/// tenant's cancel (of.cancel_wanted, so `of` is stopping) settles as cancelled unless the attempt succeeded; a stop by
/// the broker or the walltime as expired; the rest by the retry rule. Never-started attempts do not count, have a
/// back-off of their own and are bounded by never_started_max. A launch that was refused for want of capacity or of
/// good credentials (`why`) is forgiven: no fault of the workload's, so it is placed anew at once, the first
/// forgiven_at_once times, and later after a back-off, for ever. One that the broker has displaced is placed anew at
/// once, however it ended but by success, a cancel or its limits of time, and does not count.
settlement settle(const workload& of, const attempt& ended, instant now, random_source& random,
                  adapter_error why = adapter_error::none);

/// Exponential from `base_s` (the delay after the first failure), at most 3600 s, with full jitter in the upper half:
/// [d/2, d].
milliseconds back_off(std::uint32_t base_s, std::uint32_t failures, random_source& random);

struct reconciliation {
    std::vector<attempt_fact> facts;  // parallel to `attempts`
    std::vector<attempt_id> attempts;
    std::vector<attempt_id> ask;  // recorded and live, but not in a list that could prove anything: find them
    std::vector<observation> unknown_things;  // ours by owner mark, in no record, or there although recorded as ended
};

/// Holds what is recorded at one provider against a list of what is there. An attempt is absent only when the list is
/// complete, was taken after the attempt's launch was answered, and later than `visibility_s` after that (and after its
/// last sighting). An attempt whose launch is still to be answered is left to that answer: no fact, no question.
reconciliation reconcile(std::span<const attempt* const> recorded, const listing& observed, std::uint32_t visibility_s,
                         instant now);

}  // namespace westerly
