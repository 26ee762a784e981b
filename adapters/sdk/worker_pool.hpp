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

/// Runs calls on a bounded number of threads, started when needed. Calls begin in order of arrival, but a kind of call
/// that already holds all workers but two waits, so that slow ones of one kind never block the others. Thread-safe.
class worker_pool {
public:
    using work = std::function<void(const call_state&)>;

    worker_pool(std::size_t workers_max, std::size_t queue_max) : workers_max_(workers_max), queue_max_(queue_max) {}
    ~worker_pool();  // runs what was taken, then ends

    /// False: the queue is full.
    bool take(std::uint64_t id, std::string kind, work what);
    /// Marks a call as cancelled, whether it waits or runs; nothing if it is unknown.
    void cancel(std::uint64_t id);
    /// Drops what waits and cancels what runs. True once nothing runs any more, false after `limit`.
    bool stop_within(milliseconds limit);

private:
    struct item {
        std::uint64_t id;
        std::string kind;
        work what;
        std::shared_ptr<call_state> state;
    };

    void run();
    std::deque<item>::iterator next_ready();

    const std::size_t workers_max_;
    const std::size_t queue_max_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<item> waiting_;
    std::map<std::uint64_t, std::shared_ptr<call_state>> states_;  // of all that wait or run
    std::map<std::string, std::size_t> running_;                   // by kind
    std::size_t busy_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace westerly
