#pragma once

#include "broker/domain/effects.hpp"
#include "broker/engine/fair_order.hpp"
#include "broker/lifecycle/step.hpp"
#include "broker/placement/decide.hpp"

#include <memory>

namespace westerly {

/// For tests and the simulator: told of every legal transition just before it is taken, also of those that stay where
/// they are.
class transition_watch {
public:
    virtual ~transition_watch() = default;
    virtual void moves(const attempt& from, attempt_event on, attempt_state to) = 0;
    virtual void moves(const workload& from, workload_event on) = 0;
};

struct engine_options {
    std::vector<region_place> regions;  // from schema/facts, as the next
    accelerator_table accelerators;
    std::string accelerators_text = {};          // what they were read from, for the records
    std::uint32_t live_workloads_max = 200'000;  // queued and running, all tenants
    std::uint32_t live_per_tenant_max = 100'000;
    std::uint32_t idempotency_per_tenant_max = 100'000;
    std::uint32_t placements_per_input_max = 256;  // so that one input never holds the thread for long
    seconds sweep_grace{120};                      // an unknown thing of ours is ended only when seen for so long
    seconds list_every{60};                        // a whole list per provider
    seconds market_publish_every{1};
    fair_share_rules fair_share = {};
    transition_watch* watch = nullptr;  // outlives the engine
};

/// Everything one input leads to: `changes` are committed first; then `effects` run, in order.
struct reaction {
    change_set changes;
    std::vector<effect> effects;
    std::vector<offer_list> spent;  // long lists that are needed no more: whoever ends the reaction frees them
};

/// Owns all live state: workloads, attempts, the offer book, the waiting room, idempotency keys. Pure: the same inputs,
/// times and random numbers give the same reactions; it never reads a clock, locks, logs or throws for bad input.
/// Memory moves ahead of the commit; a failed commit therefore ends the process, and restart recovers from the store.
/// One thread. Memory: at most about 2 KiB a live attempt.
class engine {
public:
    engine(engine_options options, term_table terms, stored_state from, instant now);
    ~engine();
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    reaction handle(const input& in, instant now, random_source& random);

    /// When `tick` is due next; nullopt: only when something else comes in.
    std::optional<instant> next_wake() const;

    /// For tests and the simulator: the live workload or attempt, or nullptr.
    const workload* find(const workload_id& id) const;
    const attempt* find(const attempt_id& id) const;
    std::size_t live_workloads() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace westerly
