#pragma once

#include <cmath>

namespace westerly {

/// What is assumed where nothing is known (decision-model §3); both are stated in the docs and labelled default_value.
inline constexpr double default_utilisation = 1.0;
inline constexpr double default_pue = 1.5;

/// Power of one unit and facts of its site, as plain numbers. NaN: not known.
struct power_facts {
    double idle_w = 0;             // NaN: counted as max_w, so that the estimate is never too low
    double max_w = 0;              // NaN: no energy can be told
    double pue = 0;                // NaN: default_pue
    double green_power_share = 0;  // NaN: counted as 0, nothing claimable
    double carbon_g_per_kwh = 0;   // NaN: no carbon can be told
};

/// Facility energy of a run. NaN: not known.
struct facility_energy {
    double kwh = 0;
    double non_green_kwh = 0;  // kwh x (1 - share)
    double carbon_kg = 0;      // location-based: kwh x grid factor
};

/// IT energy: units x (idle + utilisation x (max - idle)) x hours. `utilisation` is 0..1.
double it_energy_kwh(double idle_w, double max_w, double units, double hours, double utilisation) noexcept;

/// What the site makes of an IT energy: PUE, green share and grid factor of `site` are read, its power is not.
inline facility_energy facility_of(double it_kwh, const power_facts& site) noexcept {
    const double pue = std::isnan(site.pue) ? default_pue : site.pue;
    const double share = std::isnan(site.green_power_share) ? 0.0 : site.green_power_share;
    const double kwh = it_kwh * pue;
    return {kwh, kwh * (1.0 - share), kwh * site.carbon_g_per_kwh / 1000.0};
}

/// Both steps at once, in the same order of operations.
facility_energy energy_of(const power_facts& facts, double units, double hours, double utilisation) noexcept;

}  // namespace westerly
