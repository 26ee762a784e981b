#pragma once

#include "broker/providers/circuit_breaker.hpp"

namespace westerly {

/// Lets at most `most` things through in each second; counts the others. One thread.
class rate_window {
public:
    explicit rate_window(std::uint32_t most) : most_(most) {}

    bool allow(steady_time now) noexcept {
        if (now - since_ >= std::chrono::seconds(1)) {
            since_ = now;
            passed_ = 0;
        }
        if (passed_ >= most_) {
            ++dropped_;
            return false;
        }
        ++passed_;
        return true;
    }
    /// How many were dropped since it was last asked.
    std::uint64_t take_dropped() noexcept { return std::exchange(dropped_, 0); }

private:
    std::uint32_t most_;
    std::uint32_t passed_ = 0;
    std::uint64_t dropped_ = 0;
    steady_time since_{};
};

}  // namespace westerly
