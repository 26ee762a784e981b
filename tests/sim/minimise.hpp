#pragma once

#include "tests/sim/world.hpp"

namespace westerly::sim {

/// What a failure broke, without when and where: the same after leaving things out.
std::string law_of(const std::string& fault);

/// The smallest plan found that still breaks the same law: workloads and faults are left out in ever smaller lots.
/// At most `runs_max` histories are tried.
plan minimise(plan failing, const std::string& law, std::size_t runs_max = 400);

}  // namespace westerly::sim
