#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace westerly {

/// The way to another thread, for those who may come late: after `close` what is posted is dropped. What comes while
/// the thread is still on its way waits for it there, because waking a thread costs more than most work. In the order
/// of post(). Thread-safe.
class post_gate : public std::enable_shared_from_this<post_gate> {
public:
    using work = std::function<void()>;
    explicit post_gate(std::function<void(work)> post) : post_(std::move(post)) {}
    void post(work what) {
        const std::lock_guard guard(lock_);
        if (!post_)
            return;
        waiting_.push_back(std::move(what));
        if (waiting_.size() == 1)
            post_([self = shared_from_this()] { self->run_waiting(); });
    }
    void close() {
        std::vector<work> dropped;
        const std::lock_guard guard(lock_);
        post_ = nullptr;
        dropped.swap(waiting_);
    }

private:
    void run_waiting() {
        std::vector<work> due;
        {
            const std::lock_guard guard(lock_);
            due.swap(waiting_);
        }
        for (work& one : due)
            one();
    }

    std::mutex lock_;
    std::function<void(work)> post_;
    std::vector<work> waiting_;
};

}  // namespace westerly
