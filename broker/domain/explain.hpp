#pragma once

#include "broker/domain/decision.hpp"
#include "broker/domain/language.hpp"

namespace westerly {

/// A decision in plain sentences, one per line: winner, runner-up, why, rejections, switch prices, notes. Reads nothing
/// but the decision, so a stored one explains itself again, in any language.
std::string explain(const decision& made, language spoken = language::en);

/// A spread, likewise; `base` is the currency of its sums.
std::string explain(const spread_plan& made, currency base, language spoken = language::en);

/// One note of a decision as a sentence; `base` is the decision's currency. Sentences of older records stay English.
std::string in_words(const note& told, currency base, language spoken = language::en);

/// The offer that work goes to: the best that can be launched, else (a plan over catalogue offers only) the best;
/// nullptr when nothing is feasible.
const appraisal* winner_of(const decision& made) noexcept;
/// The best of the other offers, likewise.
const appraisal* runner_up_of(const decision& made) noexcept;

}  // namespace westerly
