#pragma once

#include "adapters/sdk/adapter.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace westerly {

/// A call for the pool. What it touches are launch tokens: a call waits for every earlier one that changes what it
/// reads or changes, so that a `find` that came after a `launch` never overtakes it and proves a false absence.
struct pool_call {
    std::uint64_t id = 0;
    std::string kind;  // the verb
    std::vector<std::string> changes;
    std::vector<std::string> reads;
    bool reads_all = false;
    std::function<void(const call_state&)> run;
    std::function<void()> dropped;  // instead of run: it was cancelled before it began
};

/// Runs calls on a bounded number of threads, started when needed. Calls begin in order of arrival, but a kind of call
/// that already holds all workers but two waits, so that slow ones of one kind never block the others. Thread-safe.
class worker_pool {
public:
    worker_pool(std::size_t workers_max, std::size_t queue_max) : workers_max_(workers_max), queue_max_(queue_max) {}
    ~worker_pool();  // runs what was taken, then ends

    /// False: the queue is full.
    bool take(pool_call call);
    /// A call that waits is dropped in its turn, one that runs is told; nothing if it is unknown.
    void cancel(std::uint64_t id);
    /// Drops what waits and cancels what runs. True once nothing runs any more, false after `limit`.
    bool stop_within(milliseconds limit);

private:
    struct item {
        pool_call call;
        call_state state;
    };
    using item_ptr = std::shared_ptr<item>;

    void run();
    item_ptr next_ready();

    const std::size_t workers_max_;
    const std::size_t queue_max_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<item_ptr> waiting_;
    std::vector<item_ptr> running_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace westerly
