#pragma once

#include "broker/placement/rounding.hpp"
#include "broker/placement/start_table.hpp"
#include "broker/placement/start_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace westerly {

/// The starts from one to another between which no sum over the run bends, so that everything weighed is linear in the
/// start, P(late) apart. In ms, from any beginning; both ends belong to it.
struct start_span {
    std::int64_t first_ms = 0, last_ms = 0;
};

/// Keeps the starts at which `excess` of ms, which is linear, is not above 0: up to the whole ms that is next to where
/// it just is 0, and is on that side. False: there are none, and `of` stays as it was.
template <class Excess>
bool keep_within(start_span& of, const Excess& excess) {
    const double first = excess(of.first_ms), last = excess(of.last_ms);
    const bool from_first = first <= 0;
    if (from_first == (last <= 0))
        return from_first;
    constexpr double noise_ms = 1e-3;  // sums round: the start itself is asked, and those before it
    const double after_ms = first / (first - last) * static_cast<double>(of.last_ms - of.first_ms);
    std::int64_t met = from_first ? of.first_ms : of.last_ms;
    if (std::isfinite(after_ms)) {
        const std::int64_t inwards = from_first ? -1 : 1;
        const double whole = from_first ? std::floor(after_ms + noise_ms) : std::ceil(after_ms - noise_ms);
        std::int64_t at = std::clamp(of.first_ms + static_cast<std::int64_t>(whole), of.first_ms, of.last_ms);
        for (int tries = 0; tries < 3; ++tries, at += inwards)
            if (at == met || excess(at) <= 0) {
                met = at;
                break;
            }
    }
    (from_first ? of.last_ms : of.first_ms) = met;
    return true;
}

/// The first of the starts that are least by an ordered policy's keys. `quantity` of (key, ms) is linear in ms.
template <class Quantity>
std::int64_t least_in_order(start_span of, std::span<const start_rule::key> keys, const Quantity& quantity) {
    for (const start_rule::key& key : keys) {
        if (of.first_ms == of.last_ms)
            break;
        const double first = quantity(key, of.first_ms), last = quantity(key, of.last_ms);
        if (key.step > 0) {
            const double least = std::min(in_steps(first, key.step), in_steps(last, key.step));
            keep_within(of, [&](std::int64_t ms) { return quantity(key, ms) / key.step * (1 - rounding) - least; });
        } else if (std::abs(first - last) > start_gain_least * std::abs(first)) {
            return first < last ? of.first_ms : of.last_ms;
        }
    }
    return of.first_ms;
}

/// What of a span is no end of it: two starts at most, ascending.
template <class Visit>
void visit_inside(const start_span& kept, const start_span& of, const Visit& visit) {
    if (kept.first_ms > of.first_ms && kept.first_ms < of.last_ms)
        visit(kept.first_ms);
    if (kept.last_ms > kept.first_ms && kept.last_ms < of.last_ms)
        visit(kept.last_ms);
}

}  // namespace westerly
