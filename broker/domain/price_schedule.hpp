#pragma once

#include "broker/domain/money.hpp"

#include <span>
#include <utility>
#include <vector>

namespace westerly {

/// Hours of the week at which another price holds than the plain one.
struct price_window {
    std::uint8_t days = every_day;  // bit 0: it begins on Mondays, … bit 6: on Sundays
    std::uint16_t from_min = 0;     // of the day, 0..1439
    std::uint16_t to_min = 0;       // likewise, exclusive; not after from_min: on the next day, 24 hours when equal
    std::int64_t nanos = 0;         // per unit-hour, in the plain price's currency, >= 0
    friend bool operator==(const price_window&, const price_window&) = default;

    static constexpr std::uint8_t every_day = 0x7F;
};

/// Prices by the hour of the week, at a clock that is a fixed time off UTC (no summer time). Outside all windows the
/// plain price holds. It repeats for ever, so no run can outlast what is known of it.
struct price_schedule {
    std::int16_t utc_offset_min = 0;  // of that clock, -899..899
    std::vector<price_window> windows;
    bool empty() const noexcept { return windows.empty(); }
    friend bool operator==(const price_schedule&, const price_schedule&) = default;
};

inline constexpr std::size_t price_windows_max = 168;

/// Whether two windows hold at one time, so that the price would not be known.
bool windows_overlap(const price_schedule& of);

/// "22:00", and "+08:00" or "-03:30"; nullopt where the text is none.
std::optional<std::uint16_t> parse_time_of_day(std::string_view text) noexcept;
std::optional<std::int16_t> parse_utc_offset(std::string_view text) noexcept;
std::string format_time_of_day(std::uint16_t minute);
std::string format_utc_offset(std::int16_t minutes);

/// The price as a step function of time, in 10^-9 per unit-hour; times in ms since 1970.
class price_curve {
public:
    price_curve(std::int64_t plain_nanos, const price_schedule& hours);

    std::int64_t at(std::int64_t ms) const noexcept;
    /// nanos x ms over [from, to); to >= from. Exact.
    wide integral(std::int64_t from_ms, std::int64_t to_ms) const noexcept;
    /// The mean over [from, to), half to even; the price at `from` where that is empty.
    std::int64_t mean(std::int64_t from_ms, std::int64_t to_ms) const noexcept;
    std::int64_t mean_of_week() const noexcept;
    /// The least and the highest price in [from, to), or at `from` where that is empty.
    std::pair<std::int64_t, std::int64_t> range(std::int64_t from_ms, std::int64_t to_ms) const noexcept;
    /// The first change of price after `ms`; the end of time where the price never changes.
    std::int64_t next_edge(std::int64_t ms) const noexcept;

    friend bool operator==(const price_curve&, const price_curve&) = default;

private:
    std::size_t step_at(std::int64_t in_week) const noexcept;
    wide since_epoch_week(std::int64_t ms) const noexcept;

    std::vector<std::int64_t> starts_;  // of each step, in ms since Monday 00:00 UTC; the first is 0
    std::vector<std::int64_t> nanos_;
    std::vector<wide> before_;  // nanos x ms of the steps before each, then of the week
};

/// What `units` units are charged for an integral of their price, in micros, half-even once; saturates.
std::int64_t charged_micros(wide nano_ms, std::uint64_t units) noexcept;

}  // namespace westerly
