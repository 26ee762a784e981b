#pragma once

#include "broker/placement/assign.hpp"

#include <string>
#include <string_view>

namespace westerly {

/// One assignment with everything that proves its bound, as one line of JSON without its newline:
/// {"kind", "at", "slots", "pools": [[free in each slot; null: no limit]], "jobs": [{"refusal", "unlisted_floor"?,
/// "options": [[pool, quantity, slots, first_start, last_start, cost, cost_per_slot_later]], "chosen": [option, start]
/// | null}], "lambda": [[pool, slot, price]], "cost", "bound", "floor"}. Doubles are written so that reading gives the
/// same bits. check_certificate.py recomputes cost and bound from the rest. `kind`: "tick" or "hindsight"; `cost` is
/// made.cost: what was paid, also where `made.of` is empty ("chosen" is then left out). What costs otherwise at some
/// starts, by the hours of its price, is several options of one pool: one for all starts at which it costs the same.
std::string certificate_line(std::string_view kind, std::string_view at, const assign_problem& problem,
                             const assignment& made);

}  // namespace westerly
