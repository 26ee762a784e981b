#include "broker/placement/shape_demand.hpp"

#include "broker/domain/energy.hpp"
#include "broker/placement/bill.hpp"
#include "broker/placement/compliance.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

std::int64_t ms_since_epoch(instant at) noexcept {
    return at.time_since_epoch().count();
}

/// The queue is joined with the launch, and nothing is launched before the workload may start.
std::int64_t earliest_start(const offer_book::shape_row& row, const request_view& request) noexcept {
    return earliest_launch(row, request) + std::int64_t{row.queue_wait_s} * 1000;
}

/// The finish of a run of `run_ms` that takes `slow_ms` with its cards at the slow end of their speed's interval.
finish_model model_of(const offer_book::shape_row& row, const workload_spec& spec, const request_view& request,
                      std::int64_t run_ms, std::int64_t slow_ms) {
    const work_estimate& work = spec.work;
    const double tail = work.runtime_s && *work.runtime_s > 0 && work.runtime_p90_s
                            ? static_cast<double>(*work.runtime_p90_s) / static_cast<double>(*work.runtime_s)
                            : 1;
    finish_model made;
    made.asked_ms = static_cast<double>(earliest_launch(row, request));
    made.wait_ms = {row.queue_wait_s * 1000.0, row.queue_wait_p90_s * 1000.0};
    const auto median = static_cast<double>(run_ms);
    made.run_ms = {median, static_cast<double>(std::max(run_ms, slow_ms)) * std::max(1.0, tail)};
    if (!work.reference && spec.when.max_runtime_s)
        made.run_most_ms = std::max(median, static_cast<double>(*spec.when.max_runtime_s) * 1000);
    return made;
}

/// In ms; the longest there is where the cards might not finish at all.
std::int64_t wall_ms(const run_length& run) noexcept {
    return static_cast<std::int64_t>(run.why_not ? runtime_max_s : run.wall_s) * 1000;
}

std::int64_t late_ms_of(const finish_model& finish, double z) noexcept {
    return static_cast<std::int64_t>(std::ceil(std::min(finish.at(z) - finish.at(0), 1e16)));
}

double rate_of(currency unit, const shape_question& asked) noexcept {
    return static_cast<double>(rate_nanos(asked.world.rates, unit)) / 1e9;
}

/// Limits are held against what is billed: where that is not what is compared, they let all prices pass or none.
void limit_by_bill(unit_price billed, const shape_question& asked, std::uint64_t billed_s, shape_view& into,
                   shape_aside& aside) {
    constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max(), none = -1;
    const auto within = [&](std::int64_t price_max) {
        return billed.nanos <= price_max ? all : none;
    };
    if (asked.hourly)
        into.price_max = within(asked.hourly->price_by_hour(billed.unit, into.units));
    if (asked.run)
        into.budget_max = within(asked.run->price_by_run(billed.unit, into.units, billed_s));
    aside.billed_nanos = billed.nanos;
    aside.billed_rate = rate_of(billed.unit, asked);
}

/// Whether one of its starts may lie at a date that forbids it, or past its quote.
bool starts_are_dated(const offer_book::shape_row& row, const request_view& request,
                      std::span<const start_dates::time_span> forbidden, std::int64_t start_ms) {
    const std::int64_t launch = earliest_launch(row, request), until = request.launch_until_ms();
    const std::int64_t spare = until > launch ? date_margin_ms : 0;
    const std::int64_t last = std::max(start_ms, until) + request.movement_most_ms + spare;
    return (row.price_until && ms_since_epoch(*row.price_until) <= std::max(launch, until) + spare) ||
           std::ranges::any_of(forbidden, [&](const auto& each) { return each.first <= last; });
}

}  // namespace

shape_question::shape_question(const offer_book& book, const policy& policy, const workload_spec& spec,
                               const decision_world& around, const request_view& request)
    : world(around), names(book.names()) {
    resolve_limits(book, policy, spec, world, request.reads, limits);
    if (spec.limits.max_price_per_hour)
        hourly.emplace(*spec.limits.max_price_per_hour, world.rates);
    if (const auto& budget = world.budget_left ? world.budget_left : spec.budget)
        run.emplace(*budget, world.rates);
    length = {&spec, &known_in(world), view_of(spec, known_in(world)), world.measured, request.runtime_s};
    if (world.progress) {
        length.work_left = world.progress->work_left;
        length.saved = world.progress->restores && spec.checkpoint;
        length.restore_s = world.progress->restores && spec.checkpoint ? spec.checkpoint->restore_s : 0;
    }
}

std::int64_t earliest_launch(const offer_book::shape_row& row, const request_view& request) noexcept {
    return row.available_from ? std::max(request.earliest_ms, ms_since_epoch(*row.available_from))
                              : request.earliest_ms;
}

void resolve_shape(const offer_book::shape_row& row, const shape_question& asked, const request_view& request,
                   speed_end at, shape_view& into, run_length& run, shape_aside& aside) {
    into = {};
    run = {};
    aside = {};
    into.launchable = row.launchable;
    into.code = kind_code(asked.limits, row);
    if (into.code != passes)
        return;
    const workload_spec& spec = *asked.length.spec;
    const accelerator_facts* cards = row.accelerators ? &*row.accelerators : nullptr;
    const unit_shape unit{row.divisible, row.vcpus, row.memory_mib, row.disk_mib, cards ? cards->count : 0};
    const gang_fit fit = fit_gang(unit, cards, spec, *asked.length.known);
    into.units = fit.units > 0 ? std::max(fit.units, row.minimum_units) : 0;
    into.preference = static_cast<std::uint8_t>(std::min(fit.preference, 15u));
    into.headroom = request.waits_at_it ? 0 : row.latency_headroom;
    const std::int64_t launch = earliest_launch(row, request);
    static thread_local std::vector<start_dates::time_span> forbidden;
    find_forbidden(request.compliance, facts_of(row, asked.names), *asked.length.known, launch, forbidden);
    const auto lawful_after = first_lawful_delay(forbidden, launch, 0);
    const bool forbids = !lawful_after || *lawful_after > std::max<std::int64_t>(request.launch_until_ms() - launch, 0);
    const auto& precision = spec.resources.precision;
    const bool precise = !precision || (cards && peak_at(*precision, *cards) > 0);
    if (fit.units > 0)
        run = run_on(row, fit.cards, fit.units, asked.length, at);
    const double units = static_cast<double>(into.units);
    into.it_kwh = it_energy_kwh(row.idle_w, row.max_w, units, run.run_s / 3600.0,
                                spec.work.utilisation.value_or(default_utilisation));
    into.code = fit_code(asked.limits,
                         {fit.accelerator, precise, forbids, into.units, run.why_not, into.it_kwh, run.risk.lost});
    if (run.why_not)
        return;
    if (launch > request.launch_until_ms())
        into.code = std::min(into.code, static_cast<std::uint8_t>(rejection::available_later));
    into.start_ms = earliest_start(row, request);
    into.dated = into.code >= static_cast<std::uint8_t>(rejection::available_later) &&
                 starts_are_dated(row, request, forbidden, into.start_ms);
    into.run_ms = static_cast<std::int64_t>(run.wall_s) * 1000;
    if (request.deadline_ms) {
        std::int64_t slow_ms = into.run_ms;
        if (at == speed_end::value && !run.speed.r.exact())
            slow_ms = wall_ms(run_on(row, fit.cards, fit.units, asked.length, speed_end::slow));
        run.risk.finish = model_of(row, spec, request, into.run_ms, slow_ms);
        run.risk.deadline_ms = static_cast<double>(*request.deadline_ms);
        aside.late_ms = late_ms_of(run.risk.finish, request.deadline_z);
    }
    aside.rate = rate_of(row.unit, asked);
    into.unit_s = units * static_cast<double>(run.billed_s);
    constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();
    into.price_max = asked.hourly ? asked.hourly->price_by_hour(row.unit, into.units) : any_price;
    into.budget_max = asked.run ? asked.run->price_by_run(row.unit, into.units, run.billed_s) : any_price;
    into.hourly = row.prices != nullptr;
    into.alone = into.hourly || into.dated;
    into.bill_by_site = run.billed_from_allocation && request.movement_most_ms > 0;
    if (into.hourly || into.bill_by_site)
        aside.nano_ms_max = asked.run ? asked.run->nano_ms_by_run(row.billed ? row.billed->unit : row.unit, into.units)
                                      : money_cap::any_nano_ms;
    if (row.billed)
        limit_by_bill(*row.billed, asked, run.billed_s, into, aside);
}

void resolve_alone(const offer_book& book, const shape_question& asked, demand& into) {
    into.hourly.shapes.clear();
    into.hourly.found.clear();
    if (!book.prices_by_hour() && !book.prices_quoted() && !into.request.compliance.dated())
        return;
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        const shape_view& shape = into.shapes[i];
        if (!shape.alone)
            continue;
        const auto& row = book.shapes()[i];
        const workload_spec& spec = *asked.length.spec;
        into.aside[i].hourly = static_cast<std::uint32_t>(into.hourly.shapes.size());
        hourly_shape& made = into.hourly.shapes.emplace_back();
        made.prices = row.prices.get();
        made.by_week = shape.hourly && spec.kind == workload_kind::service;
        made.dates.launch_ms = earliest_launch(row, into.request);
        if (row.price_until)
            made.dates.priced_until_ms = ms_since_epoch(*row.price_until);
        if (shape.dated)
            find_forbidden(into.request.compliance, facts_of(row, asked.names), *asked.length.known,
                           made.dates.launch_ms, made.dates.forbidden);
    }
}

std::pair<shape_view, run_length> resolve_at(const offer_book& book, const policy& policy, const workload_spec& spec,
                                             const decision_world& world, const demand& want, std::uint32_t shape,
                                             speed_end at) {
    const shape_question asked(book, policy, spec, world, want.request);
    std::pair<shape_view, run_length> made;
    shape_aside aside;
    resolve_shape(book.shapes()[shape], asked, want.request, at, made.first, made.second, aside);
    return made;
}

void resolve_sized(const offer_book& book, const policy& policy, const workload_spec& spec, const decision_world& world,
                   std::uint32_t shape, demand& into) {
    const shape_question asked(book, policy, spec, world, into.request);
    into.late.clear();
    const std::uint16_t run = into.shapes[shape].start_run;
    resolve_shape(book.shapes()[shape], asked, into.request, speed_end::value, into.shapes[shape], into.runs[shape],
                  into.aside[shape]);
    into.shapes[shape].start_run = run;
    resolve_alone(book, asked, into);
}

finish_model finish_of(const offer_book& book, const policy& policy, const workload_spec& spec,
                       const decision_world& world, const demand& want, std::uint32_t site, std::uint32_t shape) {
    const std::int64_t run_ms = want.shapes[shape].run_ms;
    const bool inexact = !want.runs[shape].speed.r.exact();
    const std::int64_t slow_ms =
        inexact ? wall_ms(resolve_at(book, policy, spec, world, want, shape, speed_end::slow).second) : run_ms;
    finish_model made = model_of(book.shapes()[shape], spec, want.request, run_ms, slow_ms);
    made.fixed_ms = static_cast<double>(want.sites[site].data_movement_ms);
    return made;
}

}  // namespace westerly
