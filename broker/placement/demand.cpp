#include "broker/placement/demand.hpp"

#include "broker/domain/energy.hpp"
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

/// The money limits of a decision.
struct caps_view {
    std::optional<money_cap> hourly, run;
};

void resolve_shape(const offer_book::shape_row& row, const workload_spec& spec, const decision_world& world,
                   const limits_view& limits, const caps_view& caps, const request_view& request, shape_view& into) {
    into = {};
    into.launchable = row.launchable;
    into.code = kind_code(limits, row);
    if (into.code != passes)
        return;
    const accelerator_facts* cards = row.accelerators ? &*row.accelerators : nullptr;
    const unit_shape unit{row.divisible, row.vcpus, row.memory_mib, row.disk_mib, cards ? cards->count : 0};
    const gang_fit fit = fit_gang(unit, cards, spec);
    const double units = static_cast<double>(fit.units);
    into.units = fit.units;
    into.it_kwh = it_energy_kwh(row.idle_w, row.max_w, units, static_cast<double>(request.runtime_s) / 3600.0,
                                default_utilisation);
    into.code = fit_code(limits, fit.accelerator, fit.units, into.it_kwh);
    into.billed_s = spec.kind == workload_kind::service
                        ? request.runtime_s
                        : billed_seconds(request.runtime_s, row.increment_s, row.minimum_s);
    into.start_ms = std::max(request.earliest_ms, ms_since_epoch(world.now) + std::int64_t{row.queue_wait_s} * 1000);
    const double rate = static_cast<double>(rate_nanos(world.rates, row.unit)) / 1e9;
    into.cost_per_nano = units * (static_cast<double>(into.billed_s) / 3600.0) * rate / 1e9;
    constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();
    into.price_max = caps.hourly ? caps.hourly->price_by_hour(row.unit, fit.units) : any_price;
    into.budget_max = caps.run ? caps.run->price_by_run(row.unit, fit.units, into.billed_s) : any_price;
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
        into.sieves &= shape.units <= packed_units_max;
        columns.packed[i] = (std::uint32_t{code} << 24) | (static_cast<std::uint32_t>(shape.units) & packed_units_max);
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
        into.least.it_kwh = any ? std::min(into.least.it_kwh, low) : low;
        into.most.it_kwh = any ? std::max(into.most.it_kwh, high) : high;
        any = true;
    }
}

}  // namespace

void sieve_columns::resize(std::size_t size) {
    packed.resize(size);
    cost_per_nano.resize(size);
    price_max.resize(size);
    cap.resize(size);
}

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
    caps_view caps;
    if (spec.limits.max_price_per_hour)
        caps.hourly.emplace(*spec.limits.max_price_per_hour, world.rates);
    if (const auto& budget = world.budget_left ? world.budget_left : spec.budget)
        caps.run.emplace(*budget, world.rates);
    into.shapes.resize(book.shapes().size());
    for (std::size_t i = 0; i < into.shapes.size(); ++i)
        resolve_shape(book.shapes()[i], spec, world, limits, caps, into.request, into.shapes[i]);
    find_bounds(into);
    prepare_sieve(book, into);
}

}  // namespace westerly
