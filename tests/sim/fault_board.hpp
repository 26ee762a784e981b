#pragma once

#include "tests/sim/clock_queue.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/plan.hpp"

namespace westerly::sim {

/// The faults of a plan while the history runs: which strike now.
class fault_board {
public:
    fault_board(const plan& of, const clock_queue& time);

    /// Does a fault of this kind strike this provider on this occasion?
    bool strikes(fault_kind kind, std::size_t provider);
    /// Is one of this kind under way there, whatever its chance?
    bool under_way(fault_kind kind, std::size_t provider) const;
    milliseconds since_begin() const { return std::chrono::duration_cast<milliseconds>(time_.now - begun_at_); }

private:
    struct entry {
        planned_fault fault;
        dice chance;
    };
    const clock_queue& time_;
    instant begun_at_;
    std::vector<std::array<std::vector<entry>, fault_kinds>> of_provider_;
};

}  // namespace westerly::sim
