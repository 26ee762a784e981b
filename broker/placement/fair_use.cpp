#include "broker/placement/fair_use.hpp"

#include "broker/placement/assign.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace westerly {

namespace {

constexpr double ms_per_h = 3'600'000.0;
constexpr double half_life_h = use_half_life_s / 3600.0;
constexpr double soon_h = 1.0;  // what is held counts as if for so much longer

double after(double used, double rate_per_h, double elapsed_h) noexcept {
    // The integral of rate x 2^(-age / half-life): expm1 keeps its digits where little time has passed.
    const double gathered =
        rate_per_h * half_life_h / std::numbers::ln2 * -std::expm1(-std::numbers::ln2 * elapsed_h / half_life_h);
    return decayed_use(used, elapsed_h * 3600.0) + gathered;
}

double hours(instant from, instant to) noexcept {
    return std::max(0.0, static_cast<double>((to - from).count()) / ms_per_h);
}

}  // namespace

double fair_use::used_at(instant now) const noexcept {
    return after(used_, static_cast<double>(held_micros_per_h_) * 1e-6, hours(as_of_, now));
}

void fair_use::move_to(instant now) noexcept {
    if (now <= as_of_)
        return;
    used_ = used_at(now);
    as_of_ = now;
}

void fair_use::hold(std::int64_t micros_per_h, instant now) noexcept {
    move_to(now);
    held_micros_per_h_ += micros_per_h;
}

double fair_use::served_at(instant now, double weight) const noexcept {
    return (used_at(now) + static_cast<double>(held_micros_per_h_) * 1e-6 * soon_h) / weight;
}

std::int64_t held_micros_per_h(const lease& terms) noexcept {
    constexpr double most = 9e12;
    const unit_price list = terms.list_price.value_or(terms.price);
    const std::int64_t nanos =
        terms.schedule.empty() ? list.nanos : price_curve(list.nanos, terms.schedule).mean_of_week();
    const double per_unit =
        static_cast<double>(nanos) * 1e-3 * (static_cast<double>(rate_nanos(terms.rates, list.unit)) * 1e-9);
    return std::llround(std::clamp(per_unit * static_cast<double>(terms.units), 0.0, most));
}

}  // namespace westerly
