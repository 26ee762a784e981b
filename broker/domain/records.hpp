#pragma once

#include "broker/domain/attempt.hpp"
#include "broker/domain/certificate.hpp"
#include "broker/domain/decision.hpp"
#include "broker/domain/workload.hpp"
#include "broker/support/bytes.hpp"

#include <memory>

namespace westerly {

/// Roles of this version; viewer and tenant_admin come with projects.
enum class role : std::uint8_t { member, operator_ };
std::string_view to_string(role r);

struct tenant {
    tenant_id id;
    std::string name;  // slug, unique in the installation
    instant created_at{};
    friend bool operator==(const tenant&, const tenant&) = default;
};

/// An API key: "wk_" + 64 hex digits (256 random bits), shown once; only its SHA-256 is kept.
struct api_key {
    key_id id;
    tenant_id tenant;
    role as = role::member;
    std::string name;
    sha256_digest hash{};
    instant created_at{};
    std::optional<instant> revoked_at;
    friend bool operator==(const api_key&, const api_key&) = default;
};

/// An operator's last word on whether a provider takes new work, over the provider file's.
struct cordon {
    provider_id provider;
    bool cordoned = true;
    friend bool operator==(const cordon&, const cordon&) = default;
};

/// What a tenant has had of capacity that has a limit, in list-price money of the base currency, halved with time
/// (placement/fair_use.hpp): it decides whose turn it is. What still runs is counted on from `as_of`.
struct tenant_use {
    tenant_id tenant;
    double used = 0;
    instant as_of{};
    friend bool operator==(const tenant_use&, const tenant_use&) = default;
};

/// Who asks. Made by api from a key; everything a tenant reads or changes is bounded by it.
struct principal {
    tenant_id tenant;
    std::string tenant_name;
    role as = role::member;
    key_id key;
    friend bool operator==(const principal&, const principal&) = default;
};

/// Why a workload waits. Shown to the tenant in words with the remedy.
struct wait_reason {
    std::string code;  // "no_capacity", "no_feasible_offer", "not_before", "back_off", "provider_unhealthy", "held", …
    std::string detail;  // in English
    /// The same in pieces that can be told in any language, with money in `base` (domain/waiting.hpp). None: records of
    /// versions that had English only.
    std::vector<note> pieces = {};
    currency base = currency::cny;
    friend bool operator==(const wait_reason&, const wait_reason&) = default;
};

/// The code of who waits for those that were stopped for it.
inline constexpr std::string_view waits_for_stopped = "preempting";

struct workload {
    workload_id id;
    tenant_id tenant;
    std::shared_ptr<const workload_spec> spec;     // immutable; null where only its text was read
    std::shared_ptr<const std::string> spec_text;  // the same as encode_workload_spec writes it, where somebody has it
    instant created_at{};
    instant updated_at{};
    workload_state state = workload_state::queued;
    std::vector<wait_reason> waiting;      // why it is queued, or what is not known of its attempt
    std::uint64_t revision = 0;            // seq of its last event: the ETag
    std::uint32_t attempts = 0;            // made so far
    std::uint32_t attempts_counted = 0;    // toward retry.attempts_max: those that started
    std::uint32_t attempts_forgiven = 0;   // never started for want of capacity or credentials: no fault of its own
    std::uint32_t attempts_displaced = 0;  // ended by the broker, to go on elsewhere or later
    double work_done = 0;                  // share of the work that is in portable checkpoints of ended attempts
    std::int64_t billed_micros = 0;        // so far, over its attempts, in its budget's currency; 0 without a budget
    std::optional<attempt_id> current;     // the live or last attempt
    std::optional<decision_id> last_decision;
    std::optional<instant> next_action_at;  // not placed before (back-off, earliest start)
    bool cancel_wanted = false;
    std::optional<instant> started_at;  // of the first attempt that ran
    std::optional<instant> ended_at;
    std::optional<std::int32_t> exit_code;
    std::optional<std::int32_t> exit_signal;
    std::string message;  // why it ended as it did
    friend bool operator==(const workload&, const workload&) = default;
};

/// One change, appended in the transaction that makes it. `seq` rises per shard without gaps.
struct event {
    std::uint64_t seq = 0;
    std::uint8_t shard = 0;
    std::uint64_t prev_seq = 0;  // the same workload's previous event; 0: none
    instant at{};
    tenant_id tenant;
    workload_id workload;  // none for tenant and key events
    std::optional<attempt_id> attempt;
    std::string type;    // "workload.queued", "workload.launching", "attempt.running", …
    std::string detail;  // for people, at most 1 KiB
    friend bool operator==(const event&, const event&) = default;
};

/// What a correction row has beside the numbers of a usage row: by which factor a part of a run counts from now on.
struct carbon_correction {
    usage_id of;               // the metered row
    std::uint64_t number = 0;  // rises per installation
    instant from_at{};         // the part of the run, [from_at, until_at)
    instant until_at{};
    double g_per_kwh = 0;   // the mean of the publication over that part
    std::int32_t year = 0;  // that the factor is of
    std::string reason;
    friend bool operator==(const carbon_correction&, const carbon_correction&) = default;
};

/// Metered use of one lease over [start_at, end_at): from the provider's own record. A row is never changed: where a
/// factor is published later, a second row of the same run and the same times holds the difference of its carbon, with
/// `correction`, no units and energy 0, so that sums over rows hold.
struct usage {
    usage_id id;
    attempt_id attempt;
    workload_id workload;
    tenant_id tenant;
    std::string project;
    provider_id provider;
    std::string site;
    std::string region;
    offer_id offer;
    instant start_at{};
    instant end_at{};
    std::uint64_t units = 0;
    std::optional<std::int64_t> energy_microkwh;  // facility energy, 10^-6 kWh
    std::optional<std::int64_t> non_green_microkwh;
    std::optional<std::int64_t> carbon_mg;  // location-based, 10^-6 kg
    std::optional<double> green_power_share;
    std::optional<double> pue;
    std::string carbon_source;
    quality_class carbon_quality = quality_class::default_value;
    std::optional<std::int64_t> carbon_market_mg = std::nullopt;  // market-based, 10^-6 kg
    std::string carbon_market_source = {};                        // what covers how much, and what the rest is by
    std::vector<green_allocation> certificates = {};  // that were given to it; kept apart from the row by the store
    bool measured = true;                             // false: the end is our last sighting (the thing vanished)
    std::string grid_zone = {};                       // of its site when it was metered; empty: none, or an older row
    /// Of non_green_microkwh what the market-based number counts by the grid's average.
    std::optional<std::int64_t> by_grid_microkwh = std::nullopt;
    std::optional<carbon_correction> correction = std::nullopt;
    friend bool operator==(const usage&, const usage&) = default;
};

/// The money for one usage row (FOCUS: Usage, Usage-Based, Standard). All four costs are ex tax.
struct charge {
    usage_id usage;
    attempt_id attempt;
    workload_id workload;
    tenant_id tenant;
    std::string project;
    provider_id provider;
    std::string site;
    offer_id offer;
    instant start_at{};
    instant end_at{};
    unit_price price;             // of hourly prices the mean over billed_ms
    std::uint64_t billed_ms = 0;  // after increment and minimum, per unit
    std::uint64_t units = 0;
    std::int64_t list_micros = 0;
    std::int64_t contracted_micros = 0;
    std::int64_t billed_micros = 0;
    std::int64_t effective_micros = 0;
    friend bool operator==(const charge&, const charge&) = default;
};

/// What the outbox still has to do at a provider.
enum class outbox_verb : std::uint8_t { launch, cancel, archive_logs };
struct outbox_item {
    std::uint64_t seq = 0;  // rises per installation
    std::uint8_t provider_shard = 0;
    provider_id provider;
    attempt_id attempt;
    outbox_verb verb = outbox_verb::launch;
    std::uint32_t tasks = 1;  // ranks whose logs archive_logs keeps; at start the workload may no longer be loaded
    friend bool operator==(const outbox_item&, const outbox_item&) = default;
};

/// A client's key with what was answered to it: a repeat within 24 h gets the same workload.
struct idempotency_record {
    tenant_id tenant;
    std::string route;  // "POST /v1/workloads"
    std::string key;    // 1..255 printable ASCII
    sha256_digest body{};
    workload_id workload;
    instant created_at{};
    friend bool operator==(const idempotency_record&, const idempotency_record&) = default;
};

}  // namespace westerly
