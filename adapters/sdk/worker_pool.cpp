#include "adapters/sdk/worker_pool.hpp"

#include <algorithm>

namespace westerly {

worker_pool::~worker_pool() {
    {
        const std::lock_guard hold(lock_);
        ending_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

bool worker_pool::take(std::uint64_t id, std::string kind, work what) {
    {
        const std::lock_guard hold(lock_);
        if (ending_ || waiting_.size() >= queue_max_)
            return false;
        auto state = std::make_shared<call_state>();
        states_[id] = state;
        waiting_.push_back({id, std::move(kind), std::move(what), std::move(state)});
        if (busy_ + waiting_.size() > threads_.size() && threads_.size() < workers_max_)
            threads_.emplace_back([this] { run(); });
    }
    changed_.notify_one();
    return true;
}

void worker_pool::cancel(std::uint64_t id) {
    const std::lock_guard hold(lock_);
    if (const auto found = states_.find(id); found != states_.end())
        found->second->cancel();
}

bool worker_pool::stop_within(milliseconds limit) {
    std::unique_lock hold(lock_);
    waiting_.clear();
    for (auto& [id, state] : states_)
        state->cancel();
    return changed_.wait_for(hold, limit, [this] { return busy_ == 0; });
}

std::deque<worker_pool::item>::iterator worker_pool::next_ready() {
    const std::size_t per_kind_max = workers_max_ > 2 ? workers_max_ - 2 : 1;
    return std::ranges::find_if(waiting_, [&](const item& i) {
        const auto found = running_.find(i.kind);
        return found == running_.end() || found->second < per_kind_max;
    });
}

void worker_pool::run() {
    std::unique_lock hold(lock_);
    for (;;) {
        auto next = waiting_.end();
        changed_.wait(hold, [&] {
            next = next_ready();
            return next != waiting_.end() || (ending_ && waiting_.empty());
        });
        if (next == waiting_.end())
            return;
        item mine = std::move(*next);
        waiting_.erase(next);
        ++busy_;
        ++running_[mine.kind];
        hold.unlock();
        mine.what(*mine.state);
        hold.lock();
        --busy_;
        if (--running_[mine.kind] == 0)
            running_.erase(mine.kind);
        if (const auto found = states_.find(mine.id); found != states_.end() && found->second == mine.state)
            states_.erase(found);
        changed_.notify_all();
    }
}

}  // namespace westerly
