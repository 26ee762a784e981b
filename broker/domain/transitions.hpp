#pragma once

#include "broker/domain/attempt.hpp"

#include <algorithm>
#include <span>

namespace westerly {

/// What can happen to an attempt. Facts from calls and observations are turned into these by `lifecycle`.
enum class attempt_event : std::uint8_t {
    dispatched,     // its launch was handed to the provider's queue, after the commit
    accepted,       // the provider has it, waiting
    refused,        // proved: nothing was created
    no_answer,      // the call's outcome is unknown
    started,        // the provider's record says it runs
    exited,         // the provider's record says it ended
    proved_absent,  // a find or a complete list says it is not there
    silent,         // unseen past the limit: not proof of anything
    cancel,         // a stop is asked for
    given_up        // the tenant accepts that a second copy may run; this one is stopped if it turns up
};
/// What to do next about an attempt.
enum class attempt_effect : std::uint8_t { none, launch, find, cancel, finish };
std::string_view to_string(attempt_event event);
std::string_view to_string(attempt_effect effect);

struct attempt_transition {
    attempt_state from;
    attempt_event on;
    attempt_state to;
    attempt_effect then;
};

/// The whole life of an attempt. `finish` rates it and settles its workload. A pair that is not here is illegal:
/// nothing changes and the pair is recorded by name.
inline constexpr attempt_transition attempt_transitions[] = {
    {attempt_state::intended, attempt_event::dispatched, attempt_state::submitting, attempt_effect::launch},
    {attempt_state::intended, attempt_event::cancel, attempt_state::ended, attempt_effect::finish},

    {attempt_state::submitting, attempt_event::accepted, attempt_state::pending, attempt_effect::none},
    {attempt_state::submitting, attempt_event::started, attempt_state::running, attempt_effect::none},
    {attempt_state::submitting, attempt_event::exited, attempt_state::ended, attempt_effect::finish},
    {attempt_state::submitting, attempt_event::refused, attempt_state::ended, attempt_effect::finish},
    {attempt_state::submitting, attempt_event::no_answer, attempt_state::unknown, attempt_effect::find},
    // Only wanted: a launch under way cannot be taken back, so the stop follows its answer.
    {attempt_state::submitting, attempt_event::cancel, attempt_state::submitting, attempt_effect::none},

    {attempt_state::unknown, attempt_event::accepted, attempt_state::pending, attempt_effect::none},
    {attempt_state::unknown, attempt_event::started, attempt_state::running, attempt_effect::none},
    {attempt_state::unknown, attempt_event::exited, attempt_state::ended, attempt_effect::finish},
    {attempt_state::unknown, attempt_event::proved_absent, attempt_state::ended, attempt_effect::finish},
    {attempt_state::unknown, attempt_event::no_answer, attempt_state::unknown, attempt_effect::find},
    {attempt_state::unknown, attempt_event::refused, attempt_state::unknown, attempt_effect::find},
    {attempt_state::unknown, attempt_event::cancel, attempt_state::unknown, attempt_effect::find},
    {attempt_state::unknown, attempt_event::given_up, attempt_state::unknown, attempt_effect::find},

    {attempt_state::pending, attempt_event::accepted, attempt_state::pending, attempt_effect::none},
    {attempt_state::pending, attempt_event::started, attempt_state::running, attempt_effect::none},
    {attempt_state::pending, attempt_event::exited, attempt_state::ended, attempt_effect::finish},
    {attempt_state::pending, attempt_event::proved_absent, attempt_state::ended, attempt_effect::finish},
    // A launch may be seen before its call is answered, and the answer then be lost.
    {attempt_state::pending, attempt_event::no_answer, attempt_state::pending, attempt_effect::none},
    {attempt_state::pending, attempt_event::silent, attempt_state::lost, attempt_effect::find},
    {attempt_state::pending, attempt_event::cancel, attempt_state::stopping, attempt_effect::cancel},

    {attempt_state::running, attempt_event::started, attempt_state::running, attempt_effect::none},
    {attempt_state::running, attempt_event::accepted, attempt_state::running, attempt_effect::none},
    {attempt_state::running, attempt_event::exited, attempt_state::ended, attempt_effect::finish},
    {attempt_state::running, attempt_event::proved_absent, attempt_state::ended, attempt_effect::finish},
    {attempt_state::running, attempt_event::no_answer, attempt_state::running, attempt_effect::none},
    {attempt_state::running, attempt_event::silent, attempt_state::lost, attempt_effect::find},
    {attempt_state::running, attempt_event::cancel, attempt_state::stopping, attempt_effect::cancel},

    {attempt_state::stopping, attempt_event::accepted, attempt_state::stopping, attempt_effect::none},
    {attempt_state::stopping, attempt_event::started, attempt_state::stopping, attempt_effect::none},
    {attempt_state::stopping, attempt_event::exited, attempt_state::ended, attempt_effect::finish},
    {attempt_state::stopping, attempt_event::proved_absent, attempt_state::ended, attempt_effect::finish},
    {attempt_state::stopping, attempt_event::no_answer, attempt_state::stopping, attempt_effect::cancel},
    {attempt_state::stopping, attempt_event::refused, attempt_state::stopping, attempt_effect::cancel},
    {attempt_state::stopping, attempt_event::silent, attempt_state::lost, attempt_effect::find},
    {attempt_state::stopping, attempt_event::cancel, attempt_state::stopping, attempt_effect::none},

    {attempt_state::lost, attempt_event::accepted, attempt_state::pending, attempt_effect::none},
    {attempt_state::lost, attempt_event::started, attempt_state::running, attempt_effect::none},
    {attempt_state::lost, attempt_event::exited, attempt_state::ended, attempt_effect::finish},
    {attempt_state::lost, attempt_event::proved_absent, attempt_state::ended, attempt_effect::finish},
    {attempt_state::lost, attempt_event::no_answer, attempt_state::lost, attempt_effect::find},
    {attempt_state::lost, attempt_event::refused, attempt_state::lost, attempt_effect::find},  // of a stop sent before
    {attempt_state::lost, attempt_event::silent, attempt_state::lost, attempt_effect::find},
    {attempt_state::lost, attempt_event::cancel, attempt_state::lost, attempt_effect::find},
    {attempt_state::lost, attempt_event::given_up, attempt_state::lost, attempt_effect::find},
};

/// What can happen to a workload.
enum class workload_event : std::uint8_t {
    placed,     // an attempt is made for it
    started,    // its attempt runs
    succeeded,  // its attempt exited 0
    failed,     // ended and not to be retried
    requeued,   // ended or never started, and to be tried again
    cancel,     // the tenant asks for its end
    cancelled,  // its attempt is proved ended after a cancel
    expired,    // waited or worked past its limit
    given_up    // the tenant waits no longer for an attempt of which nothing is known
};
std::string_view to_string(workload_event event);

struct workload_transition {
    workload_state from;
    workload_event on;
    workload_state to;
};

inline constexpr workload_transition workload_transitions[] = {
    {workload_state::queued, workload_event::placed, workload_state::launching},
    {workload_state::queued, workload_event::failed, workload_state::failed},
    {workload_state::queued, workload_event::cancel, workload_state::cancelled},
    {workload_state::queued, workload_event::expired, workload_state::expired},

    {workload_state::launching, workload_event::started, workload_state::active},
    {workload_state::launching, workload_event::succeeded, workload_state::succeeded},
    {workload_state::launching, workload_event::failed, workload_state::failed},
    {workload_state::launching, workload_event::requeued, workload_state::queued},
    {workload_state::launching, workload_event::cancel, workload_state::stopping},
    {workload_state::launching, workload_event::expired, workload_state::expired},
    {workload_state::launching, workload_event::given_up, workload_state::queued},

    {workload_state::active, workload_event::started, workload_state::active},
    {workload_state::active, workload_event::succeeded, workload_state::succeeded},
    {workload_state::active, workload_event::failed, workload_state::failed},
    {workload_state::active, workload_event::requeued, workload_state::queued},
    {workload_state::active, workload_event::cancel, workload_state::stopping},
    {workload_state::active, workload_event::expired, workload_state::expired},
    {workload_state::active, workload_event::given_up, workload_state::queued},

    {workload_state::stopping, workload_event::started, workload_state::stopping},
    {workload_state::stopping, workload_event::cancel, workload_state::stopping},
    {workload_state::stopping, workload_event::cancelled, workload_state::cancelled},
    {workload_state::stopping, workload_event::succeeded, workload_state::succeeded},
    {workload_state::stopping, workload_event::failed, workload_state::failed},
    {workload_state::stopping, workload_event::expired, workload_state::expired},
};

template <class Row>
constexpr bool unambiguous(std::span<const Row> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = i + 1; j < rows.size(); ++j)
            if (rows[i].from == rows[j].from && rows[i].on == rows[j].on)
                return false;
    return true;
}
static_assert(unambiguous(std::span<const attempt_transition>(attempt_transitions)));
static_assert(unambiguous(std::span<const workload_transition>(workload_transitions)));

/// The row for (from, on), or nullptr: illegal.
constexpr const attempt_transition* find_transition(attempt_state from, attempt_event on) {
    const auto* row =
        std::ranges::find_if(attempt_transitions, [&](const auto& t) { return t.from == from && t.on == on; });
    return row == std::ranges::end(attempt_transitions) ? nullptr : row;
}
constexpr const workload_transition* find_transition(workload_state from, workload_event on) {
    const auto* row =
        std::ranges::find_if(workload_transitions, [&](const auto& t) { return t.from == from && t.on == on; });
    return row == std::ranges::end(workload_transitions) ? nullptr : row;
}

}  // namespace westerly
