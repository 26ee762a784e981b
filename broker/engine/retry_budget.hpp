#pragma once

#include "broker/support/time.hpp"

#include <algorithm>

namespace westerly {

/// Retries after work at one provider came to grief: a tenth of the first launches of the last minute, but ten a second
/// at least, and fifty at once. What is more gets later places in the order of asking, so that a provider which drops
/// thousands of runs does not double its load, or that of those who take over, in the next seconds. Pure.
class retry_budget {
public:
    static constexpr std::int64_t least_per_s = 10;
    static constexpr std::int64_t at_once = 50;
    static constexpr std::int64_t of_first_launches = 10;  // one retry for so many
    static constexpr seconds window{60};

    void launched_first(instant now) noexcept {
        roll(now);
        ++now_;
    }

    /// When a retry that wants to be placed at `wanted` may be, now or later.
    instant place(instant now, instant wanted) noexcept {
        roll(now);
        const auto per_minute = std::max(least_per_s * window.count(), (now_ + before_) / of_first_launches);
        const milliseconds each(std::max<std::int64_t>(milliseconds(window).count() / per_minute, 1));
        next_ = std::max(next_, wanted) + each;
        return std::max(wanted, next_ - each * at_once);
    }

    void move(milliseconds by) noexcept {
        next_ += by;
        since_ += by;
    }

private:
    void roll(instant now) noexcept {
        if (now < since_ + window)
            return;
        before_ = now < since_ + 2 * window ? now_ : 0;
        now_ = 0;
        since_ = now;
    }

    instant next_{};
    instant since_{};
    std::int64_t now_ = 0, before_ = 0;  // first launches in this window and the one before
};

}  // namespace westerly
