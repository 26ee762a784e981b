#pragma once

#include "broker/domain/decision.hpp"

#include <functional>
#include <span>

namespace westerly {

/// The sizes of a gang that are tried where the workload gives a range: all of up to 16, else the least, its doubles,
/// and the most.
std::vector<std::uint32_t> gang_sizes(std::uint32_t least, std::uint32_t most);

/// The sizes' decisions as one: every offer at the size that serves it best, compared across sizes by the same keys and
/// ties as within one. What the record tells besides (rejections, notes, switch prices) is told for the winner's size.
/// `of` is not empty; none of them has rivals yet. `preference`: the workload's alternative that an offer's cards are.
decision best_of_sizes(std::vector<decision> of, const workload_spec& spec,
                       const std::function<std::uint32_t(const offer_id&)>& preference);

}  // namespace westerly
