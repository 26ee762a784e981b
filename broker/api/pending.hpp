#pragma once

#include "broker/support/post_gate.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

namespace westerly {

/// A value that one thread waits for and any thread gives, once: the bridge from callbacks to the session's coroutine.
/// The first value counts, later ones are dropped.
template <class T>
class pending : public std::enable_shared_from_this<pending<T>> {
public:
    explicit pending(std::shared_ptr<post_gate> gate) : gate_(std::move(gate)) {}

    /// Any thread. While the owner still starts the work (before `wait`), its own thread gives without a detour.
    void give(T value) {
        if (given_.exchange(true))
            return;
        if (owner_ == std::this_thread::get_id() && starting_) {
            value_.emplace(std::move(value));
            return;
        }
        gate_->post([self = this->shared_from_this(), value = std::make_shared<T>(std::move(value))] {
            self->value_.emplace(std::move(*value));
            if (auto resume = std::exchange(self->resume_, nullptr))
                resume();
        });
    }

    // The owner's thread only:
    bool ready() const noexcept { return value_.has_value(); }
    /// The work is started: what is given from now on resumes the waiter through the gate.
    void started() noexcept { starting_ = false; }
    void when_ready(std::function<void()> resume) { resume_ = std::move(resume); }
    T take() { return std::move(*value_); }

private:
    const std::shared_ptr<post_gate> gate_;
    const std::thread::id owner_ = std::this_thread::get_id();
    bool starting_ = true;  // owner's thread only
    std::atomic<bool> given_{false};
    std::optional<T> value_;
    std::function<void()> resume_;
};

}  // namespace westerly
