#include "broker/placement/compare.hpp"

#include "broker/domain/owned.hpp"
#include "broker/placement/bill.hpp"
#include "broker/placement/rounding.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::optional<double> if_known(double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
}

/// The last time that can be written, the end of year 9999.
constexpr double last_ms = 253'402'300'799'999.0;

instant at_ms(std::int64_t since_epoch) {
    return instant(milliseconds(since_epoch));
}

/// All respects so that less is better; unknown is infinity.
std::array<double, 5> respects(const appraisal& a, bool latency_counts) {
    return {a.cost_base, latency_counts ? a.rtt_ms.value_or(infinity) : 0.0, a.carbon_kg.value_or(infinity),
            a.green_power_share ? -*a.green_power_share : infinity,
            static_cast<double>(a.finish_at.time_since_epoch().count())};
}

bool dominates(const std::array<double, 5>& a, const std::array<double, 5>& b) {
    bool less_somewhere = false;
    for (std::size_t k = 0; k < a.size(); ++k) {
        if (a[k] > b[k])
            return false;
        less_somewhere |= a[k] < b[k];
    }
    return less_somewhere;
}

void add_terms(const comparison& by, std::uint32_t index, bool at_once, appraisal& into) {
    into.j = into.cost_base;
    for (const auto& part : by.rule.parts) {
        if (!part.applies && !by.rule.ordered)
            continue;
        const double quantity =
            part.applies ? quantity_of(by.book, by.want, by.spec, by.world.now, *part.what, index, at_once) : 0.0;
        if (by.rule.ordered) {
            into.keys.push_back(in_steps(quantity, part.factor));
        } else {
            into.terms.emplace_back(std::string(part.what->name), part.factor * quantity);
            into.j += into.terms.back().second;
        }
    }
}

run_estimate estimate_of(const run_length& run) {
    return {.cards = run.cards,
            .speed = run.speed.r,
            .speed_method = std::string(run.speed.method),
            .efficiency = run.efficiency,
            .effective_cards = run.effective_cards,
            .interruptions = run.interruptions,
            .hazard_per_h = run.hazard.per_h,
            .hazard_assumed = run.hazard.assumed,
            .work_s = run.work_s,
            .wall_s = run.wall_s};
}

/// C with the cards as fast, and as slow, as their speed's interval allows; infinite where the slow ones never finish.
void add_range(const comparison& by, std::uint32_t index, appraisal& into) {
    const std::uint32_t shape = by.book.cols().shape[index];
    const auto cost_at = [&](speed_end at) {
        const auto [view, run] = resolve_at(by.book, by.rules, by.spec, by.world, by.want, shape, at);
        if (run.why_not)
            return infinity;
        const site_view& site = by.want.sites[by.book.cols().site[index]];
        const site_bill bill = bill_of(site, view, run, by.want.aside[shape].rate);
        if (view.hourly)
            return hourly_cost(by.want, site, by.want.shapes[shape], bill, into.start_at.time_since_epoch().count());
        return bill.cost_base(by.book.cols().price[index]) + into.egress_base;
    };
    const bool exact = by.want.runs[shape].speed.r.exact();
    into.cost_low = exact ? into.cost_base : cost_at(speed_end::fast);
    into.cost_high = exact ? into.cost_base : cost_at(speed_end::slow);
}

void add_odds(const comparison& by, std::uint32_t index, std::int64_t delay_ms, appraisal& into) {
    if (by.spec.kind == workload_kind::service)
        return;
    finish_model finish = finish_of(by.book, by.rules, by.spec, by.world, by.want, by.book.cols().site[index],
                                    by.book.cols().shape[index]);
    if (finish.exact())
        return;
    finish.fixed_ms += static_cast<double>(delay_ms);
    into.odds.emplace().p90_at = at_ms(static_cast<std::int64_t>(std::min(std::ceil(finish.at(z_of_p90)), last_ms)));
    if (by.want.request.deadline_ms)
        into.odds->by_deadline = finish.by(static_cast<double>(*by.want.request.deadline_ms));
}

}  // namespace

appraisal appraise(const comparison& by, std::uint32_t index, bool at_once) {
    const offer& at = by.book.at(index);
    const site_view& site = by.want.sites[by.book.cols().site[index]];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[index]];
    appraisal a;
    a.offer = at.id;
    a.provider = at.provider;
    a.site = at.site.site;
    a.region = at.site.region;
    a.launchable = at.launchable;
    a.units = shape.units;
    a.tasks = by.spec.tasks;
    a.price = *ranked_price(at);
    const run_length& run = by.want.runs[by.book.cols().shape[index]];
    a.billed_s = bill_at(by.want, site, shape).billed_s;
    const start_option start = start_of(by.want, site, shape, at_once);
    a.start_at = at_ms(shape.start_ms + site.data_movement_ms + start.delay_ms);
    a.finish_at = at_ms(earliest_finish_ms(site, shape) + start.delay_ms);
    a.cost = {cumulative_micros(a.price, a.units, milliseconds(static_cast<std::int64_t>(a.billed_s) * 1000)),
              a.price.unit};
    if (shape.hourly) {
        const hourly_price over = hourly_price_over(by.want, site, shape, a.start_at.time_since_epoch().count());
        a.price.nanos = over.mean;
        a.cost.micros = charged_micros(over.nano_ms, a.units);
    }
    a.cost_base = cost_of(by.book, by.want, index, at_once);
    a.egress_base = site.egress_base;
    if (site.egress_base > 0)
        a.staging_base = staging_base(by.book, by.spec, by.world, by.book.sites()[by.book.cols().site[index]]);
    add_range(by, index, a);
    if (run.estimated)
        a.run = estimate_of(run);
    add_terms(by, index, at_once, a);
    add_odds(by, index, start.delay_ms, a);
    a.data_movement_s = site.data_movement_s;
    a.rtt_ms = if_known(site.rtt_ms);
    a.rtt_p95_ms = if_known(site.rtt_p95_ms);
    a.rtt_method = in_words(site.rtt_known, site.rtt_ms);
    const facility_energy used = facility_at(site, shape, start);
    a.energy_kwh = if_known(used.kwh);
    a.non_green_kwh = if_known(used.non_green_kwh);
    a.carbon_kg = if_known(used.carbon_kg);
    a.residual_known = at.site.residual_g_per_kwh.has_value();
    const double rest_g = a.residual_known ? at.site.residual_g_per_kwh->value : start.carbon_g_per_kwh;
    a.carbon_market_kg = if_known(used.non_green_kwh * rest_g / 1000.0);
    a.green_power_share = if_known(start.green_share);
    if (at.site.pue)
        a.pue = at.site.pue->value;
    return a;
}

std::vector<offer_id> pareto_set(std::span<const appraisal> ranked, bool latency_counts) {
    std::vector<std::array<double, 5>> all;
    for (const auto& a : ranked)
        all.push_back(respects(a, latency_counts));
    std::vector<offer_id> undominated;
    for (std::size_t i = 0; i < ranked.size(); ++i)
        if (std::ranges::none_of(all, [&](const auto& other) { return dominates(other, all[i]); }))
            undominated.push_back(ranked[i].offer);
    return undominated;
}

}  // namespace westerly
