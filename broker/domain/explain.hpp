#pragma once

#include "broker/domain/decision.hpp"

namespace westerly {

/// A decision in plain English sentences, one per line: winner, runner-up, why, rejections, switch prices, notes. Reads
/// nothing but the decision, so a stored one explains itself again in the same words.
std::string explain(const decision& made);

/// The offer that work goes to: the best that can be launched, else (a plan over catalogue offers only) the best;
/// nullptr when nothing is feasible.
const appraisal* winner_of(const decision& made) noexcept;

}  // namespace westerly
