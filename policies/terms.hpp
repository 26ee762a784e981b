#pragma once

#include "broker/placement/term.hpp"

#include <algorithm>

namespace westerly {

extern const term latency_term;
extern const term green_power_term;
extern const term carbon_term;
extern const term time_term;
extern const term cost_term;
extern const term rtt_term;
extern const term data_movement_term;
extern const term non_green_energy_term;
extern const term finish_term;
extern const term risk_term;

inline bool always(const workload_spec&) {
    return true;
}

/// Somebody waits at it, and where that somebody is has been stated.
inline bool rtt_counts(const workload_spec& spec) {
    return (spec.kind == workload_kind::service || spec.interactive) && spec.limits.origin_stated();
}

inline void copy_column(std::span<const double> column, std::span<double> out) {
    std::copy_n(column.begin(), out.size(), out.begin());
}

}  // namespace westerly
