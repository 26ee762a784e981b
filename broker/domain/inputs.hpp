#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/domain/correction.hpp"
#include "broker/domain/foreign_term.hpp"
#include "broker/domain/policy.hpp"
#include "broker/domain/protocol.hpp"
#include "broker/domain/provider.hpp"
#include "broker/domain/signal.hpp"

#include <variant>

namespace westerly {

/// Pairs a request with its answer; given by runtime, never stored. 0: nobody waits.
using request_id = std::uint64_t;

// ---- asked by clients through api -------------------------------------------------------------------------------

struct submit_workload {
    request_id request = 0;
    principal who;
    std::shared_ptr<const workload_spec> spec;
    std::string idempotency_key;                             // empty: none given
    sha256_digest body{};                                    // of the request body, to tell a repeat from a misuse
    std::shared_ptr<const std::string> spec_text = nullptr;  // as encode_workload_spec writes it, where it was
};
struct plan_workload {
    request_id request = 0;
    principal who;
    std::shared_ptr<const workload_spec> spec;
};
/// Answered not_found for one that is not live: whoever asks then looks in the store whether it has ended or never was.
struct cancel_workload {
    request_id request = 0;
    principal who;
    workload_id workload;
    std::optional<std::uint64_t> if_revision;
};
/// Waits no longer for an attempt that is unknown or lost: the workload is placed anew, and two copies may run.
struct give_up_attempt {
    request_id request = 0;
    principal who;
    workload_id workload;
    std::optional<attempt_id> attempt;  // nullopt: its current one
};
/// A terminal, unsuccessful workload is submitted anew under a new id, with the same spec.
struct retry_workload {
    request_id request = 0;
    principal who;
    std::shared_ptr<const workload_spec> spec;  // read by api from the store
    workload_id workload;
    std::string idempotency_key;
    sha256_digest body{};
    std::shared_ptr<const std::string> spec_text = nullptr;
};
struct create_tenant {
    request_id request = 0;
    std::string name;
};
struct create_key {
    request_id request = 0;
    tenant_id tenant;
    role as = role::member;
    std::string name;
    sha256_digest hash{};  // api makes the key and keeps only this
};
struct revoke_key {
    request_id request = 0;
    principal who;
    key_id key;
};
struct cordon_provider {
    request_id request = 0;
    provider_id provider;
    bool cordoned = true;
};
/// Lets the sweep end unknown things of ours again after a restore.
struct confirm_sweep {
    request_id request = 0;
};
/// A later publication of a factor is held against a page of what was metered, read by api from the store. Refused
/// (conflict) when a correction was made since the page was read.
struct correct_carbon {
    request_id request = 0;
    std::shared_ptr<const carbon_publication> told;
    correctable_page read;
    bool dry_run = false;
};

// ---- observed at the edges --------------------------------------------------------------------------------------

struct providers_configured {
    std::vector<provider_config> providers;  // all of them; a missing one is gone
};
struct policies_configured {
    std::vector<policy> policies;  // all of them
    exchange_rates rates;
};
struct provider_reported {
    provider_health health;
};
struct offers_received {
    provider_id provider;
    offer_list offers;  // complete with site facts; replaces the provider's earlier ones
};
/// The answer (or its absence) to a call_provider effect.
struct call_answered {
    provider_id provider;
    attempt_id attempt;
    outbox_verb verb = outbox_verb::launch;
    std::uint64_t outbox_seq = 0;
    mutation_reply reply;  // outcome unknown for time-outs and dead adapters
};
/// The answer to find_attempt; nullopt: the call failed, nothing is known.
struct attempt_found {
    provider_id provider;
    attempt_id attempt;
    std::optional<observation> seen;
};
/// From attempt.changed, get, or list.
struct attempt_observed {
    provider_id provider;
    observation seen;
};
/// A whole list of what the provider holds under our owner mark, for reconcile and the sweep.
struct provider_listed {
    provider_id provider;
    listing list;
};
/// The adapter warns that an attempt will be taken away.
struct preemption_noticed {
    provider_id provider;
    std::string token;
    instant at{};
};
/// Logs of an ended attempt are kept (or cannot be had any more).
struct logs_archived {
    attempt_id attempt;
    std::uint64_t outbox_seq = 0;
    bool ok = true;
    std::string message;
};
/// What one feed tells now; it replaces what the feed told before.
struct signals_received {
    std::string feed;
    std::vector<signal_series> series;
};
/// All feeds there are; what others told is forgotten.
struct feeds_configured {
    std::vector<std::string> feeds;
};
/// All green-power certificates there are.
struct certificates_configured {
    std::vector<certificate> certificates;
};
/// The answer to one question of a score_offers effect: of what a term from a library says of every offer.
struct offers_scored {
    std::uint64_t ticket = 0;
    foreign_column column;
};
struct tick {};
/// SIGTERM: no new placements; what runs goes on.
struct drain_begun {};
/// The wall clock was set, by so much; comes before anything else of the new time.
struct clock_stepped {
    milliseconds by{};
};

using input =
    std::variant<submit_workload, plan_workload, cancel_workload, give_up_attempt, retry_workload, create_tenant,
                 create_key, revoke_key, cordon_provider, confirm_sweep, providers_configured, policies_configured,
                 provider_reported, offers_received, call_answered, attempt_found, attempt_observed, provider_listed,
                 preemption_noticed, logs_archived, signals_received, feeds_configured, certificates_configured,
                 offers_scored, tick, drain_begun, clock_stepped, correct_carbon>;

}  // namespace westerly
