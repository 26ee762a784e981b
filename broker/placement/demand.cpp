#include "broker/placement/demand.hpp"

#include "broker/domain/energy.hpp"
#include "broker/placement/compliance.hpp"
#include "broker/placement/filters.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double gigabits_per_gib = 8.0 * 1073741824.0 / 1e9;

std::int64_t ms_since_epoch(instant at) noexcept {
    return at.time_since_epoch().count();
}

instant instant_of(std::int64_t ms) noexcept {
    return instant(milliseconds(ms));
}

double in_base(money amount, const exchange_rates& rates) noexcept {
    return static_cast<double>(amount.micros) / 1e6 * (static_cast<double>(rate_nanos(rates, amount.unit)) / 1e9);
}

/// An origin that RTTs are counted to, with its share of the demand.
struct origin_view {
    std::uint32_t region = name_table::absent;
    std::optional<sphere_point> place;
    double share = 1;
};

struct told_rtt {
    double ms = unknown;
    bool declared = false;
};

told_rtt rtt_between(const origin_view& from, const offer_book::site_row& row) noexcept {
    if (from.region != name_table::absent)
        for (const auto& [region, ms] : row.declared_rtt_ms)
            if (region == from.region)
                return {ms, true};
    if (from.place && row.place)
        return {estimate_rtt_ms(*from.place, *row.place), false};
    return {};
}

/// The least RTT that 95 % of the demand stays within.
double p95_of(std::vector<std::pair<double, double>>& ms_and_share) noexcept {
    std::ranges::sort(ms_and_share);
    double within = 0;
    for (const auto& [ms, share] : ms_and_share)
        if ((within += share) >= 0.95 - 1e-12)
            return ms;
    return ms_and_share.back().first;
}

void resolve_rtt(std::span<const origin_view> origins, const offer_book::site_row& row, site_view& into) {
    static thread_local std::vector<std::pair<double, double>> all;
    all.clear();
    into.rtt_declared = !origins.empty();
    into.rtt_ms = origins.empty() ? unknown : 0.0;
    for (const origin_view& from : origins) {
        const told_rtt told = rtt_between(from, row);
        into.rtt_ms += told.ms * from.share;
        into.rtt_declared &= told.declared;
        all.emplace_back(told.ms, from.share);
    }
    into.rtt_p95_ms = std::isnan(into.rtt_ms) ? unknown : p95_of(all);
}

struct input_view {
    std::uint32_t region;
    double gigabits;
    double egress_base;
};

void resolve_data_movement(std::span<const input_view> inputs, const offer_book::site_row& row, site_view& into) {
    double gigabits = 0;
    into.egress_base = 0;
    for (const auto& input : inputs)
        if (input.region != row.region) {
            gigabits += input.gigabits;
            into.egress_base += input.egress_base;
        }
    const double gbps = row.ingress_gbps > 0 ? row.ingress_gbps : default_ingress_gbps;
    into.data_movement_s = std::min(gigabits / gbps, data_movement_max_s);
    into.data_movement_ms = static_cast<std::int64_t>(std::ceil(into.data_movement_s * 1000.0));
}

void resolve_request(const policy& policy, term_table terms, const workload_spec& spec, const decision_world& world,
                     request_view& into) {
    into.runtime_s = std::min(spec.work.runtime_s.value_or(policy.default_runtime_s), runtime_max_s);
    into.runtime_assumed = !spec.work.runtime_s && !spec.work.accelerator_hours && spec.kind == workload_kind::batch;
    if (spec.kind == workload_kind::service)
        into.runtime_s = service_runtime_s;
    else if (spec.when.max_runtime_s)
        into.runtime_s = std::min(into.runtime_s, *spec.when.max_runtime_s);
    into.earliest_ms = ms_since_epoch(std::max(world.now, spec.when.earliest_start_at.value_or(world.now)));
    into.waits_at_it = spec.kind == workload_kind::service || spec.interactive;
    into.origin_known = spec.limits.origin_stated();
    into.deadline_ms.reset();
    if (spec.when.deadline_at && spec.kind == workload_kind::batch)
        into.deadline_ms = ms_since_epoch(*spec.when.deadline_at);
    into.max_carbon_kg = spec.limits.max_carbon_kg;
    into.budget_base.reset();
    if (const auto& budget = world.budget_left ? world.budget_left : spec.budget)
        into.budget_base = in_base(*budget, world.rates);
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
}

std::vector<origin_view> origins_of(const offer_book& book, const workload_spec& spec, const decision_world& world) {
    std::vector<origin_view> origins;
    const auto add = [&](const origin& from, double share) {
        origins.push_back({book.names().find(from.region), origin_place(book, from, world.regions), share});
    };
    if (spec.limits.from)
        add(*spec.limits.from, 1);
    double sum = 0;
    for (const auto& each : spec.limits.origins)
        sum += each.weight;
    for (const auto& each : spec.limits.origins)
        add(each.from, each.weight / sum);
    return origins;
}

void resolve_sites(const offer_book& book, const workload_spec& spec, const decision_world& world,
                   const limits_view& limits, demand& into) {
    const std::vector<origin_view> origins = origins_of(book, spec, world);
    std::vector<input_view> inputs;
    const auto bring = [&](const std::string& from, double gib, const std::optional<money>& egress_per_gib) {
        inputs.push_back({book.names().find(from), gib * gigabits_per_gib,
                          egress_per_gib ? gib * in_base(*egress_per_gib, world.rates) : 0});
    };
    for (const auto& input : spec.inputs)
        bring(input.region, input.size_gib, input.egress_per_gib);
    if (spec.checkpoint && world.progress && world.progress->restores)
        bring(spec.checkpoint->region, spec.checkpoint->size_gib, spec.checkpoint->egress_per_gib);
    into.sites.resize(book.sites().size());
    for (std::size_t i = 0; i < into.sites.size(); ++i) {
        const auto& row = book.sites()[i];
        site_view& view = into.sites[i];
        resolve_rtt(origins, row, view);
        resolve_data_movement(inputs, row, view);
        view.pue = std::isnan(row.pue) ? default_pue : row.pue;
        view.green_share = row.green_share;
        view.carbon_g_per_kwh = carbon_known_at(book, row, world);
        view.code = site_code(limits, row, view.rtt_p95_ms, view.carbon_g_per_kwh);
    }
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
        length.restore_s = world.progress->restores && spec.checkpoint ? spec.checkpoint->restore_s : 0;
    }
}

std::int64_t earliest_start(const offer_book::shape_row& row, const shape_question& asked,
                            const request_view& request) {
    std::int64_t start = ms_since_epoch(asked.world.now) + std::int64_t{row.queue_wait_s} * 1000;
    if (row.available_from)
        start = std::max(start, ms_since_epoch(*row.available_from));
    return std::max(request.earliest_ms, start);
}

void resolve_shape(const offer_book::shape_row& row, const shape_question& asked, const request_view& request,
                   speed_end at, shape_view& into, run_length& run) {
    into = {};
    run = {};
    into.launchable = row.launchable;
    into.code = kind_code(asked.limits, row);
    if (into.code != passes)
        return;
    const workload_spec& spec = *asked.length.spec;
    const accelerator_facts* cards = row.accelerators ? &*row.accelerators : nullptr;
    const unit_shape unit{row.divisible, row.vcpus, row.memory_mib, row.disk_mib, cards ? cards->count : 0};
    const gang_fit fit = fit_gang(unit, cards, spec, *asked.length.known);
    into.units = fit.units > 0 ? std::max(fit.units, row.minimum_units) : 0;
    into.headroom = request.waits_at_it ? 0 : row.latency_headroom;
    const bool forbids =
        !spec.limits.compliance.empty() && forbidden(spec.limits.compliance, cards, instant_of(request.earliest_ms));
    if (fit.units > 0)
        run = run_on(row, fit.cards, into.units, asked.length, at);
    const double units = static_cast<double>(into.units);
    into.it_kwh = it_energy_kwh(row.idle_w, row.max_w, units, run.run_s / 3600.0, default_utilisation);
    into.code = fit_code(asked.limits, {fit.accelerator, forbids, into.units, run.why_not, into.it_kwh});
    if (run.why_not)
        return;
    into.start_ms = earliest_start(row, asked, request);
    into.run_ms = static_cast<std::int64_t>(run.wall_s) * 1000;
    const double rate = static_cast<double>(rate_nanos(asked.world.rates, row.unit)) / 1e9;
    into.cost_per_nano = units * (static_cast<double>(run.billed_s) / 3600.0) * rate / 1e9;
    constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();
    into.price_max = asked.hourly ? asked.hourly->price_by_hour(row.unit, into.units) : any_price;
    into.budget_max = asked.run ? asked.run->price_by_run(row.unit, into.units, run.billed_s) : any_price;
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
        into.sieves &= shape.room() <= packed_units_max;
        columns.packed[i] = (std::uint32_t{code} << 24) | (static_cast<std::uint32_t>(shape.room()) & packed_units_max);
        columns.cost_per_nano[i] = shape.code == passes ? shape.cost_per_nano : std::nan("");
        columns.price_max[i] = not_above(shape.price_max);
        columns.cap[i] = not_above(std::min(shape.price_max, shape.budget_max));
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
    bool any = false;
    for (const shape_view& shape : into.shapes) {
        if (shape.code != passes)
            continue;
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
    shape_question asked(book, policy, spec, world, into.request);
    resolve_sites(book, spec, world, asked.limits, into);
    into.shapes.resize(book.shapes().size());
    into.runs.resize(into.shapes.size());
    for (std::size_t i = 0; i < into.shapes.size(); ++i)
        resolve_shape(book.shapes()[i], asked, into.request, speed_end::value, into.shapes[i], into.runs[i]);
    resolve_starts(book, policy, terms, spec, world, into);
    find_bounds(into);
    prepare_sieve(book, into);
}

void resolve_corner(const offer_book& book, const policy& policy, const workload_spec& spec,
                    const decision_world& world, std::string_view slow_model, demand& into) {
    const shape_question asked(book, policy, spec, world, into.request);
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        const auto& row = book.shapes()[i];
        const bool slow = row.accelerators && row.accelerators->model == slow_model;
        resolve_shape(row, asked, into.request, slow ? speed_end::slow : speed_end::fast, into.shapes[i], into.runs[i]);
    }
    number_runs(into);
    find_bounds(into);
    prepare_sieve(book, into);
}

std::pair<shape_view, run_length> resolve_at(const offer_book& book, const policy& policy, const workload_spec& spec,
                                             const decision_world& world, const demand& want, std::uint32_t shape,
                                             speed_end at) {
    const shape_question asked(book, policy, spec, world, want.request);
    std::pair<shape_view, run_length> made;
    resolve_shape(book.shapes()[shape], asked, want.request, at, made.first, made.second);
    return made;
}

}  // namespace westerly
