#pragma once

#include "broker/placement/finish_odds.hpp"

namespace westerly {

/// How a run may be of no use: it ends past its deadline, or it is interrupted and has no checkpoint to go on from.
struct run_risk {
    finish_model finish;                // fixed_ms is told to late()
    std::optional<double> deadline_ms;  // nullopt: never late
    double lost =
        0;  // P(interrupted at least once, with no checkpoint); NaN: unknown, no policy that weighs it ranks it

    /// P(late) of a run before which moving data, and a start that is put off, take so long.
    double late(double fixed_ms) const noexcept;
    /// P(late or lost), the two taken to be independent; never below `lost`.
    double with(double late) const noexcept;
    /// It grows with every wait; else all starts that are in time have the same.
    bool grows() const noexcept { return deadline_ms && !finish.exact(); }
    friend bool operator==(const run_risk&, const run_risk&) = default;
};

}  // namespace westerly
