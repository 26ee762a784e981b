#pragma once

#include "broker/providers/provider_hub.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

namespace westerly {

/// A hub with fake adapters as real processes, and what it tells.
class hub_test : public testing::Test {
protected:
    static constexpr seconds patience{30};  // until a test gives up; nothing waits for so long when all is well

    hub_test();
    ~hub_test() override;

    void start();
    void stop() { hub_.reset(); }
    provider_config fake(const std::string& config_json, const std::string& id = "fake") const;

    /// The next input of this kind that `fits`, in the order they came; earlier ones of the kind are dropped.
    template <class Input, class Fits>
    std::optional<Input> next(Fits fits) {
        std::unique_lock lock(mutex_);
        std::optional<Input> found;
        came_.wait_for(lock, patience, [&] {
            for (auto at = inputs_.begin(); at != inputs_.end() && !found;) {
                if (const auto* input = std::get_if<Input>(&*at)) {
                    if (fits(*input))
                        found = *input;
                    at = inputs_.erase(at);
                } else {
                    ++at;
                }
            }
            return found.has_value();
        });
        return found;
    }
    template <class Input>
    std::optional<Input> next() {
        return next<Input>([](const Input&) { return true; });
    }
    template <class Input>
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        std::size_t n = 0;
        for (const auto& input : inputs_)
            n += std::holds_alternative<Input>(input) ? 1 : 0;
        return n;
    }

    std::optional<provider_reported> becomes(provider_state state) {
        return next<provider_reported>([&](const provider_reported& r) { return r.health.state == state; });
    }
    /// The hub with one ready provider.
    void start_ready(const std::string& config_json);

    std::shared_ptr<launch_request> request(const attempt_id& attempt) const;
    call_provider launch_of(const attempt_id& attempt, std::uint64_t seq = 1) const;
    call_provider cancel_of(const attempt_id& attempt, std::uint64_t seq = 2) const;
    attempt_id new_attempt() { return attempt_id::make(instant{milliseconds(1)}, random_); }

    /// Calls that the adapter noted, one a line.
    std::vector<std::string> calls(const std::string& provider = "fake") const;
    std::size_t calls_of(const std::string& verb) const;
    int adapter_pid() const;

    std::filesystem::path dir_;
    hub_options options_;
    std::unique_ptr<provider_hub> hub_;
    random_source random_{7};
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<input> inputs_;
    std::string bundle_;                       // what read_bundle reads
    std::map<std::string, std::string> kept_;  // "rank/stream" -> bytes
};

}  // namespace westerly
