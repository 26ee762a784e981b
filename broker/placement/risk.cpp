#include "broker/placement/risk.hpp"

#include <algorithm>

namespace westerly {

double run_risk::late(double fixed_ms) const noexcept {
    if (!deadline_ms)
        return 0;
    finish_model then = finish;
    then.fixed_ms = fixed_ms;
    return then.after(*deadline_ms);
}

double run_risk::with(double late) const noexcept {
    return std::max(lost, lost + late * (1 - lost));  // 1 - (1 - late)(1 - lost), to the digits of small chances
}

}  // namespace westerly
