#pragma once

#include "broker/codec/shapes.hpp"
#include "broker/domain/signal.hpp"

namespace westerly {

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

/// A grid zone as provider files name it: "CN-NX", "DE", "US-CAL-CISO".
inline constexpr text_rule zone_rule{1, signal_zone_bytes_max};

}  // namespace westerly
