#include "broker/placement/offer_book.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace westerly {
namespace {

double or_nan(const std::optional<double>& value) {
    return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

double or_nan(const std::optional<sourced>& fact) {
    return fact ? fact->value : std::numeric_limits<double>::quiet_NaN();
}

void mix(std::size_t& seed, std::size_t value) {
    seed = (seed ^ value) * 0x9E3779B97F4A7C15ull;
    seed ^= seed >> 32;
}

void mix(std::size_t& seed, std::string_view text) {
    mix(seed, std::hash<std::string_view>()(text));
}

std::size_t site_hash(const offer& o) {
    std::size_t seed = 0;
    mix(seed, o.provider);
    mix(seed, o.site.site);
    return seed;
}

std::size_t shape_hash(const offer& o) {
    std::size_t seed = o.vcpus;
    mix(seed, o.memory_mib);
    mix(seed, o.disk_mib);
    mix(seed, std::hash<double>()(o.max_w.value_or(-1)));
    mix(seed, (std::size_t{o.launchable} << 2) | (std::size_t{o.divisible} << 1) | std::size_t{o.queue_wait_s} << 3);
    mix(seed, o.architecture);
    if (o.accelerators) {
        mix(seed, o.accelerators->model);
        mix(seed, o.accelerators->count);
    }
    return seed;
}

currency currency_of(const offer& o) {
    return o.price ? o.price->unit : currency::cny;
}

/// What shape_row holds, compared on the offers themselves.
bool same_shape(const offer& a, const offer& b) {
    return a.compute == b.compute && a.divisible == b.divisible && a.launchable == b.launchable && a.vcpus == b.vcpus &&
           a.memory_mib == b.memory_mib && a.disk_mib == b.disk_mib && a.accelerators == b.accelerators &&
           a.architecture == b.architecture && a.stacks == b.stacks && currency_of(a) == currency_of(b) &&
           a.increment_s == b.increment_s && a.minimum_s == b.minimum_s && a.idle_w == b.idle_w && a.max_w == b.max_w &&
           a.queue_wait_s == b.queue_wait_s;
}

}  // namespace

std::uint32_t name_table::intern(std::string_view name) {
    if (const auto known = numbers_.find(name); known != numbers_.end())
        return known->second;
    const auto number = static_cast<std::uint32_t>(names_.size());
    names_.emplace_back(name);
    numbers_.emplace(names_.back(), number);
    return number;
}

std::uint32_t name_table::find(std::string_view name) const noexcept {
    const auto known = numbers_.find(name);
    return known == numbers_.end() ? absent : known->second;
}

sphere_point on_sphere(std::pair<double, double> latitude_longitude) noexcept {
    const double lat = latitude_longitude.first * std::numbers::pi / 180.0;
    const double lon = latitude_longitude.second * std::numbers::pi / 180.0;
    return {std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)};
}

void offer_book::replace_provider(const provider_id& provider, std::vector<offer> offers) {
    std::erase_if(offers_, [&](const offer& o) { return o.provider == provider; });
    std::ranges::move(offers, std::back_inserter(offers_));
    std::ranges::sort(offers_, {}, &offer::id);
    rebuild();
}

void offer_book::remove_provider(const provider_id& provider) {
    replace_provider(provider, {});
}

void offer_book::set_our_live_units(const offer_id& id, std::uint64_t our_live_units) {
    if (our_live_units == 0)
        our_live_units_.erase(id);
    else
        our_live_units_[id] = our_live_units;
    if (const auto i = find(id))
        place_limits(*i);
}

std::optional<std::size_t> offer_book::find(const offer_id& id) const noexcept {
    const auto at = std::ranges::lower_bound(offers_, id, {}, &offer::id);
    if (at == offers_.end() || at->id != id)
        return std::nullopt;
    return static_cast<std::size_t>(at - offers_.begin());
}

void offer_book::rebuild() {
    ++version_;
    sites_.clear();
    shapes_.clear();
    site_numbers_.clear();
    shape_numbers_.clear();
    names_ = {};
    runs_.clear();
    columns_ = {};
    const std::size_t n = offers_.size();
    columns_.site.resize(n);
    columns_.shape.resize(n);
    columns_.price_nanos.resize(n);
    columns_.free_units.resize(n);
    columns_.total_units.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        const offer& o = offers_[i];
        const auto index = static_cast<std::uint32_t>(i);
        columns_.site[i] = site_of(o, index);
        columns_.shape[i] = shape_of(o, index);
        columns_.price_nanos[i] = o.price ? o.price->nanos : -1;
        place_limits(i);
        if (runs_.empty() || runs_.back().site != columns_.site[i])
            runs_.push_back({index, index, columns_.site[i]});
        runs_.back().end = index + 1;
    }
}

std::uint32_t offer_book::site_of(const offer& o, std::uint32_t index) {
    const std::size_t hash = site_hash(o);
    const auto [first, last] = site_numbers_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
        const offer& known = offers_[sites_[it->second].example];
        if (known.provider == o.provider && known.site == o.site)
            return it->second;
    }
    site_row row{.provider = names_.intern(o.provider),
                 .region = names_.intern(o.site.region),
                 .jurisdiction = names_.intern(o.site.jurisdiction),
                 .place = {},
                 .declared_rtt_ms = {},
                 .pue = or_nan(o.site.pue),
                 .green_share = or_nan(o.site.green_power_share),
                 .carbon_g_per_kwh = or_nan(o.site.carbon_g_per_kwh),
                 .ingress_gbps = or_nan(o.site.ingress_gbps),
                 .example = index};
    if (o.site.latitude_longitude)
        row.place = on_sphere(*o.site.latitude_longitude);
    for (const auto& [region, ms] : o.site.rtt_ms)
        row.declared_rtt_ms.emplace_back(names_.intern(region), ms);
    const auto number = static_cast<std::uint32_t>(sites_.size());
    sites_.push_back(std::move(row));
    site_numbers_.emplace(hash, number);
    return number;
}

std::uint32_t offer_book::shape_of(const offer& o, std::uint32_t index) {
    const std::size_t hash = shape_hash(o);
    const auto [first, last] = shape_numbers_.equal_range(hash);
    for (auto it = first; it != last; ++it)
        if (same_shape(offers_[shapes_[it->second].example], o))
            return it->second;
    shape_row row{.compute = o.compute,
                  .divisible = o.divisible,
                  .launchable = o.launchable,
                  .vcpus = o.vcpus,
                  .memory_mib = o.memory_mib,
                  .disk_mib = o.disk_mib,
                  .architecture = names_.intern(o.architecture),
                  .accelerator_model = name_table::absent,
                  .accelerator_stack = name_table::absent,
                  .accelerators = o.accelerators.value_or(accelerator_facts{}),
                  .stacks = {},
                  .unit = currency_of(o),
                  .increment_s = std::max(1u, o.increment_s),
                  .minimum_s = o.minimum_s,
                  .queue_wait_s = o.queue_wait_s,
                  .idle_w = or_nan(o.idle_w),
                  .max_w = or_nan(o.max_w),
                  .example = index};
    if (o.accelerators) {
        row.accelerator_model = names_.intern(o.accelerators->model);
        row.accelerator_stack = names_.intern(o.accelerators->stack);
    }
    for (const auto& stack : o.stacks)
        row.stacks.push_back(names_.intern(stack));
    const auto number = static_cast<std::uint32_t>(shapes_.size());
    shapes_.push_back(std::move(row));
    shape_numbers_.emplace(hash, number);
    return number;
}

void offer_book::place_limits(std::size_t i) {
    const offer& o = offers_[i];
    if (!o.units_free) {
        columns_.free_units[i] = columns_.total_units[i] = unlimited;
        return;
    }
    const std::uint64_t total =
        *o.units_free + std::min(o.units_ours, unlimited - 1 - std::min(*o.units_free, unlimited - 1));
    const auto ours = our_live_units_.find(o.id);
    const std::uint64_t taken = ours == our_live_units_.end() ? 0 : ours->second;
    columns_.total_units[i] = total;
    columns_.free_units[i] = total - std::min(total, taken);
}

}  // namespace westerly
