#pragma once

#include "broker/domain/signal.hpp"

#include <algorithm>

namespace westerly {

/// What a run of a given length is weighed by over its whole time, and not by its first hour.
struct weighed_curve {
    const signal_curve* curve = nullptr;
    double per_value_hour = 1;  // money, or whatever is minimised, for a value of 1 held over an hour; >= 0
};

/// When a run may start, in ms since 1970.
struct start_window {
    std::int64_t earliest_ms = 0;
    std::int64_t latest_ms = 0;  // of the start; before the earliest: there is no slack
    std::int64_t run_ms = 0;
};

/// What must be over by a deadline: of a run that would begin at `earliest_ms` the last start, which is never before
/// it.
struct due_run {
    std::int64_t earliest_ms = 0, run_ms = 0;
    std::int64_t late_ms = 0;  // kept free before the deadline
};
inline std::int64_t latest_start(const due_run& of, std::int64_t slack_until_ms,
                                 std::optional<std::int64_t> deadline_ms) noexcept {
    const std::int64_t last =
        deadline_ms ? std::min(slack_until_ms, *deadline_ms - of.run_ms - of.late_ms) : slack_until_ms;
    return std::max(last, of.earliest_ms);
}

struct start_choice {
    std::int64_t start_ms = 0;
    double sum = 0;      // Σ weight · ∫ value dt over the run, plus the price of waiting
    double at_once = 0;  // the same for the earliest start
};

/// The start with the least sum; the earliest of equals. A sum is piecewise linear in the start and bends only where
/// the run's beginning or end meets an edge of a curve, so those starts are all that need be tried.
///
/// Only starts whose whole run is covered by every curve are compared: against what is not known, nothing is saved. So
/// where the run at the earliest start is not covered, that is the choice.
start_choice best_start(std::span<const weighed_curve> curves, const start_window& window,
                        double per_hour_waited = 0.0);

/// Those starts in `window`, ascending, the earliest first; thinned out evenly past start_candidates_max.
inline constexpr std::size_t start_candidates_max = 2048;
void find_start_candidates(std::span<const signal_curve* const> curves, const start_window& window,
                           std::vector<std::int64_t>& into);

/// A later start must be better by more than this share: prefix sums round, and a flat curve must save nothing.
inline constexpr double start_gain_least = 1e-9;

}  // namespace westerly
