#pragma once

#include "broker/domain/inputs.hpp"

namespace westerly {

/// Every effect runs only after the change_set it came with is durable, in order.

/// Do an outbox item at its provider. `launch` is filled for launches. The answer comes back as call_answered.
struct call_provider {
    provider_id provider;
    attempt_id attempt;
    outbox_verb verb = outbox_verb::launch;
    std::uint64_t outbox_seq = 0;
    std::shared_ptr<const launch_request> launch;
    std::uint32_t grace_s = 30;  // for cancel
};
/// Ask by token; answered by attempt_found.
struct find_attempt {
    provider_id provider;
    attempt_id attempt;
};
/// Look at these; each comes back as attempt_observed. At most 256 per effect.
struct poll_attempts {
    provider_id provider;
    std::vector<attempt_id> attempts;
};
/// Ask for the whole list; answered by provider_listed.
struct list_provider {
    provider_id provider;
};
/// End a thing of ours that no record knows.
struct sweep_orphan {
    provider_id provider;
    std::string token;
};
/// Keep an ended attempt's logs; answered by logs_archived.
struct archive_logs {
    provider_id provider;
    attempt_id attempt;
    std::uint32_t tasks = 1;
    std::uint64_t outbox_seq = 0;
};

/// A thing of ours at a provider that no record knows, listed until swept or adopted.
struct orphan {
    provider_id provider;
    std::string token;
    std::string phase;
    instant first_seen_at{};
    friend bool operator==(const orphan&, const orphan&) = default;
};

struct broker_counts {
    std::array<std::uint64_t, 8> workloads{};  // by workload_state: non-terminal now; terminal since start
    std::array<std::uint64_t, 8> attempts{};   // by attempt_state, live now; ended since start
    std::uint64_t decisions = 0;
    std::uint64_t illegal_transitions = 0;
    std::uint64_t orphans_swept = 0;
};

/// What readers may see of the market: offers with what is free now, providers, policies.
struct market_view {
    std::uint64_t book_version = 0;
    offer_list offers;  // by offer id; units_free is what the broker would still place
    std::vector<provider_config> provider_configs;
    std::vector<provider_health> providers;
    std::vector<quarantine> quarantines;  // by provider
    std::vector<policy> policies;
    std::vector<signal_status> signals;            // by id
    std::vector<certificate_status> certificates;  // by id
    exchange_rates rates;
    std::vector<orphan> orphans;
    bool sweeping = true;
    broker_counts counts;
};
struct publish_market {
    std::shared_ptr<const market_view> view;
};

/// Tell waiting event streams about these; they are durable now.
struct publish_events {
    std::vector<event> events;
};
/// Keys or tenants changed: whoever caches them loads anew.
struct keys_changed {};

struct submitted {
    workload accepted;
    bool repeated = false;  // an idempotent repeat of an earlier request; when that workload has ended, `accepted`
                            // holds id and tenant only (spec is null): the rest is in the store
};
struct done_answer {};
using answer = std::variant<submitted, workload, plan_result, tenant, api_key, done_answer, corrections_made>;
struct answer_request {
    request_id request = 0;
    result<answer> value;
};

using effect = std::variant<call_provider, find_attempt, poll_attempts, list_provider, sweep_orphan, archive_logs,
                            publish_market, publish_events, keys_changed, answer_request, score_offers>;

}  // namespace westerly
