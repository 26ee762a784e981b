#include "broker/placement/finish_odds.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double z_most = 8;  // beyond it a double's probability is 1
constexpr int halvings = 64;

/// The largest z in [low, high] of which `holds`, which it does of all smaller ones; `holds(low)` is taken for granted.
template <class Holds>
double largest(double low, double high, Holds holds) noexcept {
    if (holds(high))
        return high;
    for (int i = 0; i < halvings; ++i) {
        const double middle = low + (high - low) / 2;
        (holds(middle) ? low : high) = middle;
    }
    return low;
}

}  // namespace

double probability_of(double z) noexcept {
    return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double z_of(double probability) noexcept {
    if (!(probability > 0.5))
        return 0;
    return largest(0, z_most, [&](double z) { return probability_of(z) <= probability; });
}

double time_spread::at(double z) const noexcept {
    if (exact())
        return p50;
    if (p50 > 0)
        return p50 * std::pow(p90 / p50, z / z_of_p90);
    return p90 * std::max(0.0, z / z_of_p90);
}

double finish_model::at(double z) const noexcept {
    return asked_ms + wait_ms.at(z) + fixed_ms + std::min(run_ms.at(z), run_most_ms);
}

double finish_model::by(double deadline_ms) const noexcept {
    if (exact() || !(at(-z_most) <= deadline_ms))
        return at(0) <= deadline_ms ? 1 : 0;
    return probability_of(latest_z(deadline_ms));
}

double finish_model::after(double deadline_ms) const noexcept {
    if (exact() || !(at(-z_most) <= deadline_ms))
        return at(0) <= deadline_ms ? 0 : 1;
    const double z = latest_z(deadline_ms);
    return z < z_most ? probability_of(-z) : 0;
}

/// The last z that is in time, where z = -z_most is.
double finish_model::latest_z(double deadline_ms) const noexcept {
    return largest(-z_most, z_most, [&](double z) { return at(z) <= deadline_ms; });
}

}  // namespace westerly
