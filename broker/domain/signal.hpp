#pragma once

#include "broker/domain/offer.hpp"

#include <limits>
#include <memory>
#include <span>

namespace westerly {

/// What a series tells of.
enum class signal_kind : std::uint8_t { carbon_intensity, green_power_share };
/// Average is what inventories count; marginal is shown, and never counted as location-based.
enum class signal_method : std::uint8_t { average, marginal };
/// Location-based carbon counts direct (combustion) factors only.
enum class emission_scope : std::uint8_t { direct, life_cycle };

/// The word that stands in files and answers, and its meaning back.
std::string_view to_string(signal_kind kind);
std::string_view to_string(signal_method method);
std::string_view to_string(emission_scope scope);
/// "measured by the hour", for people.
std::string_view in_words(quality_class quality) noexcept;
/// "g/kWh" or "share": the only unit that a kind has here.
std::string_view unit_of(signal_kind kind) noexcept;

/// One value that holds over [start_at, end_at).
struct signal_interval {
    instant start_at{};
    instant end_at{};
    double value = 0;
    bool forecast = false;
    friend bool operator==(const signal_interval&, const signal_interval&) = default;
};

/// Values over time about one grid zone, from one publication.
///
/// Order   `intervals` by start, not overlapping, each longer than 0; gaps are allowed and mean "not known".
/// Quality of the measured intervals; a forecast one is modelled_hourly at best.
struct signal_series {
    std::string zone;  // "CN-NX"; of green power, which is a site's: "PROVIDER/SITE"
    signal_kind kind = signal_kind::carbon_intensity;
    signal_method method = signal_method::average;
    emission_scope scope = emission_scope::direct;
    std::string source;
    std::string version;
    quality_class quality = quality_class::default_value;
    std::optional<instant> issued_at;  // by its publisher
    instant received_at{};             // by us
    std::uint64_t max_age_s = 0;       // counted from issued_at, else received_at; 0: it never grows stale
    std::vector<signal_interval> intervals;
    friend bool operator==(const signal_series&, const signal_series&) = default;
};

/// What a feed tells, in a fixed order.
using signal_list = std::vector<std::shared_ptr<const signal_series>>;

/// Whether one is a newer word of the other: of the same zone, kind, source and quality, and both forecasts or neither.
bool same_thing(const signal_series& a, const signal_series& b) noexcept;

inline constexpr std::size_t signal_intervals_max = 20'000;  // of one series: two years of hours
inline constexpr std::size_t signal_zone_bytes_max = 127;

/// Whether values of this class change by the hour; all others stand for a month or a year and are flat within it.
constexpr bool time_resolved(quality_class q) noexcept {
    return q <= quality_class::modelled_hourly;
}

/// `first` where it has values, `second` in its gaps; both in a series' order.
std::vector<signal_interval> overlay(std::span<const signal_interval> first, std::span<const signal_interval> second);

/// When a series is no longer used for its age; nullopt: never.
std::optional<instant> stale_at(const signal_series& of) noexcept;
bool stale(const signal_series& of, instant now) noexcept;
/// The interval that holds at a time, or nullptr.
const signal_interval* interval_at(const signal_series& of, instant at) noexcept;
/// Its quality at a time: a forecast is modelled. nullopt: it has no value there.
std::optional<quality_class> quality_at(const signal_series& of, instant at) noexcept;

/// One series as the broker has it, and what it makes of it.
struct signal_status {
    std::string id;    // unique, and what lists are ordered by
    std::string feed;  // "signals/NAME.json": which of the operator's files told of it
    std::shared_ptr<const signal_series> series;
    bool in_use = false;
    std::string why_not;  // a sentence, where it is not
};

/// A series made ready for integrals: prefix sums over its pieces. Times are ms since 1970. An integral takes two
/// binary searches; split windows sum to the whole up to rounding.
class signal_curve {
public:
    signal_curve() = default;
    /// `intervals` as in signal_series.
    explicit signal_curve(std::span<const signal_interval> intervals);

    struct part {
        double sum = 0;               // ∫ value dt, in value · ms, over what is covered
        std::int64_t covered_ms = 0;  // of the window
    };
    part integral(std::int64_t from_ms, std::int64_t to_ms) const noexcept;

    /// The mean over [from, from + run); what the curve does not cover counts as `beyond`. NaN: that part is needed and
    /// not known.
    double mean(std::int64_t from_ms, std::int64_t run_ms, double beyond) const noexcept;

    /// The end of the coverage without a gap that begins at or before `from_ms`; `from_ms` itself: not covered there.
    std::int64_t covered_until(std::int64_t from_ms) const noexcept;

    bool empty() const noexcept { return starts_.empty(); }
    /// Where pieces begin; piece i ends at ends()[i].
    std::span<const std::int64_t> starts() const noexcept { return starts_; }
    std::span<const std::int64_t> ends() const noexcept { return ends_; }
    std::span<const double> values() const noexcept { return values_; }

    /// Integrals from the beginning to times that never fall, each in constant time on average.
    class walk {
    public:
        explicit walk(const signal_curve& over) noexcept : over_(over) {}
        part until(std::int64_t at_ms) noexcept;

    private:
        const signal_curve& over_;
        std::size_t next_ = 0;  // the first piece that begins after the last time asked for
    };

private:
    part until(std::int64_t at_ms) const noexcept;
    part until(std::int64_t at_ms, std::size_t next_piece) const noexcept;

    std::vector<std::int64_t> starts_, ends_;
    std::vector<double> values_;
    std::vector<double> sum_before_;            // of all pieces before this one
    std::vector<std::int64_t> covered_before_;  // likewise
    std::vector<std::int64_t> gapless_until_;   // the end of the gapless coverage that this piece is in
};

}  // namespace westerly
