#pragma once

#include "broker/domain/measured_speed.hpp"
#include "broker/placement/throughput.hpp"

#include <span>

namespace westerly {

/// Throughput as a prior that runs update: decision-model §2.

void add_run(speed_record& to, double r) noexcept;

/// r of a run, from the time that it took: throughput_of, solved for r. nullopt: the time tells nothing, because the
/// work is not told on a reference, a link is not known, or no speed of the cards explains so short a run.
std::optional<double> speed_shown(const work_view& work, double cards, const card_links& links,
                                  double seconds) noexcept;

/// How many runs the figure that was there before any counts as (decision-model §2).
inline constexpr double prior_runs = 2;

/// The prior updated: the mean over it and the runs. Its interval narrows as runs gain weight, and holds the mean's
/// own error (two standard errors) by the runs' weight. Never below a thousandth of the mean.
interval updated(const interval& prior, const speed_record& shown) noexcept;

/// A card's speed with what its runs have shown.
card_speed with_runs(const card_speed& prior, std::span<const measured_speed> all, const accelerator_facts& card,
                     const accelerator_table& known);

}  // namespace westerly
