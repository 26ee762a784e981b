#pragma once

#include "broker/domain/records.hpp"

#include <functional>
#include <map>
#include <mutex>

namespace westerly {

/// Hands durable events to whoever listens. Thread-safe; listeners are called on the writer thread and return at once.
class event_relay {
public:
    using listener = std::function<void(const event&)>;

    std::uint64_t subscribe(listener to) {
        const std::lock_guard lock(mutex_);
        listeners_.emplace(++last_, std::move(to));
        return last_;
    }
    void unsubscribe(std::uint64_t id) {
        const std::lock_guard lock(mutex_);
        listeners_.erase(id);
    }
    void publish(const std::vector<event>& events) {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, to] : listeners_)
            for (const event& e : events)
                to(e);
    }

private:
    std::mutex mutex_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, listener> listeners_;
};

}  // namespace westerly
