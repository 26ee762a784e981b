#pragma once

#include "broker/domain/signal.hpp"
#include "broker/support/result.hpp"

#include <string_view>

namespace westerly {

inline constexpr std::size_t signal_text_max = 8 << 20;  // of one file or one answer
inline constexpr std::size_t signal_series_max = 1'000;  // in one file or answer

/// Our own form, as JSON (schema/signals.schema.json). Intervals must be in order and must not overlap: a file that
/// people keep is told what is wrong with it, with line and column. Errors: invalid, too_large.
result<std::vector<signal_series>> decode_signals(std::string_view json, instant received_at);

/// The same as CSV: "# name: value" lines for what holds of all (source, version, kind, method, scope, quality,
/// issued_at, max_age_s), a header line naming zone, start_at, end_at, value and perhaps forecast, then the rows; a
/// zone's rows in order of time. Errors: invalid with the line, too_large.
result<std::vector<signal_series>> decode_signals_csv(std::string_view text, instant received_at);

/// What the answers of other services do not say of themselves.
struct foreign_facts {
    std::string zone = {};    // ours
    std::string source = {};  // the service's name
    signal_method method = signal_method::average;
    emission_scope scope = emission_scope::direct;  // where the answer does not state it
    quality_class measured_quality = quality_class::measured_hourly;
    std::uint64_t max_age_s = 0;
};

/// Electricity Maps, carbon-intensity: latest ({"zone", "carbonIntensity", "datetime", …}), history ({"zone",
/// "history": […]}) and forecast ({"zone", "forecast": […], "updatedAt"}). A value holds for an hour, or for what
/// "temporalGranularity" says, from its "datetime"; an estimated one is modelled. Fields that are not used may change.
/// Errors: invalid, too_large.
result<std::vector<signal_series>> decode_electricity_maps(std::string_view json, const foreign_facts& of,
                                                           instant received_at);

/// Carbon Aware SDK web API: emissions/bylocation ([{"location", "time", "rating", "duration"?}]) and
/// emissions/forecasts/current ([{"generatedAt", "location", "forecastData": [{"timestamp", "duration", "value"}]}]).
/// Without a duration an observed value holds until the next one, an hour at most. Errors: invalid, too_large.
result<std::vector<signal_series>> decode_carbon_aware(std::string_view json, const foreign_facts& of,
                                                       instant received_at);

/// The least and the greatest value that is believed.
std::pair<double, double> believable(signal_kind kind) noexcept;

}  // namespace westerly
