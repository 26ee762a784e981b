#pragma once

#include "broker/engine/backfill.hpp"
#include "broker/engine/engine.hpp"
#include "broker/engine/launch_gate.hpp"
#include "broker/engine/retry_budget.hpp"
#include "broker/engine/waiting_room.hpp"

#include <set>

namespace westerly {

enum class touch : std::uint8_t { none, changed, made };

/// A workload that has not ended, or of which an attempt is left that was given up.
struct live_workload {
    workload value;
    demand_shape shape{};
    bool seated = false;                // in the waiting room
    instant waits_since{};              // to start: since it came, or its last attempt ended
    bool preempts = false;              // others were stopped for it, until it starts; over restarts by its reason
    std::optional<instant> shown_date;  // that its reasons name, since the start of the broker
    touch mark = touch::none;
    bool lingering = false;                        // counted as such
    std::uint8_t given_up = 0;                     // attempts that the tenant gave up and that are not proved ended
    std::optional<instant> place_due, expire_due;  // timers

    /// Ended, and kept only because an attempt of it that was given up is not proved ended.
    bool lingers() const noexcept { return terminal(value.state); }
};

/// An attempt that has not ended, with what is under way about it.
struct live_attempt {
    attempt value;
    std::uint64_t launch_seq = 0;  // its outbox rows; 0: none
    std::uint64_t cancel_seq = 0;
    std::uint32_t find_failures = 0;
    std::uint32_t cancel_failures = 0;
    instant call_ended_at{};  // no launch of it can have been under way after this: absence counts from here
    std::optional<instant> find_asked_at;                                   // a find is under way since
    std::optional<instant> find_due, cancel_due, overrun_due, give_up_due;  // timers
    bool find_parked = false;                                               // wanted, but its provider cannot be asked
    bool cancel_parked = false;
    bool cancel_under_way = false;
    bool preemption_noted = false;
    std::optional<instant> look_due;  // in looks_
    touch mark = touch::none;
};

/// Logs of an ended attempt that its provider still holds.
struct archive_work {
    outbox_item row;
    std::uint32_t failures = 0;
    std::optional<instant> due;  // timer
    bool parked = false;
};

/// One provider: what is configured, how it is, and what is ours there.
struct provider_entry {
    std::optional<provider_config> config;  // nullopt: gone from the configuration, with attempts of ours still there
    provider_health health;
    std::set<attempt_id> attempts;
    attempt_id poll_after{};  // the last one polled
    instant next_poll_at{};
    instant next_list_at{};
    bool offers_seen = false;  // since it was configured
    launch_gate gate;
    retry_budget retries;

    bool usable() const noexcept {
        return config && config->kind != "catalogue" &&
               (health.state == provider_state::ready || health.state == provider_state::degraded);
    }
};

/// What one input leads to while it is worked on.
struct turn {
    instant now{};
    random_source& random;
    change_set changes{};
    std::vector<effect> answers{};
    std::vector<effect> calls{};
    std::vector<offer_list> spent{};
    std::vector<workload_id> workloads{};  // touched, in order of first touch
    std::vector<attempt_id> attempts{};
    struct workload_answer {
        request_id request = 0;
        workload_id workload;
        bool submitted = false;
    };
    std::vector<workload_answer> workload_answers{};  // given with the workload as it is at the end of the turn
};

/// What one workload was given in its turn: it holds it, and the attempt is made when the round is over.
struct given_start {
    workload_id who;
    decision made;  // ranked.front() is where
    decision_basis basis;
    lease terms;
    run_bounds takes;
    bool kept = false;  // for it alone: others have gone, or its own run has, so that it starts there
};

/// Those whose turn came with one input, before anything is started: they may still make room for each other.
struct placement_round {
    std::vector<given_start> starts;  // in the order of turns
    struct refusal {
        workload_id who;  // the first of its group, which sleeps
        std::vector<wait_reason> reasons;
        std::optional<instant> until = std::nullopt;  // time alone may help then, and the reasons say so
    };
    std::vector<refusal> refused;
};

}  // namespace westerly
