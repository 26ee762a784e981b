#include "broker/placement/demand.hpp"

#include "broker/domain/energy.hpp"
#include "broker/placement/compliance.hpp"
#include "broker/placement/filters.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
/// Money is rounded to 10^-6, and what moves data is told in doubles: 15.6 x 2 + 0.07 is not over 31.27.
constexpr double half_micro = 0.5e-6, budget_noise = 1e-12;

std::int64_t ms_since_epoch(instant at) noexcept {
    return at.time_since_epoch().count();
}

void resolve_rtt(std::span<const origin_view> origins, const offer_book::site_row& row, instant now, site_view& into) {
    static thread_local std::vector<std::pair<double, double>> all;
    all.clear();
    into.rtt_known = origins.empty() ? rtt_source::unknown : rtt_source::measured;
    into.rtt_ms = origins.empty() ? unknown : 0.0;
    for (const origin_view& from : origins) {
        const told_rtt told = rtt_between(from, row, now);
        into.rtt_ms += told.ms * from.share;
        into.rtt_known = std::max(into.rtt_known, told.source);
        all.emplace_back(told.ms, from.share);
    }
    into.rtt_p95_ms = p95_of(all);
}

void resolve_data_movement(std::span<const brought_data> inputs, const offer_book::site_row& row,
                           const exchange_rates& rates, site_view& into) {
    const data_movement moved = movement_to(row, inputs, rates);
    into.egress_base = moved.cost_base;
    into.data_movement_s = moved.seconds;
    into.data_movement_ms = static_cast<std::int64_t>(std::ceil(into.data_movement_s * 1000.0));
}

void resolve_request(const policy& policy, term_table terms, const workload_spec& spec, const decision_world& world,
                     request_view& into) {
    into.runtime_s = std::min(spec.work.runtime_s.value_or(policy.default_runtime_s), runtime_max_s);
    into.runtime_assumed = !spec.work.runtime_s && !spec.work.accelerator_hours && spec.kind == workload_kind::batch;
    into.stay_ms = 0;
    if (spec.kind == workload_kind::service) {
        into.runtime_s = service_runtime_s;
        into.stay_ms = static_cast<std::int64_t>(std::min(service_stay_h(spec) * 3'600'000, runtime_max_s * 1e3));
    } else if (spec.when.max_runtime_s) {
        into.runtime_s = std::min(into.runtime_s, *spec.when.max_runtime_s);
    }
    into.earliest_ms = ms_since_epoch(std::max(world.now, spec.when.earliest_start_at.value_or(world.now)));
    into.now = world.now;
    into.slack_until_ms = slack_until(policy, spec, world);
    into.compliance = {policy.compliance, spec.limits.compliance};
    into.waits_at_it = spec.kind == workload_kind::service || spec.interactive;
    into.origin_known = spec.limits.origin_stated();
    into.deadline_ms.reset();
    if (spec.when.deadline_at && spec.kind == workload_kind::batch)
        into.deadline_ms = ms_since_epoch(*spec.when.deadline_at);
    into.free_hours = 0;
    if (spec.when.target_at && spec.kind == workload_kind::batch)
        into.free_hours = static_cast<double>(ms_since_epoch(*spec.when.target_at) - into.earliest_ms) / 3'600'000.0;
    into.deadline_z = into.deadline_ms ? z_of(spec.when.deadline_probability) : 0;
    into.max_carbon_kg.reset();
    if (const auto& most = spec.limits.max_carbon_kg)
        into.max_carbon_kg = *most * (1 + rounding);
    into.budget_base.reset();
    if (const auto& budget = world.budget_left ? world.budget_left : spec.budget)
        into.budget_base = to_base(world.rates, *budget) * (1 + budget_noise) + half_micro;
    into.reads = reads_nothing;
    const auto note = [&](const std::string& name) {
        const term* known = find_term(terms, name);
        if (known && known->applies(spec))
            into.reads |= known->reads;
    };
    for (const auto& price : policy.prices)
        note(price.term);
    for (const auto& key : order_of(policy, spec))
        note(key.term);
    if (policy.within_of_least)
        note(policy.within_of_least->term);
}

void resolve_sites(const offer_book& book, const workload_spec& spec, const decision_world& world,
                   const limits_view& limits, demand& into) {
    const std::vector<origin_view> origins = origins_of(book, spec, world);
    const std::vector<brought_data> inputs = brought_by(book, spec, world);
    into.sites.resize(book.sites().size());
    into.request.movement_most_ms = 0;
    for (std::size_t i = 0; i < into.sites.size(); ++i) {
        const auto& row = book.sites()[i];
        site_view& view = into.sites[i];
        resolve_rtt(origins, row, world.now, view);
        resolve_data_movement(inputs, row, world.rates, view);
        into.request.movement_most_ms = std::max(into.request.movement_most_ms, view.data_movement_ms);
        view.pue = std::isnan(row.pue) ? default_pue : row.pue;
        view.green_share = row.green_share;
        view.carbon_g_per_kwh = carbon_known_at(book, row, world);
        view.code = site_code(limits, row, view.rtt_p95_ms, view.carbon_g_per_kwh);
        view.dated = false;
    }
    for (const auto& run : book.runs())
        into.sites[run.site].dated |= run.dated_from <= world.now;
}

/// Everything of a decision that shapes are resolved against.
struct shape_question {
    const decision_world& world;
    limits_view limits;
    std::optional<money_cap> hourly, run;
    run_question length;

    shape_question(const offer_book& book, const policy& policy, const workload_spec& spec,
                   const decision_world& around, const request_view& request);
};

shape_question::shape_question(const offer_book& book, const policy& policy, const workload_spec& spec,
                               const decision_world& around, const request_view& request)
    : world(around) {
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
    aside.billed_base = static_cast<double>(billed.nanos) * static_cast<double>(into.units) *
                        (static_cast<double>(billed_s) / 3600.0) *
                        (static_cast<double>(rate_nanos(asked.world.rates, billed.unit)) / 1e18);
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
    find_forbidden(request.compliance, cards, *asked.length.known, launch, forbidden);
    const auto lawful_after = first_lawful_delay(forbidden, launch, 0);
    const bool forbids = !lawful_after || *lawful_after > std::max<std::int64_t>(request.launch_until_ms() - launch, 0);
    const auto& precision = spec.resources.precision;
    const bool precise = !precision || (cards && peak_at(*precision, *cards) > 0);
    if (fit.units > 0)
        run = run_on(row, fit.cards, fit.units, asked.length, at);
    const double units = static_cast<double>(into.units);
    into.it_kwh = it_energy_kwh(row.idle_w, row.max_w, units, run.run_s / 3600.0, default_utilisation);
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
    const double rate = static_cast<double>(rate_nanos(asked.world.rates, row.unit)) / 1e9;
    into.cost_per_nano = units * (static_cast<double>(run.billed_s) / 3600.0) * rate / 1e9;
    constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();
    into.price_max = asked.hourly ? asked.hourly->price_by_hour(row.unit, into.units) : any_price;
    into.budget_max = asked.run ? asked.run->price_by_run(row.unit, into.units, run.billed_s) : any_price;
    into.hourly = row.prices != nullptr;
    into.alone = into.hourly || into.dated;
    if (row.billed)
        limit_by_bill(*row.billed, asked, run.billed_s, into, aside);
}

/// Of shapes that stand alone. Nothing of their prices stands in the columns that the sieve reads: those that change
/// with the hour are others at every start, and before limits of money come the quotes of the others.
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
        made.billed_ms = static_cast<std::int64_t>(into.runs[i].billed_s) * 1000;
        made.nano_ms_max = asked.run ? asked.run->nano_ms_by_run(row.unit, shape.units) : money_cap::any_nano_ms;
        made.dates.launch_ms = earliest_launch(row, into.request);
        if (row.price_until)
            made.dates.priced_until_ms = ms_since_epoch(*row.price_until);
        if (shape.dated && row.accelerators)
            find_forbidden(into.request.compliance, &*row.accelerators, *asked.length.known, made.dates.launch_ms,
                           made.dates.forbidden);
    }
}

/// Whether what comes before the capacity filters may depend on the site, too.
bool forbids_by_site(const shape_view& shape, const shape_aside& aside, const demand& want) {
    return shape.dated && !want.hourly.shapes[aside.hourly].dates.forbidden.empty();
}

/// The largest double that is not above the cap.
double not_above(std::int64_t cap) noexcept {
    const auto near = static_cast<double>(cap);
    return static_cast<long double>(near) > static_cast<long double>(cap) ? std::nextafter(near, 0.0) : near;
}

void prepare_sieve(const offer_book& book, demand& into) {
    std::array<bool, 256> seen{};
    sieve_columns& columns = into.for_sieve;
    columns.resize(into.shapes.size());
    into.sieves = book.prices_exact();
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        const shape_view& shape = into.shapes[i];
        const bool early = shape.code < static_cast<std::uint8_t>(rejection::capacity_never);
        const std::uint8_t code = early ? shape.code : passes;
        into.sieves &= shape.room() <= packed_units_max && !forbids_by_site(shape, into.aside[i], into);
        columns.packed[i] = (std::uint32_t{code} << 24) | (static_cast<std::uint32_t>(shape.room()) & packed_units_max);
        columns.cost_per_nano[i] = shape.code == passes && !shape.alone ? shape.cost_per_nano : std::nan("");
        columns.price_max[i] = shape.alone ? infinity : not_above(shape.price_max);
        columns.cap[i] = shape.alone ? infinity : not_above(std::min(shape.price_max, shape.budget_max));
        seen[code] = true;
    }
    into.shape_codes.clear();
    for (std::size_t code = 0; code < passes; ++code)
        if (seen[code])
            into.shape_codes.push_back(static_cast<std::uint8_t>(code));
}

/// Sets `least` and `most`: 0 where no shape passes, because then nothing will be compared with them.
void find_bounds(demand& into) noexcept {
    into.least = into.most = {};
    into.most_late_ms = 0;
    into.least_lost = 0;
    bool any = false;
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        const shape_view& shape = into.shapes[i];
        if (shape.code != passes)
            continue;
        into.most_late_ms = std::max(into.most_late_ms, into.aside[i].late_ms);
        const double lost = into.runs[i].risk.lost;
        into.least_lost = any ? std::min(into.least_lost, lost) : lost;
        const bool known = !std::isnan(shape.it_kwh);
        const double low = known ? shape.it_kwh : 0.0, high = known ? shape.it_kwh : infinity;
        into.least.start_ms = any ? std::min(into.least.start_ms, shape.start_ms) : shape.start_ms;
        into.most.start_ms = any ? std::max(into.most.start_ms, shape.start_ms) : shape.start_ms;
        into.least.run_ms = any ? std::min(into.least.run_ms, shape.run_ms) : shape.run_ms;
        into.most.run_ms = any ? std::max(into.most.run_ms, shape.run_ms) : shape.run_ms;
        into.least.it_kwh = any ? std::min(into.least.it_kwh, low) : low;
        into.most.it_kwh = any ? std::max(into.most.it_kwh, high) : high;
        any = true;
    }
}

}  // namespace

std::int64_t earliest_launch(const offer_book::shape_row& row, const request_view& request) noexcept {
    return row.available_from ? std::max(request.earliest_ms, ms_since_epoch(*row.available_from))
                              : request.earliest_ms;
}

const accelerator_table& known_in(const decision_world& world) noexcept {
    static const accelerator_table none;
    return world.accelerators ? *world.accelerators : none;
}

void sieve_columns::resize(std::size_t size) {
    packed.resize(size);
    cost_per_nano.resize(size);
    price_max.resize(size);
    cap.resize(size);
}

std::span<const ordered_key> order_of(const policy& policy, const workload_spec& spec) noexcept {
    if (spec.kind == workload_kind::service)
        return policy.order_service;
    return spec.interactive ? policy.order_interactive : policy.order_batch;
}

const term* find_term(term_table terms, std::string_view name) noexcept {
    const auto at = std::ranges::find(terms, name, &term::name);
    return at == terms.end() ? nullptr : &*at;
}

void resolve(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
             const decision_world& world, demand& into) {
    resolve_request(policy, terms, spec, world, into.request);
    resolve_foreign(book, policy, terms, spec, world, into);
    into.late.clear();
    shape_question asked(book, policy, spec, world, into.request);
    resolve_sites(book, spec, world, asked.limits, into);
    into.shapes.resize(book.shapes().size());
    into.runs.resize(into.shapes.size());
    into.aside.resize(into.shapes.size());
    for (std::size_t i = 0; i < into.shapes.size(); ++i)
        resolve_shape(book.shapes()[i], asked, into.request, speed_end::value, into.shapes[i], into.runs[i],
                      into.aside[i]);
    resolve_alone(book, asked, into);
    resolve_starts(book, policy, terms, spec, world, into);
    find_bounds(into);
    prepare_sieve(book, into);
}

void resolve_corner(const offer_book& book, const policy& policy, const workload_spec& spec,
                    const decision_world& world, std::string_view slow_model, demand& into) {
    const shape_question asked(book, policy, spec, world, into.request);
    into.late.clear();
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        const auto& row = book.shapes()[i];
        const bool slow = row.accelerators && row.accelerators->model == slow_model;
        resolve_shape(row, asked, into.request, slow ? speed_end::slow : speed_end::fast, into.shapes[i], into.runs[i],
                      into.aside[i]);
    }
    resolve_alone(book, asked, into);
    number_runs(into);
    find_bounds(into);
    prepare_sieve(book, into);
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

double late_at(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms) {
    const auto number = static_cast<std::uint64_t>(&shape - want.shapes.data());
    const run_risk& of = want.runs[number].risk;
    const std::int64_t fixed_ms = site.data_movement_ms + delay_ms;
    if (!of.grows())
        return of.late(static_cast<double>(fixed_ms));
    constexpr unsigned fixed_bits = 42;  // data_movement_max_s and ten years
    const auto [known, fresh] = want.late.try_emplace(number << fixed_bits | static_cast<std::uint64_t>(fixed_ms));
    if (fresh)
        known->second = of.late(static_cast<double>(fixed_ms));
    return known->second;
}

double risk_at(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms) {
    const run_risk& of = want.runs[static_cast<std::size_t>(&shape - want.shapes.data())].risk;
    return of.with(late_at(want, site, shape, delay_ms));
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
