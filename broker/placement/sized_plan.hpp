#pragma once

#include "broker/placement/one_size.hpp"

namespace westerly {

/// One plan of all sizes of a gang, from a question of each; `asked.spec` states a range. Rejections, `rejected_most`
/// at most, and the Pareto set are told where that is above 0.
plan_result plan_sizes(const one_size::question& asked, std::size_t rejected_most);

}  // namespace westerly
