#pragma once

#include "broker/domain/offer.hpp"

namespace westerly {

enum class workload_state : std::uint8_t { queued, launching, active, stopping, succeeded, failed, cancelled, expired };
enum class attempt_state : std::uint8_t { intended, submitting, pending, running, stopping, unknown, lost, ended };
enum class attempt_outcome : std::uint8_t {
    none,
    succeeded,
    failed,
    cancelled,
    preempted,
    timed_out,
    never_started,
    vanished
};
/// Why the broker itself ends a run that does well, to go on with it elsewhere or later; `none`: it does not.
enum class displacement : std::uint8_t {
    none,
    better_place,  // what is left of it costs less elsewhere, the move included
    preemptor,     // work of higher priority needs its place
    reclaim        // whoever the capacity was lent by wants it back
};
std::string_view to_string(displacement why);
std::string_view to_string(workload_state state);
std::string_view to_string(attempt_state state);
std::string_view to_string(attempt_outcome outcome);
std::optional<workload_state> parse_workload_state(std::string_view text) noexcept;

constexpr bool terminal(workload_state s) noexcept {
    return s >= workload_state::succeeded;
}
constexpr bool live(attempt_state s) noexcept {
    return s != attempt_state::ended;
}

/// The right to run, at frozen terms: what rating and carbon accounting use, whatever changes later.
struct lease {
    unit_price price;
    billing_mode mode = billing_mode::on_demand;
    std::uint64_t units = 0;
    std::uint32_t increment_s = 1;
    std::uint32_t minimum_s = 0;
    exchange_rates rates;
    std::optional<double> idle_w;  // per unit
    std::optional<double> max_w;
    std::optional<sourced> pue;
    std::optional<sourced> green_power_share;
    std::optional<sourced> carbon_g_per_kwh;
    std::optional<sourced> residual_g_per_kwh;
    std::uint32_t tasks = 0;   // the gang's size; 0: of an older record, as its workload tells
    std::uint64_t work_s = 0;  // the whole of the work would take so long here, uninterrupted; 0: not known
    bool limited = false;      // of capacity that has a limit: using it counts for whose turn it is
    std::optional<unit_price> list_price = std::nullopt;  // where it is not what is billed: of owned reservations
    price_schedule schedule = {};                         // hours at which another price holds than `price`
    double utilisation = 1;                               // mean power between idle and max, 0..1
    friend bool operator==(const lease&, const lease&) = default;
};

/// Where a run is, as its provider tells. Identity is checked on each: token and handle must match the attempt.
struct observation {
    enum class phase : std::uint8_t { pending, running, exited, absent };  // absent: proved, never guessed
    phase at = phase::pending;
    std::string token;
    std::string handle;                 // the provider's own id
    std::uint64_t seq = 0;              // rises per token, restarts included; an older one is dropped
    std::optional<instant> started_at;  // the provider's record
    std::optional<instant> ended_at;
    std::optional<std::int32_t> exit_code;  // of the first task that failed, else 0
    std::optional<std::int32_t> exit_signal;
    std::optional<std::uint32_t> failed_rank;
    bool timed_out = false;  // the provider enforced max_runtime_s
    bool preempted = false;
    std::string message;  // for people: "ended by signal 9", at most 1 KiB
    friend bool operator==(const observation&, const observation&) = default;
};

/// One try to run one part of a workload at one provider. This version has one part: the whole.
struct attempt {
    attempt_id id;
    workload_id workload;
    tenant_id tenant;
    std::uint32_t number = 1;  // 1, 2, … within the workload
    provider_id provider;
    std::string site;
    offer_id offer;
    decision_id decision;
    lease terms;
    std::uint64_t fence = 0;  // the shard's epoch at launch
    attempt_state state = attempt_state::intended;
    attempt_outcome outcome = attempt_outcome::none;
    bool cancel_wanted = false;    // a stop is asked for; kept while the outcome of the launch is unknown
    bool deadline_cancel = false;  // the stop came from the broker (expiry), not from the tenant
    displacement displaced_for = displacement::none;  // likewise, and its workload is placed anew
    std::string handle;
    std::uint64_t seen_seq = 0;
    instant created_at{};
    instant updated_at{};
    std::optional<instant> started_at;
    std::optional<instant> ended_at;
    std::optional<instant> last_seen_at;     // the last observation that found it
    std::optional<instant> uncertain_since;  // while unknown or lost: since when
    std::optional<instant> given_up_at;      // the tenant accepted that a second copy may run: no more waited for
    std::optional<std::int32_t> exit_code;
    std::optional<std::int32_t> exit_signal;
    std::optional<std::uint32_t> failed_rank;
    std::string message;
    friend bool operator==(const attempt&, const attempt&) = default;
};

/// How many tasks an attempt runs.
inline std::uint32_t gang_of(const attempt& of, const workload_spec& spec) noexcept {
    return of.terms.tasks > 0 ? of.terms.tasks : spec.tasks;
}

}  // namespace westerly
