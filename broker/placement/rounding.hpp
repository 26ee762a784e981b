#pragma once

#include <cmath>

namespace westerly {

/// Quantities are products of some tens of doubles: 0.11 may come out as the next double above it. What is over a step
/// or a limit by no more than this is not over it.
inline constexpr double rounding = 1e-9;  // relative

/// Money of a price in nanos per unit-hour times unit-seconds. That product is of whole numbers and rounded once (each
/// below 2^53), so that equal money is the same double, whatever prices, units and times it is made of.
inline double money_of_nano_s(double nano_unit_s) noexcept {
    return nano_unit_s / 3.6e12;
}

/// An ordered quantity as it is compared: in whole steps, rounded up; step 0: exact.
inline double in_steps(double quantity, double step) noexcept {
    return step > 0 ? std::ceil(quantity / step * (1 - rounding)) : quantity;
}

}  // namespace westerly
