#pragma once

#include "broker/domain/accelerator.hpp"

#include <span>

namespace westerly {

/// Whether a rule in force at `at` forbids these cards: its expression holds, or a figure that it turns on is not
/// known. Null: an offer without cards, which no such rule speaks of. A card that tells no link to others has an
/// unknown one, unless the table knows that it has none but its host link.
bool forbidden(std::span<const compliance_rule> rules, const accelerator_facts* cards, const accelerator_table& known,
               instant at);

}  // namespace westerly
