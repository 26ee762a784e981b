// The words of the enumerations, as they stand on the wire, in the store and in the docs.
#include "broker/domain/protocol.hpp"
#include "broker/domain/provider.hpp"
#include "broker/domain/records.hpp"
#include "broker/domain/transitions.hpp"

#include <array>

namespace westerly {
namespace {

using namespace std::string_view_literals;

constexpr std::array workload_states = {"queued"sv,    "launching"sv, "active"sv,    "stopping"sv,
                                        "succeeded"sv, "failed"sv,    "cancelled"sv, "expired"sv};
constexpr std::array attempt_states = {"intended"sv, "submitting"sv, "pending"sv, "running"sv,
                                       "stopping"sv, "unknown"sv,    "lost"sv,    "ended"sv};
constexpr std::array attempt_outcomes = {"none"sv,      "succeeded"sv, "failed"sv,        "cancelled"sv,
                                         "preempted"sv, "timed_out"sv, "never_started"sv, "vanished"sv};
constexpr std::array displacements = {"none"sv, "better_place"sv, "preemptor"sv, "reclaim"sv};
constexpr std::array attempt_events = {"dispatched"sv, "accepted"sv,      "refused"sv, "no_answer"sv, "started"sv,
                                       "exited"sv,     "proved_absent"sv, "silent"sv,  "cancel"sv,    "given_up"sv};
constexpr std::array attempt_effects = {"none"sv, "launch"sv, "find"sv, "cancel"sv, "finish"sv};
constexpr std::array workload_events = {"placed"sv, "started"sv,   "succeeded"sv, "failed"sv,  "requeued"sv,
                                        "cancel"sv, "cancelled"sv, "expired"sv,   "given_up"sv};
constexpr std::array adapter_errors = {"none"sv,         "unavailable"sv,    "rate_limited"sv,
                                       "no_capacity"sv,  "quota_exceeded"sv, "invalid"sv,
                                       "unauthorised"sv, "not_found"sv,      "internal"sv};
constexpr std::array provider_states = {"starting"sv, "ready"sv, "degraded"sv, "down"sv};
constexpr std::array roles = {"member"sv, "operator"sv};
constexpr std::array rejections = {"provider_denied"sv,   "provider_unhealthy"sv,
                                   "plan_only"sv,         "not_purchased"sv,
                                   "not_supported"sv,     "region"sv,
                                   "jurisdiction"sv,      "data_class"sv,
                                   "licence"sv,           "compute_class"sv,
                                   "architecture"sv,      "stack"sv,
                                   "stack_version"sv,     "accelerator"sv,
                                   "precision"sv,         "compliance"sv,
                                   "task_shape"sv,        "throughput_unknown"sv,
                                   "never_finishes"sv,    "runtime_limit"sv,
                                   "available_later"sv,   "capacity_never"sv,
                                   "capacity_now"sv,      "rtt"sv,
                                   "rtt_unknown"sv,       "pue"sv,
                                   "green_power_share"sv, "price_missing"sv,
                                   "quote_expired"sv,     "offer_stale"sv,
                                   "max_price"sv,         "budget"sv,
                                   "deadline"sv,          "max_carbon"sv,
                                   "quantity_unknown"sv,  "too_dear_for_policy"sv,
                                   "too_far_from_least"sv};
static_assert(rejections.size() == static_cast<std::size_t>(rejection::count_));
static_assert(workload_states.size() == static_cast<std::size_t>(workload_state::expired) + 1);
static_assert(attempt_states.size() == static_cast<std::size_t>(attempt_state::ended) + 1);
static_assert(attempt_outcomes.size() == static_cast<std::size_t>(attempt_outcome::vanished) + 1);
static_assert(displacements.size() == static_cast<std::size_t>(displacement::reclaim) + 1);
static_assert(attempt_events.size() == static_cast<std::size_t>(attempt_event::given_up) + 1);
static_assert(attempt_effects.size() == static_cast<std::size_t>(attempt_effect::finish) + 1);
static_assert(workload_events.size() == static_cast<std::size_t>(workload_event::given_up) + 1);
static_assert(adapter_errors.size() == static_cast<std::size_t>(adapter_error::internal) + 1);
static_assert(provider_states.size() == static_cast<std::size_t>(provider_state::down) + 1);
static_assert(roles.size() == static_cast<std::size_t>(role::operator_) + 1);

/// Throws std::out_of_range for a value that is not an enumerator: a defect.
template <class Enum, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
    return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t N>
std::optional<Enum> parse_name(const std::array<std::string_view, N>& names, std::string_view text) noexcept {
    const auto found = std::ranges::find(names, text);
    if (found == names.end())
        return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_string(workload_state state) {
    return name_of(workload_states, state);
}
std::string_view to_string(attempt_state state) {
    return name_of(attempt_states, state);
}
std::string_view to_string(attempt_outcome outcome) {
    return name_of(attempt_outcomes, outcome);
}
std::string_view to_string(displacement why) {
    return name_of(displacements, why);
}
std::string_view to_string(attempt_event event) {
    return name_of(attempt_events, event);
}
std::string_view to_string(attempt_effect effect) {
    return name_of(attempt_effects, effect);
}
std::string_view to_string(workload_event event) {
    return name_of(workload_events, event);
}
std::string_view to_string(adapter_error kind) {
    return name_of(adapter_errors, kind);
}
std::string_view to_string(provider_state state) {
    return name_of(provider_states, state);
}
std::string_view to_string(role r) {
    return name_of(roles, r);
}
std::string_view to_string(rejection why) {
    return name_of(rejections, why);
}

std::optional<workload_state> parse_workload_state(std::string_view text) noexcept {
    return parse_name<workload_state>(workload_states, text);
}

std::optional<rejection> parse_rejection(std::string_view text) noexcept {
    return parse_name<rejection>(rejections, text);
}

std::optional<adapter_error> parse_adapter_error(std::string_view text) noexcept {
    const auto kind = parse_name<adapter_error>(adapter_errors, text);
    return kind == adapter_error::none ? std::nullopt : kind;
}

}  // namespace westerly
