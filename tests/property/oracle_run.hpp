#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

/// How long a run takes on one offer, worked out the plain way.
struct run_time {
    double powered_s = 0;  // billed before increments
    double wall_s = 0;
    std::optional<rejection> why_not;
    double lost = 0;     // the chance of an interruption without a checkpoint
    bool saves = false;  // it writes a checkpoint
};
/// `slow`: with the cards at the slow end of what is known of their speed.
run_time run_time_on(const world& w, const offer& o, double cards, double units, double stated_s, bool slow = false);

/// The probability that a run ends by a deadline, by counting: many equally likely fates, the wait and the length of
/// each at the same quantile. Medians and ninetieth percentiles in ms.
struct fates {
    double asked = 0, wait = 0, wait_p90 = 0, moving = 0, run = 0, run_p90 = 0, run_most = 1e300;
    double finish(double z) const;
    /// Whether it is in time at least so surely.
    bool in_time(double deadline, double surely) const;
    /// The share of them that is not.
    double late(double deadline) const;
    /// The latest finish of so large a share of them.
    double finish_of_share(double surely) const;
};

/// λ of a gang of so many cards, or units where there are none.
double hazard_per_h(const offer& o, double cards, double units, double hours);

/// The policy's and the workload's own.
std::vector<compliance_rule> rules_of(const world& w);

/// At any time from the launch to the start.
bool any_rule_forbids(const world& w, const offer& o, double launch_ms, double start_ms);

}  // namespace westerly::laws
