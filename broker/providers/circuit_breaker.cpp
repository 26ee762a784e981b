#include "broker/providers/circuit_breaker.hpp"

#include <algorithm>

namespace westerly {

milliseconds back_off_delay(milliseconds first, milliseconds most, std::uint32_t step, random_source& random) {
    auto delay = std::min(first, most);
    for (std::uint32_t i = 0; i < step && delay < most; ++i)
        delay = std::min(delay * 2, most);
    const auto half = delay.count() / 2;
    return milliseconds(delay.count() - static_cast<std::int64_t>(static_cast<double>(half) * random.unit()));
}

void circuit_breaker::succeeded() noexcept {
    // A late answer to an old call is no trial: only the trial closes an open breaker.
    if (state_ == state::open)
        return;
    state_ = state::closed;
    failures_ = 0;
    trips_ = 0;
}

bool circuit_breaker::failed(steady_time now, random_source& random) {
    if (state_ == state::open)
        return false;
    ++failures_;
    if (state_ == state::closed && failures_ < limits_.failures_max)
        return false;
    trip(now, random);
    return true;
}

void circuit_breaker::trip(steady_time now, random_source& random) {
    state_ = state::open;
    open_until_ = now + back_off_delay(limits_.open_first, limits_.open_max, trips_, random);
    ++trips_;
}

bool circuit_breaker::begin_trial(steady_time now) noexcept {
    if (state_ != state::open || now < open_until_)
        return false;
    state_ = state::half_open;
    return true;
}

std::optional<steady_time> circuit_breaker::trial_at() const noexcept {
    return state_ == state::open ? std::optional(open_until_) : std::nullopt;
}

void circuit_breaker::rate_limited(steady_time now, std::optional<std::uint32_t> retry_after_s) noexcept {
    milliseconds wait = limits_.throttle_default;
    if (retry_after_s)
        wait = std::min<milliseconds>(seconds(*retry_after_s), limits_.throttle_max);
    throttled_until_ = std::max(throttled_until_, now + wait);
}

std::optional<steady_time> circuit_breaker::throttled_until(steady_time now) const noexcept {
    return now < throttled_until_ ? std::optional(throttled_until_) : std::nullopt;
}

void circuit_breaker::reset() noexcept {
    state_ = state::closed;
    failures_ = 0;
    trips_ = 0;
    throttled_until_ = {};
}

}  // namespace westerly
