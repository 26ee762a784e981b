#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace westerly {

/// One offer that a workload could start on now, were nobody else of the round there.
struct together_way {
    std::uint32_t offer = 0;  // any number that is the same for the same offer
    std::uint64_t units = 0;
    double j = 0;  // >= 0, finite
    friend bool operator==(const together_way&, const together_way&) = default;
};

/// A workload of one round, with what its turn gave it.
struct together_wish {
    std::vector<together_way> ways;     // best first, ties as decide() breaks them
    std::optional<std::uint32_t> turn;  // into ways; nullopt: nothing was free when its turn came
    std::int32_t priority = 0;
    double dearest = std::numeric_limits<double>::infinity();  // of ways, for the sake of others
};

/// What is free of an offer when nobody of the round is there.
struct together_free {
    std::uint32_t offer = 0;
    std::uint64_t units = 0;
};

/// Turns decide who starts, costs decide where (decision-model §4): gives every workload that its turn has served a way
/// again, and those that it has not a way where the others make room for it, so that the sum of J within each priority
/// is least (assign_by_cost). One priority never pays for a lower one: the highest chooses first, and lower ones keep
/// what their turns gave them or get better. A workload that was not served is worth what its own best way costs and
/// `room_made_share` of it more. Without contention nothing changes. Pure.
///
/// `wishes` in the order of turns; the ways of the turns fit into `free` together. An offer that `free` does not name
/// has no limit. Gives a way for each, or nullopt.
inline constexpr double room_made_share = 0.25;
std::vector<std::optional<std::uint32_t>> assign_together(const std::vector<together_wish>& wishes,
                                                          const std::vector<together_free>& free);

}  // namespace westerly
