#pragma once

#include "broker/placement/assign.hpp"

namespace westerly {

/// The best bound that prices can give (decision-model §5), by linear programming. Starts from the prices that `made`
/// has and gives those back where nothing better is found; as every bound it is worth what bound_at() says of its
/// prices, whatever the solver thinks. For measuring only: the broker needs no bound to decide.
/// `enough`: of the cost; so near to it or to the linear optimum nothing more is looked for. 0.001 is a tenth of what
/// the yardstick aims at.
assign_bound exact_bound(const assign_problem& problem, const assignment& made, double enough = 1e-3);

}  // namespace westerly
