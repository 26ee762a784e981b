#pragma once

#include "broker/support/random.hpp"
#include "broker/support/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace westerly {

/// A moment of the monotonic clock, for deadlines and back-off.
using steady_time = std::chrono::steady_clock::time_point;

/// min(first * 2^step, most), then chance in the upper half: [d/2, d], so that many do not return at once.
milliseconds back_off_delay(milliseconds first, milliseconds most, std::uint32_t step, random_source& random);

struct breaker_limits {
    std::uint32_t failures_max = 5;        // consecutive ones that open it
    milliseconds open_first{1'000};        // how long it stays open at first; doubles with each failed trial
    milliseconds open_max{60'000};         //
    milliseconds throttle_default{1'000};  // for a rate_limited without retry_after
    milliseconds throttle_max{300'000};    // a provider may not silence itself for longer
};

/// Keeps calls away from a provider that fails. Closed: calls pass. Open: they are refused until a time. Half open: one
/// trial decides. A rate limit is no failure: it only holds calls back until the provider's own time. Pure; one thread.
class circuit_breaker {
public:
    enum class state : std::uint8_t { closed, open, half_open };

    explicit circuit_breaker(breaker_limits limits = {}) : limits_(limits) {}

    state now_in() const noexcept { return state_; }
    std::uint32_t failures() const noexcept { return failures_; }  // in a row

    /// A call was answered, or the trial went well: closed.
    void succeeded() noexcept;
    /// A call failed. True when this opened the breaker (again). While it is open, late failures change nothing.
    bool failed(steady_time now, random_source& random);
    /// Opens at once, whatever was counted.
    void trip(steady_time now, random_source& random);
    /// Open and its time is past: half open, and the caller makes the one trial. False otherwise.
    bool begin_trial(steady_time now) noexcept;
    /// When the next trial is due; nullopt unless open.
    std::optional<steady_time> trial_at() const noexcept;

    void rate_limited(steady_time now, std::optional<std::uint32_t> retry_after_s) noexcept;
    /// Until when calls are held back; nullopt: they are not.
    std::optional<steady_time> throttled_until(steady_time now) const noexcept;

    /// A new process: nothing is known against it.
    void reset() noexcept;

private:
    breaker_limits limits_;
    state state_ = state::closed;
    std::uint32_t failures_ = 0;
    std::uint32_t trips_ = 0;
    steady_time open_until_{};
    steady_time throttled_until_{};
};

}  // namespace westerly
