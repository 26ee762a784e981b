#include "broker/placement/measured_speed.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

void add_run(speed_record& to, double r) noexcept {
    ++to.runs;
    to.sum += r;
    to.sum_of_squares += r * r;
}

std::optional<double> speed_shown(const work_view& work, double cards, const card_links& links,
                                  double seconds) noexcept {
    if (!work.reference || !(cards >= 1) || !(seconds > 0))
        return std::nullopt;
    // X = n r / (1 + k r), where k r is what communication adds; so r = X / (n - k X).
    const double x = work.accelerator_hours * 3600.0 / seconds;
    double k = 0;
    if (const double c = work.told->communication; c > 0 && cards > 1) {
        const double exchange = exchange_against_reference(work, cards, links);
        if (std::isnan(exchange))
            return std::nullopt;
        k = c / (1 - c) * std::pow(cards / work.told->reference->count, work.told->batch_exponent) * exchange;
    }
    const double r = x / (cards - k * x);
    if (!(r > 0) || !std::isfinite(r))
        return std::nullopt;
    return r;
}

interval updated(const interval& prior, const speed_record& shown) noexcept {
    if (shown.runs == 0)
        return prior;
    const double n = shown.runs, weight = prior_runs + n;
    const double value = (prior_runs * prior.value + shown.sum) / weight;
    const double mean = shown.sum / n;
    const double variance = n > 1 ? std::max(0.0, (shown.sum_of_squares - n * mean * mean) / (n - 1)) : 0.0;
    const double error = 2 * std::sqrt(variance / n) * (n / weight);
    const double least = value / 1000;
    return {value, std::max(least, value - (prior.value - prior.low) * prior_runs / weight - error),
            value + (prior.high - prior.value) * prior_runs / weight + error};
}

card_speed with_runs(const card_speed& prior, std::span<const measured_speed> all, const accelerator_facts& card,
                     const accelerator_table& known) {
    for (const measured_speed& one : all)
        if (one.shown.runs > 0 && prior.r.known() && known.means(one.model, card))
            return {updated(prior.r, one.shown), "measured by earlier runs"};
    return prior;
}

}  // namespace westerly
