#pragma once

#include "broker/domain/records.hpp"
#include "broker/domain/signal.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace westerly {

/// The names of an enumeration's values on the wire, in the order of the values.
template <class E>
struct enum_names;

template <>
struct enum_names<workload_kind> {
    static constexpr std::string_view list[] = {"batch", "service"};
};
template <>
struct enum_names<compute_class> {
    static constexpr const auto& list = compute_class_names;
};
template <>
struct enum_names<accelerator_fit> {
    static constexpr std::string_view list[] = {"any", "training", "inference"};
};
template <>
struct enum_names<number_precision> {
    static constexpr std::string_view list[] = {"fp64", "fp32", "fp16", "bf16", "fp8", "int8"};
};
template <>
struct enum_names<work_class> {
    static constexpr std::string_view list[] = {"training", "decoding", "hpc"};
};
template <>
struct enum_names<offer_fact> {
    static constexpr const auto& list = offer_fact_names;
};
template <>
struct enum_names<fact_comparison> {
    static constexpr std::string_view list[] = {"at_least", "above", "at_most", "below", "in"};
};
template <>
struct enum_names<retry_cause> {
    static constexpr std::string_view list[] = {"failed", "provider_lost", "preempted"};
};
template <>
struct enum_names<billing_mode> {
    static constexpr std::string_view list[] = {"on_demand", "spot", "reserved"};
};
template <>
struct enum_names<billing_start> {
    static constexpr std::string_view list[] = {"run", "allocation"};
};
template <>
struct enum_names<reservation_term> {
    static constexpr std::string_view list[] = {"month", "year"};
};
template <>
struct enum_names<offer_unit> {
    static constexpr std::string_view list[] = {"instance", "node", "card", "core"};
};
template <>
struct enum_names<quality_class> {
    static constexpr std::string_view list[] = {"measured_hourly", "modelled_hourly", "monthly", "annual_provincial",
                                                "annual_national", "declared",        "default"};
};
template <>
struct enum_names<currency> {
    static constexpr std::string_view list[] = {"CNY", "USD"};
};
template <>
struct enum_names<observation::phase> {
    static constexpr std::string_view list[] = {"pending", "running", "exited", "absent"};
};

template <>
struct enum_names<signal_kind> {
    static constexpr std::string_view list[] = {"carbon_intensity", "green_power_share"};
};
template <>
struct enum_names<signal_method> {
    static constexpr std::string_view list[] = {"average", "marginal"};
};
template <>
struct enum_names<emission_scope> {
    static constexpr std::string_view list[] = {"direct", "life_cycle"};
};

template <class E>
constexpr std::string_view name_of(E value) noexcept {
    return enum_names<E>::list[static_cast<std::size_t>(value)];
}

template <class E>
constexpr std::optional<E> value_named(std::string_view name) noexcept {
    for (std::size_t i = 0; i < std::size(enum_names<E>::list); ++i)
        if (enum_names<E>::list[i] == name)
            return static_cast<E>(i);
    return std::nullopt;
}

/// "one of "a", "b" or "c"", for remedies.
std::string one_of(std::span<const std::string_view> names);

}  // namespace westerly
