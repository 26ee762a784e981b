#pragma once

#include "broker/domain/offer.hpp"

#include <span>

namespace westerly {

/// Whether a rule in force at `at` forbids these cards: its expression holds, or a figure that it turns on is not
/// known. Null: an offer without cards, which no such rule speaks of.
bool forbidden(std::span<const compliance_rule> rules, const accelerator_facts* cards, instant at);

}  // namespace westerly
