#include "broker/placement/hourly_starts.hpp"

#include "broker/placement/bill.hpp"
#include "broker/placement/rank.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/start_span.hpp"
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

std::int64_t billed_ms_at(const demand& want, const site_view& site, const shape_view& shape) noexcept {
    return static_cast<std::int64_t>(bill_at(want, site, shape).billed_s) * 1000;
}

/// In base currency: of the same money to the bit what it is as a plain price.
double base_of(wide nano_ms, std::uint64_t units, double rate) noexcept {
    constexpr wide most = std::numeric_limits<wide>::max();
    const wide all = units > 0 && nano_ms > most / units ? most : nano_ms * static_cast<wide>(units);
    const double nano_s = all % 1000 == 0 ? static_cast<double>(all / 1000) : static_cast<double>(all) / 1000.0;
    return money_of_nano_s(nano_s) * rate;
}

/// What lacks its risk alone has starts, too, because limits on carbon come before that filter.
bool has_starts(const shape_view& shape) noexcept {
    return shape.code == passes || (shape.code == code(rejection::quantity_unknown) && !std::isnan(shape.it_kwh));
}

start_option option_at(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms) {
    if (!want.starts.active() || !has_starts(shape))
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
    made.start_ms = shape.start_ms + site.data_movement_ms + delay_ms;
    hourly_costs::at_start cost;
    cost.code = passes;
    if (shape.hourly)
        cost = hourly_costs_of(want, site, shape).at(delay_ms);
    made.cost_base = cost.cost_base;
    made.code = cost.code;
    const std::int64_t spare_ms = delay_ms > first_ms ? date_margin_ms : 0;
    if (!dates.lawful(delay_ms, made.start_ms, spare_ms))
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

double hours_to_finish(const demand& want, const site_view& site, const shape_view& shape,
                       const hourly_choice& at) noexcept {
    const std::int64_t finish_ms = earliest_finish_ms(site, shape) + at.start.delay_ms;
    return static_cast<double>(finish_ms - want.request.earliest_ms) / ms_per_hour;
}

double quantity_at(const demand& want, const site_view& site, const shape_view& shape, start_rule::quantity what,
                   const hourly_choice& at) {
    using enum start_rule::quantity;
    return what == carbon      ? facility_at(site, shape, at.start).carbon_kg
           : what == non_green ? facility_at(site, shape, at.start).non_green_kwh
           : what == finish    ? hours_to_finish(want, site, shape, at)
           : what == risk      ? risk_at(want, site, shape, at.start.delay_ms)
                               : at.cost_base;
}

/// What the policy compares of a start; J and the like without what does not change with it.
using start_keys = std::array<double, order_keys_max>;
start_keys keys_of(const demand& want, const site_view& site, const shape_view& shape, const hourly_choice& at) {
    const start_rule& rule = want.hourly.rule;
    start_keys keys{};
    if (rule.ordered) {
        for (std::size_t k = 0; k < std::min(rule.keys.size(), keys.size()); ++k)
            keys[k] = in_steps(quantity_at(want, site, shape, rule.keys[k].of, at), rule.keys[k].step);
        return keys;
    }
    const facility_energy used = facility_at(site, shape, at.start);
    const double counted = rule.target_ms ? rule.hours_until(earliest_finish_ms(site, shape) + at.start.delay_ms)
                                          : hours_to_finish(want, site, shape, at);
    keys[0] = at.cost_base + (rule.per_hour > 0 ? rule.per_hour * counted : 0.0) +
              (rule.per_kg > 0 ? rule.per_kg * used.carbon_kg : 0.0) +
              (rule.per_non_green_kwh > 0 ? rule.per_non_green_kwh * used.non_green_kwh : 0.0) +
              (rule.per_risk > 0 ? rule.per_risk * risk_at(want, site, shape, at.start.delay_ms) : 0.0);
    return keys;
}

bool clearly_less(const start_keys& a, const start_keys& b) noexcept {
    for (std::size_t k = 0; k < a.size(); ++k)
        if (std::abs(a[k] - b[k]) > start_gain_least * std::abs(b[k]))
            return a[k] < b[k];
    return false;
}

/// Starts after the first where the beginning or the end of what is billed meets a change of the price.
void add_price_edges(const demand& want, const site_view& site, const shape_view& shape, std::int64_t first_ms,
                     std::int64_t last_ms, std::vector<std::int64_t>& into) {
    constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    const price_curve& prices = *hours_of(want, shape).prices;
    const std::int64_t before_ms = billed_before_ms(site, shape), billed_ms = billed_ms_at(want, site, shape);
    for (const std::int64_t by : {-before_ms, billed_ms - before_ms})
        for (std::int64_t edge = prices.next_edge(first_ms + by);
             edge != never && edge - by <= last_ms && into.size() < 2 * start_candidates_max;
             edge = prices.next_edge(edge))
            into.push_back(edge - by);
}

/// `at_once`: the delay of the first lawful start.
void find_starts(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                 std::int64_t at_once, std::vector<std::int64_t>& into) {
    const hourly_shape& of = hours_of(want, shape);
    const std::int64_t first = shape.start_ms + site.data_movement_ms;
    into.assign(1, first);
    if (site.code != passes || !has_starts(shape) || (shape.code != passes && shape.hourly))
        return;  // no start can make it rankable, nor change why it is not
    const std::int64_t last = want.starts.active()
                                  ? want.starts.find_starts(number_of(want, site), shape.start_run, rule, into)
                                  : last_start(want, site, shape);
    if (last <= first || of.by_week)
        return into.resize(1);
    if (shape.hourly)
        add_price_edges(want, site, shape, first, last, into);
    of.dates.add_edges(first, last, into);
    if (const auto bend = rule.bend(shape.run_ms); bend && *bend > first && *bend < last)
        into.push_back(*bend);
    into.push_back(last);
    if (first + at_once + start_delay_least_ms < last)  // an edge that comes sooner
        into.push_back(first + at_once + start_delay_least_ms);
    std::ranges::sort(into);
    into.erase(std::unique(into.begin(), into.end()), into.end());
}

/// Keeps of the delays between two neighbours those that meet every limit on what changes there. False: there are
/// none.
bool keep_within_limits(const demand& want, const site_view& site, const shape_view& shape, start_span& delays) {
    if (shape.hourly) {
        const hourly_costs costs = hourly_costs_of(want, site, shape);
        const double cost_most = std::min(costs.budget_base, costs.cost_limit);
        const auto over_budget = [&](std::int64_t delay) {
            return static_cast<double>(costs.nano_ms_at(delay) - costs.nano_ms_max);
        };
        const auto over_cost = [&](std::int64_t delay) {
            return costs.at(delay).cost_base - cost_most;
        };
        if (!keep_within(delays, over_budget) || !keep_within(delays, over_cost))
            return false;
    }
    const auto over_carbon = [&](std::int64_t delay) {
        return facility_at(site, shape, option_at(want, site, shape, delay)).carbon_kg - *want.request.max_carbon_kg;
    };
    return !want.request.max_carbon_kg || keep_within(delays, over_carbon);
}

bool may_be_between(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                    const hourly_choice& before, const hourly_choice& after) {
    if (before.code != after.code)
        return true;
    if (!rule.ordered || before.code != passes || rule.weighs(start_rule::quantity::risk) ||
        std::ranges::none_of(rule.keys, [](const start_rule::key& k) { return k.step > 0; }))
        return false;
    const start_keys a = keys_of(want, site, shape, before), b = keys_of(want, site, shape, after);
    for (std::size_t k = 0; k < std::min(rule.keys.size(), a.size()); ++k)
        if (rule.keys[k].step > 0 && a[k] != b[k])
            return true;
    return false;
}

/// Tries the starts between two neighbours at which a limit or a step is just met.
template <class Try>
void try_between(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                 const start_span& delays, const Try& attempt) {
    start_span kept = delays;
    if (!keep_within_limits(want, site, shape, kept))
        return;
    if (rule.ordered && !rule.weighs(start_rule::quantity::risk))
        kept.first_ms = kept.last_ms =
            least_in_order(kept, rule.keys, [&](const start_rule::key& key, std::int64_t delay) {
                return quantity_at(want, site, shape, key.of, at_delay(want, site, shape, delay, delay));
            });
    visit_inside(kept, delays, attempt);
}

/// Every start that is tried, by `take`; ascending.
template <class Take>
void try_starts(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                const Take& take) {
    static thread_local std::vector<std::int64_t> starts;
    const std::int64_t at_once = lawful_delay(want, site, shape).value_or(0);
    find_starts(want, site, shape, rule, at_once, starts);
    const auto choice_at = [&](std::int64_t delay) {
        return at_delay(want, site, shape, delay, at_once);
    };
    hourly_choice before = choice_at(at_once);
    take(before);
    for (const std::int64_t start : starts) {
        const std::int64_t delay = start - starts.front();
        if (delay < at_once + start_delay_least_ms)
            continue;
        const hourly_choice here = choice_at(delay);
        const std::int64_t from = before.start.delay_ms;
        if (from > at_once && may_be_between(want, site, shape, rule, before, here))  // a minute after it is tried
            try_between(want, site, shape, rule, {from, delay},
                        [&](std::int64_t between) { take(choice_at(between)); });
        take(here);
        before = here;
    }
}

hourly_choice search(const demand& want, const site_view& site, const shape_view& shape) {
    std::optional<hourly_choice> best;
    start_keys least{};
    try_starts(want, site, shape, want.hourly.rule, [&](const hourly_choice& here) {
        if (best && here.code < best->code)
            return;
        const start_keys keys = keys_of(want, site, shape, here);
        if (best && here.code == best->code && !clearly_less(keys, least))
            return;
        best = here;
        least = keys;
    });
    return *best;
}

}  // namespace

wide hourly_costs::nano_ms_at(std::int64_t delay_ms) const noexcept {
    return nano_ms_over(*prices, by_week, from_ms + delay_ms, billed_ms);
}

hourly_costs::at_start hourly_costs::at(std::int64_t delay_ms) const noexcept {
    const std::int64_t from = from_ms + delay_ms;
    const wide nano_ms = nano_ms_at(delay_ms);
    at_start made{base_of(nano_ms, units, rate) + data_base, passes};
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
    const site_bill bill = bill_at(want, site, shape);
    const std::int64_t brought_ms = site.data_movement_ms - billed_before_ms(site, shape);  // before it is billed
    made.from_ms = shape.start_ms + brought_ms;
    made.billed_ms = static_cast<std::int64_t>(bill.billed_s) * 1000;
    made.units = shape.units;
    made.rate = bill.rate;
    made.data_base = site.egress_base;
    made.price_max = shape.price_max;
    made.nano_ms_max = aside_of(want, shape).nano_ms_max;
    if (site.egress_base > 0 && want.request.budget_base)
        made.budget_base = *want.request.budget_base;
    made.cost_limit = want.hourly.cost_limit;
    if (want.request.slack_until_ms)
        made.slack_until_ms = *want.request.slack_until_ms + brought_ms;
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
    into.clear();
    try_starts(want, site, shape, rule, [&](const hourly_choice& here) {
        if (here.code == passes)
            into.push_back(here);
    });
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

double hourly_cost(const demand& want, const site_view& site, const shape_view& shape, const site_bill& bill,
                   std::int64_t start_ms) {
    const auto billed_ms = static_cast<std::int64_t>(bill.billed_s) * 1000;
    const std::int64_t from_ms = start_ms - billed_before_ms(site, shape);
    return base_of(nano_ms_over(hours_of(want, shape), from_ms, billed_ms), shape.units, bill.rate) + site.egress_base;
}

hourly_price hourly_price_over(const demand& want, const site_view& site, const shape_view& shape,
                               std::int64_t start_ms) {
    const hourly_shape& of = hours_of(want, shape);
    const std::int64_t from_ms = start_ms - billed_before_ms(site, shape), billed_ms = billed_ms_at(want, site, shape);
    const std::int64_t range_ms = of.by_week ? week_ms : billed_ms;
    const auto [least, most] = of.prices->range(from_ms, from_ms + range_ms);
    return {of.prices->mean(from_ms, from_ms + range_ms), least, most, nano_ms_over(of, from_ms, billed_ms)};
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
