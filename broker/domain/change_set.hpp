#pragma once

#include "broker/domain/history.hpp"
#include "broker/domain/records.hpp"

namespace westerly {

/// A decision as the store keeps it, by codec's pack_decision.
struct packed_decision {
    decision_id id;
    workload_id workload;
    std::string bytes;
    std::string basis;  // by pack_basis; empty: none was kept
};

/// Everything one input changes: the store writes it in one transaction, in the order of the fields, or not at all.
/// Whole values replace what was stored under the same id.
struct change_set {
    std::uint64_t epoch = 0;  // of the engine's ownership; a stale one is refused
    std::vector<tenant> tenants;
    std::vector<api_key> keys;
    std::vector<cordon> cordons;
    std::vector<tenant_use> tenant_uses;
    std::vector<workload> workloads_new;
    std::vector<workload> workloads_changed;  // only what may change: state, waiting, counters, times, message
    std::vector<attempt> attempts_new;
    std::vector<attempt> attempts_changed;
    std::vector<history_entry> history;
    std::vector<signal_entry> signal_history;
    std::vector<terms_entry> terms_history;
    std::vector<policy_text> policies;  // in use from now on; those that are known already do not matter
    std::vector<decision> decisions;
    std::vector<decision_basis> bases;              // of some of the decisions
    std::vector<packed_decision> decisions_packed;  // others, already in the store's form
    std::vector<event> events;
    std::vector<outbox_item> outbox_new;
    std::vector<std::uint64_t> outbox_done;  // seqs
    std::vector<usage> usages;
    std::vector<charge> charges;
    std::vector<stored_speed> speeds;  // as they are now
    std::vector<idempotency_record> idempotency_new;
    std::optional<instant> idempotency_expired_before;

    bool empty() const noexcept {
        return tenants.empty() && keys.empty() && cordons.empty() && tenant_uses.empty() && workloads_new.empty() &&
               workloads_changed.empty() && attempts_new.empty() && attempts_changed.empty() && decisions.empty() &&
               history.empty() && signal_history.empty() && terms_history.empty() && policies.empty() &&
               bases.empty() && decisions_packed.empty() && events.empty() && outbox_new.empty() &&
               outbox_done.empty() && usages.empty() && charges.empty() && speeds.empty() && idempotency_new.empty() &&
               !idempotency_expired_before;
    }
};

/// A place that a decision gave to a workload, and that it waits for until others, or its own run, have left theirs.
struct kept_place {
    workload_id holder;
    decision_id decision;
    offer_id offer;
    std::uint64_t units = 0;
    friend bool operator==(const kept_place&, const kept_place&) = default;
};

/// Which decision keeps a place for the workload, if one does. `current`: its attempt of that name, or nullptr.
std::optional<decision_id> keeps_a_place(const workload& w, const attempt* current);

/// What the store gives the engine at start: all that lives, and the counters to go on from.
struct stored_state {
    owner_id owner;
    std::uint64_t generation = 1;                // raised by each restore
    bool sweeping = true;                        // off after a restore or under another machine-id, until confirmed
    std::uint64_t epoch = 1;                     // already raised for this start
    std::uint64_t outbox_seq = 0;                // highest ever given
    std::uint64_t history_seq = 0;               // the same
    std::uint64_t corrections = 0;               // highest number of one
    std::array<std::uint64_t, 256> event_seq{};  // highest per shard
    std::vector<tenant> tenants;
    std::vector<api_key> keys;
    std::vector<cordon> cordons;
    std::vector<tenant_use> tenant_uses;
    std::vector<workload> workloads;  // the non-terminal ones, and those with a live attempt that was given up
    std::vector<attempt> attempts;    // the live ones, and the current one of every non-terminal workload
    std::vector<outbox_item> outbox;
    std::vector<idempotency_record> idempotency;  // younger than 24 h
    std::vector<certificate_use> certificates_given;
    std::vector<stored_speed> speeds;
    std::vector<kept_place> kept_places;  // of the workloads, in their order
};

}  // namespace westerly
