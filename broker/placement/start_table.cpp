#include "broker/placement/start_table.hpp"

#include "broker/placement/start_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace westerly {
namespace {

constexpr double ms_per_hour = 3'600'000.0;
constexpr std::size_t runs_bounded_exactly = 1;  // with more, bounds come from the curve's least value instead
constexpr std::size_t runs_max = 0xFFFF;

double non_green_part(double share) noexcept {
    return 1.0 - (std::isnan(share) ? 0.0 : share);
}

/// The least (or, for `most`, greatest) value of the pieces that meet [from, to), and `annual`.
double extreme(const signal_curve& curve, std::int64_t from, std::int64_t to, double annual, bool most) noexcept {
    double found = annual;
    const auto first = std::ranges::upper_bound(curve.ends(), from) - curve.ends().begin();
    for (auto i = static_cast<std::size_t>(first); i < curve.starts().size() && curve.starts()[i] < to; ++i)
        found = std::isnan(found) ? curve.values()[i]
                : most            ? std::max(found, curve.values()[i])
                                  : std::min(found, curve.values()[i]);
    return found;
}

double mean_of(const signal_curve::part& known, std::int64_t run_ms, const signal_curve& curve,
               double annual) noexcept {
    const auto run = static_cast<double>(run_ms), covered = static_cast<double>(known.covered_ms);
    if (known.covered_ms == run_ms)
        return known.sum / run;
    if (!std::isnan(annual))
        return (known.sum + annual * (run - covered)) / run;
    if (known.covered_ms > 0)
        return known.sum / covered;
    if (curve.empty())
        return annual;
    const auto all = curve.integral(curve.starts().front(), curve.ends().back());
    return all.sum / static_cast<double>(all.covered_ms);
}

/// The curves of a site that make a difference to when a run starts there.
struct varying_curves {
    std::array<const signal_curve*, 2> curves{};
    std::size_t count = 0;
    friend bool operator==(const varying_curves&, const varying_curves&) = default;
};

varying_curves varying_at(const start_table::site& of, const start_rule& rule) {
    using enum start_rule::quantity;
    varying_curves found;
    if (of.carbon && of.carbon->varies && (rule.weighs(carbon) || rule.max_carbon_kg))
        found.curves[found.count++] = &of.carbon->curve;
    if (of.green && of.green->varies && rule.weighs(non_green))
        found.curves[found.count++] = &of.green->curve;
    return found;
}

/// Where it is weighed and grows with the wait; else 0.
double risk_of(const start_table::site& of, const start_table::run& run, std::int64_t delay_ms) noexcept {
    return run.risk.grows() ? run.risk.with(run.risk.late(static_cast<double>(of.data_movement_ms + delay_ms))) : 0.0;
}

/// Means over runs whose starts never fall.
class rising_means {
public:
    rising_means(const zone_signal* of, std::int64_t run_ms, double annual) noexcept
        : curve_(of ? of->curve : none()),
          from_(curve_),
          to_(curve_),
          run_ms_(std::max<std::int64_t>(run_ms, 1)),
          annual_(annual) {}
    double at(std::int64_t start_ms) noexcept {
        if (curve_.empty())
            return annual_;
        const auto before = from_.until(start_ms), after = to_.until(start_ms + run_ms_);
        return mean_of({after.sum - before.sum, after.covered_ms - before.covered_ms}, run_ms_, curve_, annual_);
    }

private:
    static const signal_curve& none() noexcept {
        static const signal_curve empty;
        return empty;
    }
    const signal_curve& curve_;
    signal_curve::walk from_, to_;
    std::int64_t run_ms_;
    double annual_;
};

}  // namespace

bool start_rule::weighs(quantity what) const noexcept {
    if (ordered)
        return std::ranges::any_of(keys, [&](const key& k) { return k.of == what; });
    return what == quantity::carbon      ? per_kg > 0
           : what == quantity::non_green ? per_non_green_kwh > 0
           : what == quantity::risk      ? per_risk > 0
                                         : per_hour > 0;
}

double start_rule::hours_until(std::int64_t finish_ms) const noexcept {
    return static_cast<double>(target_ms ? std::max<std::int64_t>(finish_ms - *target_ms, 0) : finish_ms) / ms_per_hour;
}

std::optional<std::int64_t> start_rule::bend(std::int64_t run_ms) const noexcept {
    return counts_past_target() ? std::optional(*target_ms - run_ms) : std::nullopt;
}

std::optional<start_rule::quantity> start_quantity_of(std::string_view term) noexcept {
    using enum start_rule::quantity;
    if (term == "carbon")
        return carbon;
    if (term == "green_power" || term == "non_green_energy")
        return non_green;
    if (term == "time" || term == "finish")
        return finish;
    if (term == "risk")
        return risk;
    return std::nullopt;
}

double mean_with_fallback(const signal_curve& curve, std::int64_t from_ms, std::int64_t run_ms,
                          double annual) noexcept {
    const std::int64_t run = std::max<std::int64_t>(run_ms, 1);
    return mean_of(curve.integral(from_ms, from_ms + run), run, curve, annual);
}

void start_table::begin(start_rule rule, std::optional<std::int64_t> slack_until_ms,
                        std::optional<std::int64_t> deadline_ms) {
    active_ = true;
    rule_ = std::move(rule);
    slack_until_ms_ = slack_until_ms;
    deadline_ms_ = deadline_ms;
}

void start_table::forget_runs() noexcept {
    runs_.clear();
    options_.clear();
    corners_.clear();
}

std::uint16_t start_table::number_of(const run& one) {
    for (std::size_t i = runs_.size(); i-- > 0;)
        if (runs_[i] == one)
            return static_cast<std::uint16_t>(i);
    if (runs_.size() == runs_max)  // more than shapes can differ in sanely: the rest are taken for the last
        return static_cast<std::uint16_t>(runs_max - 1);
    runs_.push_back(one);
    return static_cast<std::uint16_t>(runs_.size() - 1);
}

void start_table::ready() {
    ++generation_;
    entries_.resize(std::max(entries_.size(), sites_.size() * runs_.size()));
}

const start_table::entry& start_table::entry_of(std::size_t site, std::uint16_t run) const {
    entry& found = entries_[site * runs_.size() + run];
    if (found.generation != generation_) {
        found.generation = generation_;
        fill(found, sites_[site], runs_[run]);
    }
    return found;
}

std::int64_t start_table::find_starts(const site& of, const run& run, const start_rule& rule,
                                      std::vector<std::int64_t>& into) const {
    const std::int64_t at_once = run.start_ms + of.data_movement_ms;
    start_window window{at_once, at_once, run.run_ms};
    if (slack_until_ms_)
        window.latest_ms =
            latest_start({at_once, run.run_ms, run.late_ms}, *slack_until_ms_ + of.data_movement_ms, deadline_ms_);
    const varying_curves varying = varying_at(of, rule);
    find_start_candidates({varying.curves.data(), varying.count}, window, into);
    if (varying.count == 0)
        return window.latest_ms;
    const std::int64_t last = into.back();
    if (const auto bend = rule.bend(run.run_ms)) {
        const std::int64_t start = std::max(*bend, at_once + start_delay_least_ms);
        if (const auto at = std::ranges::lower_bound(into, start); *bend > at_once && start < last && *at != start)
            into.insert(at, start);
    }
    return last;
}

void start_table::append_options(const site& of, const run& run, const start_rule& rule,
                                 std::vector<start_option>& into) const {
    const std::int64_t at_once = run.start_ms + of.data_movement_ms;
    find_starts(of, run, rule, starts_);
    rising_means carbon_at(of.carbon, run.run_ms, of.annual_carbon), share_at(of.green, run.run_ms, of.annual_share);
    const auto take = [&](std::int64_t start) {
        const std::int64_t delay = start - at_once;
        into.push_back({delay, carbon_at.at(start), share_at.at(start), risk_of(of, run, delay)});
    };
    const std::int64_t soonest = at_once + start_delay_least_ms;
    bool too_soon = false;  // some edge is; the first start after it that may be is tried instead
    for (const std::int64_t start : starts_) {
        if (start != at_once && start < soonest) {
            too_soon = true;
            continue;
        }
        if (too_soon && start > soonest)
            take(soonest);
        too_soon = false;
        take(start);
    }
}

void start_table::find_options(std::size_t site_number, std::uint16_t run_number, const start_rule& rule,
                               std::vector<start_option>& into) const {
    const site& of = sites_[site_number];
    into.clear();
    if (varying_at(of, rule) != varying_at(of, rule_) || rule.counts_past_target() != rule_.counts_past_target())
        return append_options(of, runs_[run_number], rule, into);
    const entry& in = entry_of(site_number, run_number);
    into.assign(options_.begin() + in.first, options_.begin() + in.last);
}

void start_table::fill(entry& into, const site& of, const run& run) const {
    into.first = static_cast<std::uint32_t>(options_.size());
    append_options(of, run, rule_, options_);
    into.last = static_cast<std::uint32_t>(options_.size());
    into.least_carbon = std::numeric_limits<double>::quiet_NaN();
    for (std::uint32_t i = into.first; i < into.last; ++i)
        if (!(into.least_carbon <= options_[i].carbon_g_per_kwh))
            into.least_carbon = options_[i].carbon_g_per_kwh;
    find_corners(into, of);
}

/// What falls as the grid gets better, per kWh of IT energy: money with prices, else the one quantity that the order
/// looks at.
double start_table::measure(const start_option& o, const site& of) const noexcept {
    const double carbon = of.pue * o.carbon_g_per_kwh / 1000.0, non_green = of.pue * non_green_part(o.green_share);
    if (!rule_.ordered)
        return (rule_.per_kg > 0 ? rule_.per_kg * carbon : 0.0) +
               (rule_.per_non_green_kwh > 0 ? rule_.per_non_green_kwh * non_green : 0.0);
    const bool green_varies = of.green && of.green->varies && rule_.weighs(start_rule::quantity::non_green);
    return green_varies ? non_green : carbon;
}

void start_table::find_corners(entry& into, const site& of) const {
    into.corner_first = static_cast<std::uint32_t>(corners_.size());
    corners_.push_back({into.first, 0});
    const auto value = [&](std::uint32_t option) {
        return measure(options_[option], of);
    };
    const double noise = start_gain_least * std::abs(value(into.first));
    double least = value(into.first);
    for (std::uint32_t i = into.first + 1; i < into.last; ++i) {
        const double here = value(i);
        if (!(here < least - noise))
            continue;
        least = here;
        const auto threshold = [&](std::uint32_t before) {  // the energy from which waiting longer pays
            const double hours = static_cast<double>(options_[i].delay_ms - options_[before].delay_ms) / ms_per_hour;
            return rule_.per_hour * hours / (value(before) - here);
        };
        if (!rule_.ordered)
            while (corners_.size() > into.corner_first + 1 &&
                   threshold(corners_.back().option) <= corners_.back().from_kwh)
                corners_.pop_back();
        corners_.push_back({i, rule_.ordered ? 0.0 : threshold(corners_.back().option)});
    }
    into.corner_last = static_cast<std::uint32_t>(corners_.size());
}

start_option start_table::option_at(const site& of, const run& run, std::int64_t delay_ms) const {
    const std::int64_t from = run.start_ms + of.data_movement_ms + delay_ms;
    const auto mean = [&](const zone_signal* told, double annual) {
        return told && !told->curve.empty() ? mean_with_fallback(told->curve, from, run.run_ms, annual) : annual;
    };
    return {delay_ms, mean(of.carbon, of.annual_carbon), mean(of.green, of.annual_share), risk_of(of, run, delay_ms)};
}

start_option start_table::at(std::size_t site_number, std::uint16_t run_number, std::int64_t delay_ms) const {
    if (delay_ms == 0)
        return at_once(site_number, run_number);
    return option_at(sites_[site_number], runs_[run_number], delay_ms);
}

double start_table::least_carbon_kg(std::size_t site_number, std::uint16_t run, double it_kwh) const {
    const entry& in = entry_of(site_number, run);
    return energy_at({0, in.least_carbon, 0}, sites_[site_number], it_kwh).carbon_kg;
}

start_option start_table::bound(std::size_t site_number) const {
    const site& of = sites_[site_number];
    start_option least{0, of.annual_carbon, of.annual_share};
    if (!of.counts || runs_.empty())
        return {0, 0, 1};
    if (runs_.size() <= runs_bounded_exactly) {
        least = at_once(site_number, 0);
        for (std::size_t r = 0; r < runs_.size(); ++r) {
            const entry& in = entry_of(site_number, static_cast<std::uint16_t>(r));
            for (std::uint32_t i = in.first; i < in.last; ++i) {
                least.carbon_g_per_kwh = std::fmin(least.carbon_g_per_kwh, options_[i].carbon_g_per_kwh);
                least.green_share = std::fmax(least.green_share, options_[i].green_share);
            }
        }
        least.delay_ms = 0;
        return least;
    }
    std::int64_t from = runs_.front().start_ms, to = from;
    for (const run& one : runs_) {
        from = std::min(from, one.start_ms);
        to = std::max({to, one.start_ms + one.run_ms, slack_until_ms_.value_or(to) + one.run_ms});
    }
    from += of.data_movement_ms;
    to += of.data_movement_ms;
    if (of.carbon)
        least.carbon_g_per_kwh = extreme(of.carbon->curve, from, to, of.annual_carbon, false);
    if (of.green)
        least.green_share = extreme(of.green->curve, from, to, of.annual_share, true);
    if (of.carbon && std::isnan(least.carbon_g_per_kwh))  // the curve ends before any run there: its mean will count
        least.carbon_g_per_kwh = 0;
    if (of.green && std::isnan(least.green_share))
        least.green_share = 1;
    return least;
}

std::int64_t start_table::covered_ms(std::size_t site_number, std::uint16_t run, std::int64_t delay_ms) const {
    const site& of = sites_[site_number];
    if (!of.carbon)
        return 0;
    const std::int64_t from = runs_[run].start_ms + of.data_movement_ms + delay_ms;
    return of.carbon->curve.integral(from, from + runs_[run].run_ms).covered_ms;
}

}  // namespace westerly
