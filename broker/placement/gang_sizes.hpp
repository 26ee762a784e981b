#pragma once

#include "broker/domain/decision.hpp"

#include <functional>
#include <span>

namespace westerly {

/// The sizes of a gang that are tried where the workload gives a range: all of up to 16, else the least, its doubles,
/// and the most.
std::vector<std::uint32_t> gang_sizes(std::uint32_t least, std::uint32_t most);

/// The workload's alternative that an offer's cards are.
using preferences = std::function<std::uint32_t(const offer_id&)>;

/// Of what is ranked at several sizes: best first, each offer once, at the size that serves it best. Compared across
/// sizes by the same keys and ties as within one. `waited_for`: RTT counts.
std::vector<appraisal> best_at_any_size(std::vector<appraisal> all, bool waited_for, const preferences& preference);

/// The sizes' decisions as one. What the record tells besides (rejections, notes) is told for the winner's size, but
/// against the cheapest of all. `of`
/// is not empty; none of them has switch prices or rivals yet.
decision best_of_sizes(std::vector<decision> of, const workload_spec& spec, const preferences& preference);

}  // namespace westerly
