#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

/// How long a run takes on one offer, worked out the plain way.
struct run_time {
    double powered_s = 0;  // billed before increments
    double wall_s = 0;
    std::optional<rejection> why_not;
};
run_time run_time_on(const world& w, const offer& o, double cards, double units, double stated_s);

bool any_rule_forbids(const std::vector<compliance_rule>& rules, const accelerator_facts& cards, double at_ms);

}  // namespace westerly::laws
