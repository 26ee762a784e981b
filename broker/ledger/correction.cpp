#include "broker/ledger/correction.hpp"

#include "broker/domain/money.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double micros_per_one = 1e6;

/// A stretch of the run and what its energy counts by.
struct piece {
    std::int64_t from_ms = 0, until_ms = 0;
    double g_per_kwh = 0;
    quality_class quality = quality_class::default_value;
};

std::int64_t ms(instant at) {
    return at.time_since_epoch().count();
}

std::int64_t within_limits(wide micros) {
    constexpr wide most = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(micros, -most, most));
}

std::int64_t micros_of(double kg) {
    return within_limits(static_cast<wide>(std::clamp(std::nearbyint(kg * micros_per_one), -0x1.0p62, 0x1.0p62)));
}

/// `on` counts from now on in place of what there was.
void paint(std::vector<piece>& run, const piece& on) {
    std::vector<piece> made;
    for (const piece& was : run) {
        piece before = was, after = was;
        before.until_ms = std::min(was.until_ms, on.from_ms);
        after.from_ms = std::max(was.from_ms, on.until_ms);
        for (const piece& left : {before, after})
            if (left.from_ms < left.until_ms)
                made.push_back(left);
    }
    made.push_back(on);
    run = std::move(made);
}

/// The mean of the factors over that time; of one that is everywhere the same, just that.
double mean_factor(const carbon_publication& told, const signal_curve& curve, std::int64_t from_ms,
                   std::int64_t until_ms) {
    std::optional<double> only;
    for (const signal_interval& one : told.factors) {
        if (ms(one.end_at) <= from_ms || ms(one.start_at) >= until_ms)
            continue;
        if (only && *only != one.value)
            return curve.integral(from_ms, until_ms).sum / static_cast<double>(until_ms - from_ms);
        only = one.value;
    }
    return only.value_or(0);
}

std::vector<piece> counted_by(const usage& metered, double g_per_kwh, std::span<const usage> so_far) {
    std::vector<piece> run{{ms(metered.start_at), ms(metered.end_at), g_per_kwh, metered.carbon_quality}};
    for (const usage& row : so_far)
        if (row.correction)
            paint(run, {ms(row.correction->from_at), ms(row.correction->until_at), row.correction->g_per_kwh,
                        row.carbon_quality});
    return run;
}

double mean_of(const std::vector<piece>& run) {
    double sum = 0, length = 0;
    for (const piece& each : run) {
        const auto takes = static_cast<double>(each.until_ms - each.from_ms);
        sum += each.g_per_kwh * takes;
        length += takes;
    }
    return sum / length;
}

bool better_within(const std::vector<piece>& run, const piece& than) {
    return std::ranges::any_of(run, [&](const piece& each) {
        return each.from_ms < than.until_ms && each.until_ms > than.from_ms && each.quality < than.quality;
    });
}

/// Everything but the numbers.
usage blank(const usage& metered, const carbon_publication& told, const piece& over) {
    usage row = metered;
    row.id = {};
    row.units = 0;
    row.energy_microkwh = row.non_green_microkwh = 0;
    row.carbon_mg = row.carbon_market_mg = row.by_grid_microkwh = std::nullopt;
    row.green_power_share = row.pue = std::nullopt;
    row.carbon_market_source.clear();
    row.certificates.clear();
    row.carbon_source = told.source + " (" + std::to_string(told.year) + ")";
    row.carbon_quality = over.quality;
    if (!metered.pue)
        row.carbon_source += "; PUE assumed";
    row.correction = carbon_correction{.of = metered.id,
                                       .from_at = instant(milliseconds(over.from_ms)),
                                       .until_at = instant(milliseconds(over.until_ms)),
                                       .g_per_kwh = over.g_per_kwh,
                                       .year = told.year,
                                       .reason = told.reason};
    return row;
}

bool same_word(const usage& a, const usage& b) {
    return a.carbon_source == b.carbon_source && a.correction->from_at == b.correction->from_at &&
           a.correction->until_at == b.correction->until_at && a.correction->g_per_kwh == b.correction->g_per_kwh;
}

std::int64_t sum_of(const usage& metered, std::span<const usage> so_far, std::optional<std::int64_t> usage::*number) {
    wide sum = (metered.*number).value_or(0);
    for (const usage& row : so_far)
        sum += (row.*number).value_or(0);
    return within_limits(sum);
}

}  // namespace

corrected_row correct(const usage& metered, std::span<const usage> so_far, const carbon_publication& told,
                      const signal_curve& curve) {
    if (!metered.carbon_mg || !metered.energy_microkwh)
        return {correction_outcome::without_number, {}};
    piece over{.from_ms = std::max(ms(metered.start_at), ms(told.from())),
               .until_ms = std::min(ms(metered.end_at), ms(told.until())),
               .quality = metered.pue ? told.quality : quality_class::default_value};
    if (over.from_ms >= over.until_ms || *metered.energy_microkwh == 0)
        return {correction_outcome::unchanged, {}};
    over.g_per_kwh = mean_factor(told, curve, over.from_ms, over.until_ms);
    corrected_row made{correction_outcome::corrected, blank(metered, told, over)};
    if (std::ranges::any_of(so_far, [&](const usage& row) { return row.correction && same_word(row, made.row); }))
        return {correction_outcome::repeated, {}};

    const double kwh = static_cast<double>(*metered.energy_microkwh) / micros_per_one;
    const double metered_g_per_kwh = static_cast<double>(*metered.carbon_mg) / micros_per_one * 1000 / kwh;
    std::vector<piece> run = counted_by(metered, metered_g_per_kwh, so_far);
    if (better_within(run, over))
        return {correction_outcome::better_known, {}};
    paint(run, over);
    const double mean = mean_of(run);
    made.row.carbon_mg = micros_of(kwh * mean / 1000) - sum_of(metered, so_far, &usage::carbon_mg);
    if (metered.carbon_market_mg && metered.by_grid_microkwh) {
        const double rest_kwh = static_cast<double>(*metered.by_grid_microkwh) / micros_per_one;
        const wide whole = wide(*metered.carbon_market_mg) + micros_of(rest_kwh * (mean - metered_g_per_kwh) / 1000);
        made.row.carbon_market_mg = within_limits(whole - sum_of(metered, so_far, &usage::carbon_market_mg));
        made.row.carbon_market_source = "the rest by grid average (" + made.row.carbon_source + ")";
    }
    if (made.row.carbon_mg == 0 && made.row.carbon_market_mg.value_or(0) == 0)
        return {correction_outcome::unchanged, {}};
    return made;
}

}  // namespace westerly
