#pragma once

#include "broker/domain/attempt.hpp"

namespace westerly {

/// What one tenant has had of capacity that has a limit (decision-model §4): list-price money of the base currency,
/// half as much after every half-life (use_half_life_s). What it holds goes on counting at its rate, in closed form, so
/// that moving an account on in one step or in many comes to the same. Pure.
class fair_use {
public:
    fair_use() = default;
    fair_use(double used, instant as_of) : used_(used), as_of_(as_of) {}

    /// Never back: an earlier time changes nothing.
    void move_to(instant now) noexcept;
    /// From `now` on it holds so much more, or less: money an hour, 10^-6.
    void hold(std::int64_t micros_per_h, instant now) noexcept;
    void give_back(std::int64_t micros_per_h, instant now) noexcept { hold(-micros_per_h, now); }

    double used_at(instant now) const noexcept;
    /// What turns go by, per weight: its use, and what it holds as if for an hour more. So a tenant that is given much
    /// at one instant is seen to have it at once.
    double served_at(instant now, double weight) const noexcept;

    std::int64_t held_micros_per_h() const noexcept { return held_micros_per_h_; }
    instant as_of() const noexcept { return as_of_; }
    void move_with_clock(milliseconds by) noexcept { as_of_ += by; }

private:
    double used_ = 0;
    std::int64_t held_micros_per_h_ = 0;  // whole, so that what was held is given back to the last digit
    instant as_of_{};
};

/// What holding a lease comes to, an hour, at the list price and the lease's own rates: 10^-6 of the base currency.
/// Bounded so that sums of 10^6 of them fit.
std::int64_t held_micros_per_h(const lease& terms) noexcept;

}  // namespace westerly
