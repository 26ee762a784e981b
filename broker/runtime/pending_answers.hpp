#pragma once

#include "broker/domain/effects.hpp"

#include <functional>
#include <mutex>
#include <unordered_map>

namespace westerly {

/// Who waits for which request's answer. Thread-safe.
class pending_answers {
public:
    using done = std::function<void(result<answer>)>;
    request_id add(done to) {
        const std::lock_guard lock(mutex_);
        waiting_.emplace(++last_, std::move(to));
        return last_;
    }
    void give(request_id id, result<answer> value) {
        done to;
        {
            const std::lock_guard lock(mutex_);
            const auto found = waiting_.find(id);
            if (found == waiting_.end())
                return;
            to = std::move(found->second);
            waiting_.erase(found);
        }
        to(std::move(value));
    }
    void fail_all(const error& why) {
        std::unordered_map<request_id, done> left;
        {
            const std::lock_guard lock(mutex_);
            left.swap(waiting_);
        }
        for (auto& [id, to] : left)
            to(why);
    }

private:
    std::mutex mutex_;
    request_id last_ = 0;
    std::unordered_map<request_id, done> waiting_;
};

}  // namespace westerly
