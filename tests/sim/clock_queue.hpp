#pragma once

#include "broker/support/time.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace westerly::sim {

/// Virtual time: what happens when. Things of one instant happen in the order in which they were put.
class clock_queue {
public:
    instant now{std::chrono::hours(24 * 365 * 50)};

    void after(milliseconds delay, std::function<void()> what) {
        waiting_.push_back({now + std::max(delay, milliseconds(0)), ++last_, std::move(what)});
        std::push_heap(waiting_.begin(), waiting_.end(), later);
    }
    /// Runs the next thing; false when there is none before `until`.
    bool step(instant until) {
        if (waiting_.empty() || waiting_.front().at > until)
            return false;
        std::pop_heap(waiting_.begin(), waiting_.end(), later);
        const entry next = std::move(waiting_.back());
        waiting_.pop_back();
        now = next.at;
        next.what();
        return true;
    }

private:
    struct entry {
        instant at;
        std::uint64_t number;
        std::function<void()> what;
    };
    static bool later(const entry& a, const entry& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }
    std::vector<entry> waiting_;  // a heap
    std::uint64_t last_ = 0;
};

}  // namespace westerly::sim
