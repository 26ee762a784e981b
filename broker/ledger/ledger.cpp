#include "broker/ledger/ledger.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double milliseconds_per_hour = 3'600'000.0;
constexpr double micros_per_one = 1e6;

double value_of(const std::optional<sourced>& fact) {
    return fact ? fact->value : unknown;
}

/// In 10^-6 of the unit, half to even; saturates, so that no figure of a provider can overflow a row.
std::int64_t to_micros(double value) {
    constexpr double limit = 0x1.0p63;
    const double micros = std::nearbyint(value * micros_per_one);
    if (micros >= limit)
        return std::numeric_limits<std::int64_t>::max();
    if (micros <= -limit)
        return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(micros);
}

/// Saturates, as billed times do.
std::int64_t later_ms(std::int64_t from_ms, std::int64_t by_ms) {
    std::int64_t to_ms = 0;
    return __builtin_add_overflow(from_ms, by_ms, &to_ms) ? std::numeric_limits<std::int64_t>::max() : to_ms;
}

void add_energy(usage& row, const lease& terms) {
    const double hours = static_cast<double>((row.end_at - row.start_at).count()) / milliseconds_per_hour;
    const auto energy = estimate_energy(terms, hours, terms.utilisation);
    if (!energy)
        return;
    row.energy_microkwh = to_micros(energy->facility_kwh);
    row.non_green_microkwh = to_micros(energy->non_green_kwh);
    if (!energy->carbon_kg)
        return;
    row.carbon_mg = to_micros(*energy->carbon_kg);
    row.carbon_source = terms.carbon_g_per_kwh->source;
    row.carbon_quality = terms.carbon_g_per_kwh->quality;
    if (!terms.pue) {
        static_assert(default_pue == 1.5);
        row.carbon_source += "; PUE 1.5 assumed";
        row.carbon_quality = quality_class::default_value;
    }
}

}  // namespace

std::optional<energy_estimate> estimate_energy(const lease& terms, double hours, double utilisation) {
    if (!terms.max_w)
        return std::nullopt;
    const power_facts facts{.idle_w = terms.idle_w.value_or(unknown),
                            .max_w = *terms.max_w,
                            .pue = value_of(terms.pue),
                            .green_power_share = value_of(terms.green_power_share),
                            .carbon_g_per_kwh = value_of(terms.carbon_g_per_kwh)};
    const facility_energy energy = energy_of(facts, static_cast<double>(terms.units), hours, utilisation);
    if (!std::isfinite(energy.kwh))
        return std::nullopt;  // power figures beyond any sense tell nothing
    energy_estimate estimate{energy.kwh, energy.non_green_kwh, std::nullopt};
    if (!std::isnan(energy.carbon_kg))
        estimate.carbon_kg = energy.carbon_kg;
    return estimate;
}

milliseconds billed_time(const lease& terms, milliseconds run) noexcept {
    const wide increment_ms = wide(std::max(terms.increment_s, 1u)) * 1000;
    const wide run_ms = std::max<std::int64_t>(run.count(), 0);
    const wide whole_ms = (run_ms + increment_ms - 1) / increment_ms * increment_ms;
    const wide billed_ms = std::max(whole_ms, wide(terms.minimum_s) * 1000);
    return milliseconds(static_cast<std::int64_t>(std::min(billed_ms, wide(std::numeric_limits<std::int64_t>::max()))));
}

std::optional<usage> meter(const attempt& ended, const workload_spec& spec, const std::string& region, usage_id id) {
    if (!ended.started_at || !ended.ended_at)
        return std::nullopt;
    usage row{.id = id,
              .attempt = ended.id,
              .workload = ended.workload,
              .tenant = ended.tenant,
              .project = spec.project,
              .provider = ended.provider,
              .site = ended.site,
              .region = region,
              .offer = ended.offer,
              .start_at = *ended.started_at,
              .end_at = std::max(*ended.ended_at, *ended.started_at),
              .units = ended.terms.units,
              .energy_microkwh = std::nullopt,
              .non_green_microkwh = std::nullopt,
              .carbon_mg = std::nullopt,
              .green_power_share = std::nullopt,
              .pue = std::nullopt,
              .carbon_source = {},
              .measured = ended.outcome != attempt_outcome::vanished};
    if (ended.terms.green_power_share)
        row.green_power_share = ended.terms.green_power_share->value;
    if (ended.terms.pue)
        row.pue = ended.terms.pue->value;
    add_energy(row, ended.terms);
    return row;
}

charge rate(const usage& used, const lease& terms) {
    const milliseconds billed = billed_time(terms, used.end_at - used.start_at);
    unit_price price = terms.price;
    std::int64_t micros = cumulative_micros(price, used.units, billed);
    if (!terms.schedule.empty()) {
        const price_curve prices(terms.price.nanos, terms.schedule);
        const std::int64_t from_ms = used.start_at.time_since_epoch().count();
        const std::int64_t to_ms = later_ms(from_ms, billed.count());
        price.nanos = prices.mean(from_ms, to_ms);
        micros = charged_micros(prices.integral(from_ms, to_ms), used.units);
    }
    // On demand without discounts the four costs are one number. Of an owned reservation the price is its fee's share,
    // and what the hours would cost otherwise is the list price.
    const std::int64_t list = terms.list_price ? cumulative_micros(*terms.list_price, used.units, billed) : micros;
    return {.usage = used.id,
            .attempt = used.attempt,
            .workload = used.workload,
            .tenant = used.tenant,
            .project = used.project,
            .provider = used.provider,
            .site = used.site,
            .offer = used.offer,
            .start_at = used.start_at,
            .end_at = used.end_at,
            .price = price,
            .billed_ms = static_cast<std::uint64_t>(billed.count()),
            .units = used.units,
            .list_micros = list,
            .contracted_micros = list,
            .billed_micros = micros,
            .effective_micros = micros};
}

}  // namespace westerly
