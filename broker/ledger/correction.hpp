#pragma once

#include "broker/domain/correction.hpp"

namespace westerly {

/// What a later publication makes of a metered row, `so_far` being the corrections that it has.
struct corrected_row {
    correction_outcome outcome = correction_outcome::unchanged;
    usage row;  // of `corrected`; id and number are the caller's to give
};

/// The run's new number is its energy times the mean factor over its time: over the part that the publication tells of,
/// the publication's; over the rest what counted before. The row holds what that differs from the sum so far, of the
/// location-based number and of what the market-based one counts by the grid's average, each exact to 10^-6 kg.
/// `curve` is that of told.factors.
corrected_row correct(const usage& metered, std::span<const usage> so_far, const carbon_publication& told,
                      const signal_curve& curve);

}  // namespace westerly
