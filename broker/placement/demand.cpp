#include "broker/placement/demand.hpp"

#include "broker/domain/energy.hpp"
#include "broker/placement/filters.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double gigabits_per_gib = 8.0 * 1073741824.0 / 1e9;

std::int64_t ms_since_epoch(instant at) noexcept {
    return at.time_since_epoch().count();
}

/// What origin the RTTs are counted to.
struct origin_view {
    std::uint32_t region = name_table::absent;
    std::optional<sphere_point> place;
};

void resolve_rtt(const origin_view& from, const offer_book::site_row& row, site_view& into) noexcept {
    into.rtt_ms = unknown;
    into.rtt_declared = false;
    if (from.region != name_table::absent)
        for (const auto& [region, ms] : row.declared_rtt_ms)
            if (region == from.region) {
                into.rtt_ms = ms;
                into.rtt_declared = true;
                return;
            }
    if (from.place && row.place)
        into.rtt_ms = estimate_rtt_ms(*from.place, *row.place);
}

struct input_view {
    std::uint32_t region;
    double gigabits;
};

void resolve_data_movement(std::span<const input_view> inputs, const offer_book::site_row& row, site_view& into) {
    double gigabits = 0;
    for (const auto& input : inputs)
        if (input.region != row.region)
            gigabits += input.gigabits;
    const double gbps = row.ingress_gbps > 0 ? row.ingress_gbps : default_ingress_gbps;
    into.data_movement_s = std::min(gigabits / gbps, data_movement_max_s);
    into.data_movement_ms = static_cast<std::int64_t>(std::ceil(into.data_movement_s * 1000.0));
}

void resolve_request(const policy& policy, term_table terms, const workload_spec& spec, const decision_world& world,
                     request_view& into) {
    into.runtime_s = std::min(spec.runtime_s.value_or(policy.default_runtime_s), runtime_max_s);
    into.runtime_assumed = !spec.runtime_s && spec.kind == workload_kind::batch;
    if (spec.kind == workload_kind::service)
        into.runtime_s = service_runtime_s;
    else if (spec.when.max_runtime_s)
        into.runtime_s = std::min(into.runtime_s, *spec.when.max_runtime_s);
    into.earliest_ms = ms_since_epoch(std::max(world.now, spec.when.earliest_start_at.value_or(world.now)));
    into.waits_at_it = spec.kind == workload_kind::service || spec.interactive;
    into.origin_known = spec.limits.from.has_value();
    into.deadline_ms.reset();
    if (spec.when.deadline_at && spec.kind == workload_kind::batch)
        into.deadline_ms = ms_since_epoch(*spec.when.deadline_at);
    into.max_carbon_kg = spec.limits.max_carbon_kg;
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

void resolve_sites(const offer_book& book, const workload_spec& spec, const decision_world& world,
                   const limits_view& limits, demand& into) {
    origin_view from;
    if (spec.limits.from) {
        from.region = book.names().find(spec.limits.from->region);
        from.place = origin_place(book, *spec.limits.from, world.regions);
    }
    std::vector<input_view> inputs;
    for (const auto& input : spec.inputs)
        inputs.push_back({book.names().find(input.region), input.size_gib * gigabits_per_gib});
    into.sites.resize(book.sites().size());
    for (std::size_t i = 0; i < into.sites.size(); ++i) {
        const auto& row = book.sites()[i];
        site_view& view = into.sites[i];
        resolve_rtt(from, row, view);
        resolve_data_movement(inputs, row, view);
        view.pue = std::isnan(row.pue) ? default_pue : row.pue;
        view.green_share = row.green_share;
        view.carbon_g_per_kwh = row.carbon_g_per_kwh;
        view.code = site_code(limits, row, view.rtt_ms);
    }
}

void resolve_shape(const offer_book::shape_row& row, const workload_spec& spec, const decision_world& world,
                   const limits_view& limits, const request_view& request, shape_view& into) {
    const unit_shape unit{row.divisible, row.vcpus, row.memory_mib, row.disk_mib, row.accelerators.count};
    const gang_fit fit = fit_gang(unit, row.accelerators, spec);
    const bool service = spec.kind == workload_kind::service;
    const double hours = static_cast<double>(request.runtime_s) / 3600.0;
    into.units = fit.units;
    into.launchable = row.launchable;
    into.billed_s = service ? request.runtime_s : billed_seconds(request.runtime_s, row.increment_s, row.minimum_s);
    into.it_kwh = it_energy_kwh(row.idle_w, row.max_w, static_cast<double>(fit.units), hours, default_utilisation);
    into.start_ms = std::max(request.earliest_ms, ms_since_epoch(world.now) + std::int64_t{row.queue_wait_s} * 1000);
    into.code = shape_code(limits, row, fit.accelerator, fit.units, into.it_kwh);
    const double rate = static_cast<double>(rate_nanos(world.rates, row.unit)) / 1e9;
    into.cost_per_nano = static_cast<double>(fit.units) * (static_cast<double>(into.billed_s) / 3600.0) * rate / 1e9;
    into.price_max = into.budget_max = std::numeric_limits<std::int64_t>::max();
    if (spec.limits.max_price_per_hour)
        into.price_max = price_within_hourly(*spec.limits.max_price_per_hour, world.rates, row.unit, fit.units);
    if (const auto& budget = world.budget_left ? world.budget_left : spec.budget)
        into.budget_max = price_within_budget(*budget, world.rates, row.unit, fit.units, into.billed_s);
}

}  // namespace

std::uint64_t billed_seconds(std::uint64_t run_s, std::uint32_t increment_s, std::uint32_t minimum_s) noexcept {
    const std::uint64_t increment = std::max(1u, increment_s);
    const std::uint64_t steps = run_s / increment + (run_s % increment != 0);
    return std::max<std::uint64_t>(steps * increment, minimum_s);
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
    static thread_local limits_view limits;
    resolve_limits(book, policy, spec, world, into.request.reads, limits);
    resolve_sites(book, spec, world, limits, into);
    into.shapes.resize(book.shapes().size());
    into.earliest_shape_code = passes;
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        resolve_shape(book.shapes()[i], spec, world, limits, into.request, into.shapes[i]);
        into.earliest_shape_code = std::min(into.earliest_shape_code, into.shapes[i].code);
    }
}

}  // namespace westerly
