#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

/// How far one offer is from the world's users and data.
class place_of_one {
public:
    place_of_one(const world& w, const offer& o) : w_(w), o_(o), s_(w.spec) {}

    /// The mean and the 95th percentile over the demand, in ms; nullopt: some origin's is not known.
    std::optional<double> rtt() const;
    std::optional<double> rtt_p95() const;
    double data_movement_s() const;

private:
    /// Each origin's RTT with its share of the demand, nearest first; empty: one of them is not known.
    std::vector<std::pair<double, double>> rtts() const;
    std::optional<double> rtt_from(const origin& from) const;

    const world& w_;
    const offer& o_;
    const workload_spec& s_;
};

}  // namespace westerly::laws
