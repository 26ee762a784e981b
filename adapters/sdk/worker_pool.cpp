#include "adapters/sdk/worker_pool.hpp"

#include <algorithm>

namespace westerly {
namespace {

bool meet(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::ranges::any_of(a, [&](const std::string& token) { return std::ranges::find(b, token) != b.end(); });
}

/// `later` may not begin before `earlier` has ended.
bool must_follow(const pool_call& later, const pool_call& earlier) {
    return !earlier.changes.empty() &&
           (later.reads_all || meet(earlier.changes, later.reads) || meet(earlier.changes, later.changes));
}

}  // namespace

worker_pool::~worker_pool() {
    {
        const std::lock_guard hold(lock_);
        ending_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

bool worker_pool::take(pool_call call) {
    {
        const std::lock_guard hold(lock_);
        if (ending_ || waiting_.size() >= queue_max_)
            return false;
        auto made = std::make_shared<item>();
        made->call = std::move(call);
        waiting_.push_back(std::move(made));
        if (running_.size() + waiting_.size() > threads_.size() && threads_.size() < workers_max_)
            threads_.emplace_back([this] { run(); });
    }
    changed_.notify_all();
    return true;
}

void worker_pool::cancel(std::uint64_t id) {
    const std::lock_guard hold(lock_);
    const auto tell = [id](const item_ptr& i) {
        if (i->call.id == id)
            i->state.cancel();
    };
    std::ranges::for_each(waiting_, tell);
    std::ranges::for_each(running_, tell);
}

bool worker_pool::stop_within(milliseconds limit) {
    std::unique_lock hold(lock_);
    waiting_.clear();
    for (const auto& i : running_)
        i->state.cancel();
    return changed_.wait_for(hold, limit, [this] { return running_.empty(); });
}

/// The first that waits and may run now.
worker_pool::item_ptr worker_pool::next_ready() {
    const std::size_t per_kind_max = workers_max_ > 2 ? workers_max_ - 2 : 1;
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
        const pool_call& call = (*at)->call;
        const auto same_kind =
            std::ranges::count_if(running_, [&](const auto& r) { return r->call.kind == call.kind; });
        const auto earlier = [&](const item_ptr& other) {
            return must_follow(call, other->call);
        };
        if (static_cast<std::size_t>(same_kind) < per_kind_max && std::ranges::none_of(running_, earlier) &&
            std::none_of(waiting_.begin(), at, earlier)) {
            auto found = *at;
            waiting_.erase(at);
            return found;
        }
    }
    return nullptr;
}

void worker_pool::run() {
    std::unique_lock hold(lock_);
    for (;;) {
        item_ptr mine;
        changed_.wait(hold, [&] {
            mine = next_ready();
            return mine || (ending_ && waiting_.empty());
        });
        if (!mine)
            return;
        running_.push_back(mine);
        hold.unlock();
        if (mine->state.cancelled())
            mine->call.dropped();
        else
            mine->call.run(mine->state);
        hold.lock();
        std::erase(running_, mine);
        changed_.notify_all();
    }
}

}  // namespace westerly
