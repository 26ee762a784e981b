#pragma once

#include <cmath>

namespace westerly {

/// Quantities are products of some tens of doubles: 0.11 may come out as the next double above it. What is over a step
/// or a limit by no more than this is not over it.
inline constexpr double rounding = 1e-9;  // relative

/// An ordered quantity as it is compared: in whole steps, rounded up; step 0: exact.
inline double in_steps(double quantity, double step) noexcept {
    return step > 0 ? std::ceil(quantity / step * (1 - rounding)) : quantity;
}

}  // namespace westerly
