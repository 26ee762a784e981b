#include "broker/placement/demand.hpp"

#include "broker/domain/energy.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/shape_demand.hpp"

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
        const bool known = shape.code == passes && !shape.alone && !shape.bill_by_site;
        columns.cost_per_nano[i] = known ? money_of_nano_s(shape.unit_s) * into.aside[i].rate : std::nan("");
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
    resolve_shapes(
        book, asked, [](const offer_book::shape_row&) { return speed_end::value; }, into);
    resolve_alone(book, asked, into);
    resolve_starts(book, policy, terms, spec, world, into);
    find_bounds(into);
    prepare_sieve(book, into);
}

void resolve_corner(const offer_book& book, const policy& policy, const workload_spec& spec,
                    const decision_world& world, std::string_view slow_model, demand& into) {
    const shape_question asked(book, policy, spec, world, into.request);
    into.late.clear();
    const auto speed_of = [&](const offer_book::shape_row& row) {
        return row.accelerators && row.accelerators->model == slow_model ? speed_end::slow : speed_end::fast;
    };
    resolve_shapes(book, asked, speed_of, into);
    resolve_alone(book, asked, into);
    number_runs(into);
    find_bounds(into);
    prepare_sieve(book, into);
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

}  // namespace westerly
