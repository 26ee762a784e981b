#pragma once

#include "broker/domain/transitions.hpp"
#include "tests/sim/fault.hpp"

#include <bit>
#include <vector>

namespace westerly::sim {

/// A set of fault kinds.
using fault_set = std::uint32_t;
constexpr fault_set bit(fault_kind kind) {
    return fault_set{1} << static_cast<unsigned>(kind);
}

inline constexpr std::size_t attempt_rows = std::size(attempt_transitions);
inline constexpr std::size_t workload_rows = std::size(workload_transitions);

/// How often each row of the two transition tables was taken by an attempt (or a workload) that a fault of each kind
/// had struck before: had acted on a message, a call or the thing of it, or on its whole provider or broker while it
/// lived.
class coverage {
public:
    void count(attempt_state from, attempt_event on, fault_set struck);
    void count(workload_state from, workload_event on, fault_set struck);
    void add(const coverage& other);

    std::uint64_t strikes(fault_kind kind) const { return strikes_[static_cast<std::size_t>(kind)]; }
    void strike(fault_kind kind) { ++strikes_[static_cast<std::size_t>(kind)]; }

    /// The table for people: a row of hits a transition, a column a kind. "-" is impossible, "0" is not.
    std::string table() const;
    /// Pairs without a hit that could have one, and pairs said to be impossible that were hit.
    std::vector<std::string> holes() const;
    std::vector<std::string> surprises() const;
    /// Pairs that fewer than so many histories have hit: the next change may leave them without any.
    std::vector<std::string> thin(std::uint64_t histories) const;

private:
    using row = std::array<std::uint64_t, fault_kinds + 1>;  // the last: without any fault
    static void count_in(row& into, fault_set struck);
    std::array<row, attempt_rows> attempts_{}, attempt_histories_{};
    std::array<row, workload_rows> workloads_{}, workload_histories_{};
    std::array<std::uint64_t, fault_kinds> strikes_{};
};

/// Why the transition `on` from `from` can never be taken by what a fault of this kind has struck; empty: it can.
std::string_view impossible(attempt_state from, attempt_event on, fault_kind kind);
std::string_view impossible(workload_state from, workload_event on, fault_kind kind);

}  // namespace westerly::sim
