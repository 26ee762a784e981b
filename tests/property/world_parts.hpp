#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

// What random worlds are made of; each draws from `chance` in its own order, which seeds depend on.

inline constexpr const char* region_names[] = {"r0", "r1", "r2", "r3"};
inline constexpr const char* jurisdictions[] = {"CN", "US"};
inline const instant start = instant(milliseconds(1'800'000'000'000));

// random_workload.cpp
workload_spec random_spec(dice& chance);
compliance_rule random_rule(dice& chance);
money random_money(dice& chance, std::int64_t below);

// random_offer.cpp
std::optional<accelerator_facts> random_cards(dice& chance);
price_schedule random_hours(dice& chance);

}  // namespace westerly::laws
