#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace westerly {

/// A few threads for what may take long (scans, copies), so that sessions go on meanwhile. Thread-safe.
class helper_pool {
public:
    static constexpr std::size_t waiting_max = 256;

    explicit helper_pool(unsigned threads);
    ~helper_pool();
    helper_pool(const helper_pool&) = delete;
    helper_pool& operator=(const helper_pool&) = delete;

    /// False when too many wait already, or after stop.
    bool run(std::function<void()> work);
    /// Drops what waits, finishes what runs.
    void stop();

private:
    void serve();

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace westerly
