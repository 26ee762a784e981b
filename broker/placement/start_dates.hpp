#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace westerly {

/// A start that is put off keeps so far from a date that would end it: what is due then is done a moment later.
inline constexpr std::int64_t date_margin_ms = 60'000;

/// What dates leave of the starts on one shape: rules that forbid its cards for a time, and the end of its quote. Times
/// in ms since 1970; delays against its earliest launch.
struct start_dates {
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    using time_span = std::pair<std::int64_t, std::int64_t>;  // [from, until)

    std::int64_t launch_ms = 0;            // the earliest
    std::int64_t priced_until_ms = never;  // a launch at it or later has no price
    std::vector<time_span> forbidden;

    /// Nothing forbids from the launch to the start, and for `spare_ms` longer.
    bool lawful(std::int64_t delay_ms, std::int64_t start_ms, std::int64_t spare_ms) const noexcept;
    bool priced(std::int64_t delay_ms, std::int64_t spare_ms) const noexcept {
        return launch_ms + delay_ms < priced_until_ms - (priced_until_ms == never ? 0 : spare_ms);
    }
    /// Appends the starts after `first_ms`, which is that of the earliest launch, and up to `last_ms` at which one of
    /// these changes.
    void add_edges(std::int64_t first_ms, std::int64_t last_ms, std::vector<std::int64_t>& into) const;
};

/// The least delay of a launch at `launch_ms` with which nothing is forbidden until the start, `to_start_ms` after it;
/// nullopt: there is none.
std::optional<std::int64_t> first_lawful_delay(std::span<const start_dates::time_span> forbidden,
                                               std::int64_t launch_ms, std::int64_t to_start_ms) noexcept;

}  // namespace westerly
