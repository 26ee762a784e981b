#pragma once

#include "broker/domain/energy.hpp"
#include "broker/domain/records.hpp"

namespace westerly {

/// Energy of `units` units over a time, from the lease's node power (decision-model §3); nullopt when power is unknown.
struct energy_estimate {
    double facility_kwh = 0;
    double non_green_kwh = 0;         // facility x (1 - share); share unknown counts as 0
    std::optional<double> carbon_kg;  // location-based; nullopt without a factor
};
/// `utilisation` 0..1 between idle and max. PUE unknown: 1.5, as stated in the docs, labelled default_value.
std::optional<energy_estimate> estimate_energy(const lease& terms, double hours, double utilisation);

/// How long is billed for a run of `run`: up to the increment, at least the minimum.
milliseconds billed_time(const lease& terms, milliseconds run) noexcept;

/// The usage row of an ended attempt over the provider's own [started_at, ended_at); nullopt when it never started.
/// A vanished one is metered to its last sighting, and says so.
std::optional<usage> meter(const attempt& ended, const workload_spec& spec, const std::string& region, usage_id id);

/// The money for a usage row at the lease's frozen price. Rows of one attempt are differences of cumulatives.
charge rate(const usage& used, const lease& terms);

}  // namespace westerly
