#pragma once

#include "broker/support/time.hpp"

#include <optional>

namespace westerly {

/// Notices when the wall clock is set, by comparing it with a clock that nobody sets. Slow corrections (NTP slews by
/// 0.05 %) are no step.
class step_watch {
public:
    using steady = std::chrono::steady_clock;
    static constexpr milliseconds step_min{100};

    /// By how much the wall clock was set since the last look, both clocks read just now; nullopt: it was not.
    std::optional<milliseconds> look(instant wall, steady::time_point measured) {
        const auto apart = wall.time_since_epoch() - measured.time_since_epoch();
        const auto before = std::exchange(apart_, apart);
        if (!before)
            return std::nullopt;
        const auto by = std::chrono::duration_cast<milliseconds>(apart - *before);
        return std::chrono::abs(by) < step_min ? std::nullopt : std::optional(by);
    }

private:
    std::optional<std::chrono::nanoseconds> apart_;
};

}  // namespace westerly
