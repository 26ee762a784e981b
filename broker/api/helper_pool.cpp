#include "broker/api/helper_pool.hpp"

namespace westerly {

helper_pool::helper_pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i)
        threads_.emplace_back([this] { serve(); });
}

helper_pool::~helper_pool() {
    stop();
}

bool helper_pool::run(std::function<void()> work) {
    {
        const std::lock_guard guard(lock_);
        if (stopped_ || waiting_.size() >= waiting_max)
            return false;
        waiting_.push_back(std::move(work));
    }
    changed_.notify_one();
    return true;
}

void helper_pool::stop() {
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard guard(lock_);
        stopped_ = true;
        dropped.swap(waiting_);
    }
    changed_.notify_all();
    for (auto& one : threads_)
        if (one.joinable())
            one.join();
}

void helper_pool::serve() {
    std::unique_lock guard(lock_);
    while (true) {
        changed_.wait(guard, [&] { return stopped_ || !waiting_.empty(); });
        if (stopped_)
            return;
        auto work = std::move(waiting_.front());
        waiting_.pop_front();
        guard.unlock();
        work();
        work = nullptr;
        guard.lock();
    }
}

}  // namespace westerly
