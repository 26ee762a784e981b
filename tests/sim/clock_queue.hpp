#pragma once

#include "broker/support/random.hpp"
#include "broker/support/time.hpp"

#include <functional>
#include <map>

namespace westerly::sim {

/// Virtual time: what happens when. Things of one instant happen in the order in which they were put.
class clock_queue {
public:
    instant now{std::chrono::hours(24 * 365 * 50)};

    void after(milliseconds delay, std::function<void()> what) { waiting_.emplace(now + delay, std::move(what)); }
    /// Runs the next thing; false when there is none before `until`.
    bool step(instant until) {
        if (waiting_.empty() || waiting_.begin()->first > until)
            return false;
        auto next = waiting_.extract(waiting_.begin());
        now = next.key();
        next.mapped()();
        return true;
    }

private:
    std::multimap<instant, std::function<void()>> waiting_;
};

/// Chance in words.
class dice {
public:
    explicit dice(std::uint64_t seed) : random_(seed) {}
    bool one_in(double chance) { return random_.unit() < chance; }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random_.unit() * static_cast<double>(high - low + 1));
    }
    milliseconds delay(std::int64_t low_ms, std::int64_t high_ms) { return milliseconds(between(low_ms, high_ms)); }

private:
    random_source random_;
};

}  // namespace westerly::sim
