#include "broker/placement/start_time.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double ms_per_hour = 3'600'000.0;

/// The edges of a curve, moved by `by`, that lie after `first` and not after `last`; ascending.
void append_edges(const signal_curve& curve, std::int64_t by, std::int64_t first, std::int64_t last,
                  std::vector<std::int64_t>& into) {
    const auto starts = curve.starts();
    const auto from = std::ranges::upper_bound(starts, first - by) - starts.begin();
    for (auto i = static_cast<std::size_t>(from); i < starts.size() && starts[i] + by <= last; ++i)
        into.push_back(starts[i] + by);
    if (const std::int64_t end = curve.ends().back() + by; end > first && end <= last)
        into.push_back(end);
}

}  // namespace

void find_start_candidates(std::span<const signal_curve* const> curves, const start_window& window,
                           std::vector<std::int64_t>& into) {
    into.assign(1, window.earliest_ms);
    std::int64_t last = window.latest_ms;
    for (const signal_curve* curve : curves)
        last = std::min(last, curve->covered_until(window.earliest_ms) - window.run_ms);
    if (curves.empty() || last <= window.earliest_ms)
        return;
    for (const signal_curve* curve : curves)
        for (const std::int64_t by : {std::int64_t{0}, -window.run_ms}) {
            const auto merged = static_cast<std::ptrdiff_t>(into.size());
            append_edges(*curve, by, window.earliest_ms, last, into);
            std::inplace_merge(into.begin(), into.begin() + merged, into.end());
        }
    if (into.back() != last)
        into.push_back(last);
    into.erase(std::unique(into.begin(), into.end()), into.end());
    if (const std::size_t step = (into.size() + start_candidates_max - 1) / start_candidates_max; step > 1) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < into.size(); i += step)
            into[kept++] = into[i];
        into.resize(kept);
    }
}

start_choice best_start(std::span<const weighed_curve> curves, const start_window& window, double per_hour_waited) {
    std::vector<const signal_curve*> plain;
    for (const weighed_curve& one : curves)
        plain.push_back(one.curve);
    std::vector<std::int64_t> starts;
    find_start_candidates(plain, window, starts);

    start_choice best{.start_ms = window.earliest_ms};
    for (std::size_t k = 0; k < starts.size(); ++k) {
        double sum = per_hour_waited * static_cast<double>(starts[k] - window.earliest_ms) / ms_per_hour;
        for (const weighed_curve& one : curves)
            sum += one.per_value_hour * one.curve->integral(starts[k], starts[k] + window.run_ms).sum / ms_per_hour;
        if (k == 0)
            best.sum = best.at_once = sum;
        else if (sum < best.sum - start_gain_least * std::abs(best.at_once))
            best = {starts[k], sum, best.at_once};
    }
    return best;
}

}  // namespace westerly
