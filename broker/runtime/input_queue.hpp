#pragma once

#include "broker/domain/inputs.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

namespace westerly {

/// Inputs on their way to the engine thread. Thread-safe. Clients' requests are refused when `requests_max` wait, so
/// that observations from providers always find room: what they say is bounded by the calls that we make.
class input_queue {
public:
    static constexpr std::size_t requests_max = 20'000;
    static constexpr std::size_t batch_max = 512;  // inputs the engine takes before it looks at the clock again

    /// False when too many requests wait; the input is then dropped.
    bool push_request(input in) {
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.size() >= requests_max || closed_)
                return false;
            waiting_.push_back(std::move(in));
        }
        ready_.notify_one();
        return true;
    }

    void push(input in) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_)
                return;
            waiting_.push_back(std::move(in));
        }
        ready_.notify_one();
    }

    /// Waits until something is there, `at_most` has passed, or the queue is closed; takes up to batch_max.
    std::vector<input> take(milliseconds at_most) {
        std::unique_lock lock(mutex_);
        ready_.wait_for(lock, at_most, [this] { return !waiting_.empty() || closed_; });
        std::vector<input> batch;
        while (!waiting_.empty() && batch.size() < batch_max) {
            batch.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        return batch;
    }

    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        ready_.notify_all();
    }
    bool closed_and_empty() const {
        const std::lock_guard lock(mutex_);
        return closed_ && waiting_.empty();
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<input> waiting_;
    bool closed_ = false;
};

}  // namespace westerly
