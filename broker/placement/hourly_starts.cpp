#include "broker/placement/hourly_starts.hpp"

#include "broker/placement/rank.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/start_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace westerly {
namespace {

constexpr double ms_per_hour = 3'600'000.0;
constexpr std::int64_t week_ms = 7 * 86'400'000;

constexpr std::uint8_t code(rejection why) noexcept {
    return static_cast<std::uint8_t>(why);
}

const shape_aside& aside_of(const demand& want, const shape_view& shape) noexcept {
    return want.aside[static_cast<std::size_t>(&shape - want.shapes.data())];
}
const hourly_shape& hours_of(const demand& want, const shape_view& shape) noexcept {
    return want.hourly.shapes[aside_of(want, shape).hourly];
}

/// A service has no end: an hour of it is the mean of the week.
wide nano_ms_over(const price_curve& prices, bool by_week, std::int64_t from_ms, std::int64_t billed_ms) noexcept {
    if (by_week)
        return divide_half_even(prices.integral(0, week_ms) * billed_ms, week_ms);
    return prices.integral(from_ms, from_ms + billed_ms);
}
wide nano_ms_over(const hourly_shape& of, std::int64_t from_ms, std::int64_t billed_ms) noexcept {
    return nano_ms_over(*of.prices, of.by_week, from_ms, billed_ms);
}

/// In base currency. Of a price that does not change in the run to the bit what it costs as a plain one.
double base_of(wide nano_ms, std::int64_t billed_ms, double cost_per_nano) noexcept {
    if (billed_ms == 0)
        return 0;
    const double mean = static_cast<double>(nano_ms / billed_ms) +
                        static_cast<double>(nano_ms % billed_ms) / static_cast<double>(billed_ms);
    return mean * cost_per_nano;
}

start_option option_at(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms) {
    // What lacks its risk alone has starts, too, because limits on carbon come before that filter.
    const bool without_risk = shape.code == code(rejection::quantity_unknown) && !std::isnan(shape.it_kwh);
    if (!want.starts.active() || (shape.code != passes && !without_risk))
        return {delay_ms, site.carbon_g_per_kwh, site.green_share};
    return want.starts.at(number_of(want, site), shape.start_run, delay_ms);
}

/// A start that is put off further than `first_ms`, which is at once, keeps a distance to dates.
hourly_choice at_delay(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms,
                       std::int64_t first_ms) {
    const start_dates& dates = hours_of(want, shape).dates;
    const request_view& asked = want.request;
    hourly_choice made;
    made.start = option_at(want, site, shape, delay_ms);
    made.from_ms = shape.start_ms + site.data_movement_ms + delay_ms;
    hourly_costs::at_start cost;
    cost.code = passes;
    if (shape.hourly)
        cost = hourly_costs_of(want, site, shape).at(delay_ms);
    made.cost_base = cost.cost_base;
    made.code = cost.code;
    const std::int64_t spare_ms = delay_ms > first_ms ? date_margin_ms : 0;
    if (!dates.lawful(delay_ms, made.from_ms, spare_ms))
        made.code = code(rejection::compliance);
    else if (!dates.priced(delay_ms, spare_ms))
        made.code = code(rejection::quote_expired);
    else if (cost.code != passes && cost.code != code(rejection::too_dear_for_policy))
        return made;
    else if (asked.deadline_ms &&
             earliest_finish_ms(site, shape) + delay_ms + aside_of(want, shape).late_ms > *asked.deadline_ms)
        made.code = code(rejection::deadline);
    else if (asked.max_carbon_kg && !(facility_at(site, shape, made.start).carbon_kg <= *asked.max_carbon_kg))
        made.code = code(rejection::max_carbon);
    return made;
}

/// The last start that the slack and the deadline allow.
std::int64_t last_start(const demand& want, const site_view& site, const shape_view& shape) {
    const std::int64_t first = shape.start_ms + site.data_movement_ms;
    const request_view& asked = want.request;
    if (!asked.slack_until_ms)
        return first;
    return latest_start({first, shape.run_ms, aside_of(want, shape).late_ms},
                        *asked.slack_until_ms + site.data_movement_ms, asked.deadline_ms);
}

/// What the policy compares of a start; J and the like without what does not change with it.
using start_keys = std::array<double, order_keys_max>;
start_keys keys_of(const demand& want, const site_view& site, const shape_view& shape, const hourly_choice& at) {
    const start_rule& rule = want.hourly.rule;
    const facility_energy used = facility_at(site, shape, at.start);
    const std::int64_t finish_ms = earliest_finish_ms(site, shape) + at.start.delay_ms;
    const double hours = static_cast<double>(finish_ms - want.request.earliest_ms) / ms_per_hour;
    start_keys keys{};
    if (!rule.ordered) {
        const double counted = rule.target_ms ? rule.hours_until(finish_ms) : hours;
        keys[0] = at.cost_base + (rule.per_hour > 0 ? rule.per_hour * counted : 0.0) +
                  (rule.per_kg > 0 ? rule.per_kg * used.carbon_kg : 0.0) +
                  (rule.per_non_green_kwh > 0 ? rule.per_non_green_kwh * used.non_green_kwh : 0.0) +
                  (rule.per_risk > 0 ? rule.per_risk * risk_at(want, site, shape, at.start.delay_ms) : 0.0);
        return keys;
    }
    using enum start_rule::quantity;
    for (std::size_t k = 0; k < std::min(rule.keys.size(), keys.size()); ++k) {
        const auto what = rule.keys[k].of;
        const double quantity = what == carbon      ? used.carbon_kg
                                : what == non_green ? used.non_green_kwh
                                : what == finish    ? hours
                                : what == risk      ? risk_at(want, site, shape, at.start.delay_ms)
                                                    : at.cost_base;
        keys[k] = in_steps(quantity, rule.keys[k].step);
    }
    return keys;
}

bool clearly_less(const start_keys& a, const start_keys& b) noexcept {
    for (std::size_t k = 0; k < a.size(); ++k)
        if (std::abs(a[k] - b[k]) > start_gain_least * std::abs(b[k]))
            return a[k] < b[k];
    return false;
}

/// Starts after the first where the beginning or the end of what is billed meets a change of the price.
void add_price_edges(const hourly_shape& of, std::int64_t first_ms, std::int64_t last_ms,
                     std::vector<std::int64_t>& into) {
    constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t by : {std::int64_t{0}, of.billed_ms})
        for (std::int64_t edge = of.prices->next_edge(first_ms + by);
             edge != never && edge - by <= last_ms && into.size() < 2 * start_candidates_max;
             edge = of.prices->next_edge(edge))
            into.push_back(edge - by);
}

/// `at_once`: the delay of the first lawful start.
void find_starts(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                 std::int64_t at_once, std::vector<std::int64_t>& into) {
    const hourly_shape& of = hours_of(want, shape);
    const std::int64_t first = shape.start_ms + site.data_movement_ms;
    into.assign(1, first);
    if (site.code != passes || shape.code != passes)  // no start can make it rankable
        return;
    const std::int64_t last = want.starts.active()
                                  ? want.starts.find_starts(number_of(want, site), shape.start_run, rule, into)
                                  : last_start(want, site, shape);
    if (last <= first || of.by_week)
        return into.resize(1);
    if (shape.hourly)
        add_price_edges(of, first, last, into);
    of.dates.add_edges(first, last, into);
    if (const auto bend = rule.bend(shape.run_ms); bend && *bend > first && *bend < last)
        into.push_back(*bend);
    into.push_back(last);
    if (first + at_once + start_delay_least_ms < last)  // an edge that comes sooner
        into.push_back(first + at_once + start_delay_least_ms);
    std::ranges::sort(into);
    into.erase(std::unique(into.begin(), into.end()), into.end());
}

hourly_choice search(const demand& want, const site_view& site, const shape_view& shape) {
    static thread_local std::vector<std::int64_t> starts;
    const std::int64_t at_once = lawful_delay(want, site, shape).value_or(0);
    find_starts(want, site, shape, want.hourly.rule, at_once, starts);
    hourly_choice best = at_delay(want, site, shape, at_once, at_once);
    start_keys least = keys_of(want, site, shape, best);
    for (const std::int64_t start : starts) {
        const std::int64_t delay = start - starts.front();
        if (delay < at_once + start_delay_least_ms)
            continue;
        const hourly_choice here = at_delay(want, site, shape, delay, at_once);
        if (here.code < best.code)
            continue;
        const start_keys keys = keys_of(want, site, shape, here);
        if (here.code == best.code && !clearly_less(keys, least))
            continue;
        best = here;
        least = keys;
    }
    return best;
}

}  // namespace

hourly_costs::at_start hourly_costs::at(std::int64_t delay_ms) const noexcept {
    const std::int64_t from = from_ms + delay_ms;
    const wide nano_ms = nano_ms_over(*prices, by_week, from, billed_ms);
    at_start made{base_of(nano_ms, billed_ms, per_nano) + data_base, passes};
    constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();
    if (price_max != any_price && prices->range(from, from + (by_week ? week_ms : billed_ms)).second > price_max)
        made.code = code(rejection::max_price);
    else if (nano_ms > nano_ms_max || made.cost_base > budget_base)
        made.code = code(rejection::budget);
    else if (made.cost_base > cost_limit)
        made.code = code(rejection::too_dear_for_policy);
    return made;
}

hourly_costs hourly_costs_of(const demand& want, const site_view& site, const shape_view& shape) noexcept {
    const hourly_shape& of = hours_of(want, shape);
    hourly_costs made;
    made.prices = of.prices;
    made.by_week = of.by_week;
    made.from_ms = shape.start_ms + site.data_movement_ms;
    made.billed_ms = of.billed_ms;
    made.per_nano = shape.cost_per_nano;
    made.data_base = site.egress_base;
    made.price_max = shape.price_max;
    made.nano_ms_max = of.nano_ms_max;
    if (site.egress_base > 0 && want.request.budget_base)
        made.budget_base = *want.request.budget_base;
    made.cost_limit = want.hourly.cost_limit;
    if (want.request.slack_until_ms)
        made.slack_until_ms = *want.request.slack_until_ms + site.data_movement_ms;
    return made;
}

const hourly_choice& hourly_best(const demand& want, const site_view& site, const shape_view& shape) {
    const std::uint64_t key = number_of(want, site) << 32 | static_cast<std::uint64_t>(&shape - want.shapes.data());
    if (const auto known = want.hourly.found.find(key); known != want.hourly.found.end())
        return known->second;
    return want.hourly.found.emplace(key, search(want, site, shape)).first->second;
}

void find_hourly_options(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                         std::vector<hourly_choice>& into) {
    static thread_local std::vector<std::int64_t> starts;
    const std::int64_t at_once = lawful_delay(want, site, shape).value_or(0);
    find_starts(want, site, shape, rule, at_once, starts);
    into.clear();
    const auto take = [&](std::int64_t delay) {
        if (const hourly_choice here = at_delay(want, site, shape, delay, at_once); here.code == passes)
            into.push_back(here);
    };
    take(at_once);
    for (const std::int64_t start : starts)
        if (const std::int64_t delay = start - starts.front(); delay >= at_once + start_delay_least_ms)
            take(delay);
}

hourly_choice hourly_at_once(const demand& want, const site_view& site, const shape_view& shape) {
    const std::int64_t at_once = lawful_delay(want, site, shape).value_or(0);
    return at_delay(want, site, shape, at_once, at_once);
}

std::optional<std::int64_t> lawful_delay(const demand& want, const site_view& site, const shape_view& shape) {
    const start_dates& dates = hours_of(want, shape).dates;
    if (dates.forbidden.empty())
        return 0;
    const std::int64_t first = shape.start_ms + site.data_movement_ms;
    const auto delay = first_lawful_delay(dates.forbidden, dates.launch_ms, first - dates.launch_ms);
    return delay && first + *delay <= last_start(want, site, shape) ? delay : std::nullopt;
}

std::uint8_t date_code(const demand& want, const site_view& site, const shape_view& shape) {
    const auto delay = lawful_delay(want, site, shape);
    if (!delay)
        return code(rejection::compliance);
    return hours_of(want, shape).dates.priced(*delay, 0) ? passes : code(rejection::quote_expired);
}

double hourly_cost(const demand& want, const site_view& site, const shape_view& shape, const shape_view& view,
                   std::int64_t from_ms, std::uint64_t billed_s) {
    const auto billed_ms = static_cast<std::int64_t>(billed_s) * 1000;
    return base_of(nano_ms_over(hours_of(want, shape), from_ms, billed_ms), billed_ms, view.cost_per_nano) +
           site.egress_base;
}

hourly_price hourly_price_over(const demand& want, const shape_view& shape, std::int64_t from_ms) {
    const hourly_shape& of = hours_of(want, shape);
    const std::int64_t range_ms = of.by_week ? week_ms : of.billed_ms;
    const auto [least, most] = of.prices->range(from_ms, from_ms + range_ms);
    return {of.prices->mean(from_ms, from_ms + range_ms), least, most, nano_ms_over(of, from_ms, of.billed_ms)};
}

note note_on_hours(const offer_id& on, const hourly_price& over, currency in, const exchange_rates& rates) {
    const double rate = static_cast<double>(rate_nanos(rates, in)) / 1e18;
    note told{note_kind::price_by_hour, {on}, {}};
    for (const std::int64_t nanos : {over.mean, over.least, over.most})
        told.figures.push_back(static_cast<double>(nanos) * rate);
    return told;
}

start_option hourly_start_of(const demand& want, const site_view& site, const shape_view& shape, bool at_once) {
    return at_once ? hourly_at_once(want, site, shape).start : hourly_best(want, site, shape).start;
}

}  // namespace westerly
