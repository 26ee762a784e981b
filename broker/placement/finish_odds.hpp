#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace westerly {

/// The standard normal's 90th percentile.
inline constexpr double z_of_p90 = 1.2815515655446004;
/// The standard normal's quantile, for probabilities of 0.5 and more; 0.5 gives exactly 0.
double z_of(double probability) noexcept;
/// Its distribution.
double probability_of(double z) noexcept;

/// A time by its median and what nine in ten stay within (not below it): log-normal. With a median of 0, nothing below
/// the median and a half-normal above it.
struct time_spread {
    double p50 = 0, p90 = 0;
    bool exact() const noexcept { return !(p90 > p50); }
    double at(double z) const noexcept;
    friend bool operator==(const time_spread&, const time_spread&) = default;
};

/// When a run ends, in ms since 1970, where its wait and its length have spreads.
///
/// What can be late is taken to be late together: the p-quantile of the sum is the sum of the p-quantiles. That needs
/// no knowledge of how they hang together, and is later than independence would have it from the median up. So the
/// median is the finish that stands everywhere else, and a wider spread of anything never makes a deadline surer.
struct finish_model {
    double asked_ms = 0;  // from when on it waits: nothing is asked for before it may start
    time_spread wait_ms;
    double fixed_ms = 0;  // moving data, and a start that is put off
    time_spread run_ms;
    double run_most_ms = std::numeric_limits<double>::infinity();  // not below the median: it is stopped then

    double at(double z) const noexcept;
    bool exact() const noexcept { return wait_ms.exact() && (run_ms.exact() || run_most_ms <= run_ms.p50); }
    /// P(it ends by then).
    double by(double deadline_ms) const noexcept;
    /// P(it does not); of small chances to more digits than 1 - by() has.
    double after(double deadline_ms) const noexcept;
    friend bool operator==(const finish_model&, const finish_model&) = default;

private:
    double latest_z(double deadline_ms) const noexcept;
};

}  // namespace westerly
