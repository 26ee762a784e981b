#include "broker/domain/foreign_term.hpp"

#include <cmath>
#include <limits>

namespace westerly {

std::size_t tidy(foreign_column& column) noexcept {
    std::size_t unknown = 0;
    for (double& quantity : column.quantity)
        if (!(quantity >= 0) || std::isinf(quantity)) {
            quantity = std::numeric_limits<double>::quiet_NaN();
            ++unknown;
        }
    column.gaps = unknown > 0;
    return unknown;
}

}  // namespace westerly
