#pragma once

#include "broker/domain/energy.hpp"
#include "broker/domain/records.hpp"

namespace westerly {

/// Energy of the lease's units over a time, from their power (decision-model §3); nullopt when power is unknown.
struct energy_estimate {
    double facility_kwh = 0;
    double non_green_kwh = 0;         // facility x (1 - share); share unknown counts as 0
    std::optional<double> carbon_kg;  // location-based; nullopt without a factor
};
/// `utilisation` 0..1 between idle and max. PUE unknown: default_pue, and the usage row is labelled default_value.
std::optional<energy_estimate> estimate_energy(const lease& terms, double hours, double utilisation);

/// How long is billed for a run of `run`: up to the increment, at least the minimum. A negative run counts as zero;
/// saturates at the int64 limit.
milliseconds billed_time(const lease& terms, milliseconds run) noexcept;

/// The usage row of an ended attempt over the provider's own [started_at, ended_at); nullopt when it never started or
/// has not ended. A vanished one is metered to its last sighting, and says so. Energy is taken at the utilisation of its
/// lease.
std::optional<usage> meter(const attempt& ended, const workload_spec& spec, const std::string& region, usage_id id);

/// The money for a usage row at the lease's frozen price: one row for the whole run, so the cumulative at its end.
/// Where the price changes with the hour, each moment of what is billed counts at the price of its own hour, the rest
/// of a begun increment or of the minimum at those that follow, and the row shows the mean, half to even at its last
/// decimal.
charge rate(const usage& used, const lease& terms);

}  // namespace westerly
