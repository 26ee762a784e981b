#pragma once

#include "broker/domain/inputs.hpp"
#include "broker/feeds/feed_config.hpp"
#include "broker/support/time.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace westerly {

/// Asks the configured services for signals, one after another on a thread of its own. What they answered last is kept
/// while they answer nothing good, until it is too old to be used (see signal_series::max_age_s). A feed that fails is
/// asked again sooner than its period, with back-off; the first failure and the return are logged.
class feed_poller {
public:
    /// `sink` runs on the poller's thread.
    explicit feed_poller(std::function<void(signals_received)> sink);
    ~feed_poller();
    feed_poller(const feed_poller&) = delete;
    feed_poller& operator=(const feed_poller&) = delete;

    /// All feeds there are from now on; each is asked at once when it is new or has changed.
    void configure(std::vector<feed_config> feeds);
    /// Ends the thread, within a tenth of a second.
    void stop();

private:
    using steady = std::chrono::steady_clock;
    struct state {
        feed_config config;
        steady::time_point due;
        std::uint32_t failures = 0;
        std::map<std::string, std::vector<signal_series>> last_good;  // by question
    };

    void run(std::stop_token stop);
    void ask(state& of, const std::stop_token& stop);

    std::function<void(signals_received)> sink_;
    std::mutex mutex_;  // guards fresh_
    std::condition_variable_any changed_;
    std::optional<std::vector<feed_config>> fresh_;
    std::vector<state> feeds_;  // the thread's own
    std::jthread thread_;
};

}  // namespace westerly
