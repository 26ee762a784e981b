#include "broker/placement/offer_book.hpp"

#include "broker/domain/freshness.hpp"
#include "broker/domain/owned.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t exact_in_double_max = std::int64_t{1} << 53;
constexpr std::size_t spare_rows_max = 256;  // rows that nothing uses any more are kept up to this, and up to half

double or_nan(const std::optional<double>& value) {
    return value.value_or(unknown);
}

double or_nan(const std::optional<sourced>& fact) {
    return fact ? fact->value : unknown;
}

std::uint32_t headroom_of(const offer& o) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(o.supply.latency_headroom, latency_headroom_max));
}

/// Equal, or both unknown.
bool alike(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

bool alike(const std::shared_ptr<const price_curve>& a, const std::shared_ptr<const price_curve>& b) {
    return a == b || (a && b && *a == *b);
}

bool alike(const offer_book::site_row& a, const offer_book::site_row& b) {
    return a.provider == b.provider && a.region == b.region && a.jurisdiction == b.jurisdiction && a.site == b.site &&
           a.grid_zone == b.grid_zone && a.place == b.place && a.declared_rtt_ms == b.declared_rtt_ms &&
           a.measured == b.measured && alike(a.pue, b.pue) && alike(a.green_share, b.green_share) &&
           alike(a.carbon_g_per_kwh, b.carbon_g_per_kwh) && alike(a.ingress_gbps, b.ingress_gbps) &&
           a.staging_per_gib == b.staging_per_gib && a.carbon_quality == b.carbon_quality &&
           a.data_classes == b.data_classes && a.licences == b.licences;
}

bool alike_elsewhere(const offer_book::shape_row& a, const offer_book::shape_row& b) {
    return a.compute == b.compute && a.divisible == b.divisible && a.launchable == b.launchable &&
           a.purchased == b.purchased && a.runs_gangs == b.runs_gangs && a.takes_files == b.takes_files &&
           a.billed_from_allocation == b.billed_from_allocation && a.vcpus == b.vcpus && a.memory_mib == b.memory_mib &&
           a.disk_mib == b.disk_mib && a.architecture == b.architecture && a.accelerators == b.accelerators &&
           a.stacks == b.stacks && a.unit == b.unit && a.increment_s == b.increment_s && a.minimum_s == b.minimum_s &&
           a.queue_wait_s == b.queue_wait_s && alike(a.idle_w, b.idle_w) && alike(a.max_w, b.max_w) &&
           a.hazard == b.hazard && a.spot_untold == b.spot_untold && a.minimum_units == b.minimum_units &&
           a.latency_headroom == b.latency_headroom && a.available_from == b.available_from &&
           a.price_until == b.price_until && a.queue_wait_p90_s == b.queue_wait_p90_s && a.software == b.software &&
           a.billed == b.billed && alike(a.prices, b.prices);
}

bool alike(const offer_book::shape_row& a, const offer_book::shape_row& b) {
    return a.jurisdiction == b.jurisdiction && alike_elsewhere(a, b);
}

void mix(std::size_t& seed, std::uint64_t value) {
    seed = (seed ^ value) * 0x9E3779B97F4A7C15ull;
    seed ^= seed >> 32;
}

void mix(std::size_t& seed, double value) {
    mix(seed, std::isnan(value) ? 1 : std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value));
}

std::size_t hash_of(const offer_book::site_row& row) {
    std::size_t seed = row.provider;
    mix(seed, (std::uint64_t{row.region} << 32) | row.jurisdiction);
    mix(seed, (std::uint64_t{row.site} << 32) | row.grid_zone);
    mix(seed, row.place ? row.place->x : unknown);
    mix(seed, row.pue);
    mix(seed, row.green_share);
    mix(seed, row.carbon_g_per_kwh);
    return seed;
}

/// Without the jurisdiction, so that what is alike elsewhere is found by it too.
std::size_t hash_of(const offer_book::shape_row& row) {
    std::size_t seed = row.vcpus;
    mix(seed, row.memory_mib);
    mix(seed, row.disk_mib);
    mix(seed, (std::uint64_t{row.increment_s} << 32) | row.minimum_s);
    mix(seed, (std::uint64_t{row.queue_wait_s} << 32) | row.architecture);
    mix(seed, (std::uint64_t{row.billed_from_allocation} << 3) | (std::uint64_t{row.purchased} << 2) |
                  (std::uint64_t{row.launchable} << 1) | std::uint64_t{row.divisible});
    mix(seed, row.max_w);
    for (const auto& date : {row.available_from, row.price_until})
        if (date)
            mix(seed, static_cast<std::uint64_t>(date->time_since_epoch().count()));
    if (row.prices)
        mix(seed, static_cast<std::uint64_t>(row.prices->mean_of_week()));
    if (row.accelerators) {
        mix(seed, std::hash<std::string_view>()(row.accelerators->model));
        mix(seed, std::uint64_t{row.accelerators->count});
    }
    return seed;
}

/// The number of the row in `rows` that is alike, appended if there is none.
template <class Row>
std::uint32_t number_of(Row row, std::vector<Row>& rows, std::unordered_multimap<std::size_t, std::uint32_t>& numbers) {
    const std::size_t hash = hash_of(row);
    const auto [first, last] = numbers.equal_range(hash);
    for (auto it = first; it != last; ++it)
        if (alike(rows[it->second], row))
            return it->second;
    const auto number = static_cast<std::uint32_t>(rows.size());
    rows.push_back(std::move(row));
    numbers.emplace(hash, number);
    return number;
}

std::uint32_t narrow(std::uint64_t units) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(units, std::numeric_limits<std::uint32_t>::max()));
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

void offer_book::replace_provider(const provider_id& provider, const offer_list& offers) {
    const offer_list sorted = offers.sorted();
    std::erase_if(distrusted_, [&](const auto& entry) { return entry.second == provider; });
    auto [before, others] = take_apart(provider);
    std::vector<kept_offer> added;
    added.reserve(sorted.size());
    // What a refresh did not change is the same object as before, so its rows are known.
    auto old = before.begin();
    for (const auto& shared : sorted.all()) {
        while (old != before.end() && old->what->id < shared->id)
            ++old;
        if (old != before.end() && old->what == shared)
            added.push_back(std::move(*old));
        else if (!added.empty() && added.back().what->site == shared->site)
            added.push_back({shared, added.back().site, shape_of(*shared)});
        else
            added.push_back({shared, site_of(*shared), shape_of(*shared)});
    }
    std::vector<kept_offer> all;
    all.reserve(others.size() + added.size());
    const auto id_of = [](const kept_offer& k) -> const offer_id& {
        return k.what->id;
    };
    std::merge(std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()),
               std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()), std::back_inserter(all),
               [&](const kept_offer& a, const kept_offer& b) { return id_of(a) < id_of(b); });
    rebuild(std::move(all));
}

void offer_book::remove_provider(const provider_id& provider) {
    replace_provider(provider, {});
}

void offer_book::set_our_live_units(const offer_id& id, std::uint64_t our_live_units) {
    if (our_live_units == 0)
        our_live_units_.erase(id);
    else
        our_live_units_[id] = our_live_units;
    const auto i = find(id);
    if (!i)
        return;
    place_limits(*i);
    if (const auto pool = pool_of(*offers_[*i])) {
        pools_touched_.insert(*pool);
        settle_pools();
    }
}

void offer_book::distrust(const offer_id& id) {
    const auto i = find(id);
    if (!i || !distrusted_.emplace(id, offers_[*i]->provider).second)
        return;
    place_limits(*i);
}

bool offer_book::distrusts(const provider_id& provider) const noexcept {
    return std::ranges::any_of(distrusted_, [&](const auto& entry) { return entry.second == provider; });
}

std::optional<std::size_t> offer_book::find(const offer_id& id) const noexcept {
    const auto at = std::ranges::lower_bound(offers_, id, {}, [](const auto& o) -> const offer_id& { return o->id; });
    if (at == offers_.end() || (*at)->id != id)
        return std::nullopt;
    return static_cast<std::size_t>(at - offers_.begin());
}

std::pair<std::vector<offer_book::kept_offer>, std::vector<offer_book::kept_offer>> offer_book::take_apart(
    const provider_id& provider) {
    std::vector<kept_offer> of_it, others;
    others.reserve(size());
    const auto number = names_.find(provider);
    for (const site_run& run : runs_) {
        auto& into = sites_[run.site].provider == number ? of_it : others;
        for (std::size_t i = run.begin; i < run.end; ++i)
            into.push_back({std::move(offers_[i]), columns_.site[i], columns_.shape[i]});
    }
    return {std::move(of_it), std::move(others)};
}

void offer_book::rebuild(std::vector<kept_offer> all) {
    ++version_;
    ++layout_;
    forget_unused_rows(all);
    const std::size_t n = all.size();
    each_column([&](auto& column) { column.resize(n); });
    prices_exact_ = true;
    less_free_.clear();
    for (std::size_t i = 0; i < n; ++i) {
        offers_[i] = std::move(all[i].what);
        columns_.site[i] = all[i].site;
        columns_.shape[i] = all[i].shape;
        place_price(i);
        place_date(i);
    }
    find_hosts();
    for (std::size_t i = 0; i < n; ++i)
        place_limits(i);
    find_runs();
    rows_in_use_ = sites_.size() + shapes_.size();
    rows_left_ = 0;
}

void offer_book::place_price(std::size_t i) {
    const auto price = ranked_price(*offers_[i]);
    const auto& by_hour = shapes_[columns_.shape[i]].prices;
    const std::int64_t nanos = by_hour ? by_hour->mean_of_week() : price ? price->nanos : -1;
    columns_.price_nanos[i] = nanos;
    columns_.price[i] = static_cast<double>(nanos);
    if (nanos > exact_in_double_max)
        prices_exact_ = false;
}

void offer_book::find_runs() {
    runs_.clear();
    sequences_.clear();
    std::unordered_multimap<std::size_t, std::pair<std::uint32_t, std::uint32_t>> known;  // begin and length there
    for (std::uint32_t begin = 0; begin < size();) {
        std::uint32_t end = begin;
        std::size_t hash = 0;
        for (; end < size() && columns_.site[end] == columns_.site[begin]; ++end)
            mix(hash, std::uint64_t{columns_.shape[end]});
        const std::span<const std::uint32_t> shapes(&columns_.shape[begin], end - begin);
        const auto [first, last] = known.equal_range(hash);
        const auto same = std::find_if(first, last, [&](const auto& entry) {
            const auto [at, length] = entry.second;
            return std::ranges::equal(std::span(sequences_).subspan(at, length), shapes);
        });
        std::uint32_t sequence = static_cast<std::uint32_t>(sequences_.size());
        if (same != last) {
            sequence = same->second.first;
        } else {
            known.emplace(hash, std::pair(sequence, end - begin));
            sequences_.insert(sequences_.end(), shapes.begin(), shapes.end());
        }
        runs_.push_back({begin, end, columns_.site[begin], sequence, {}});
        date_run(runs_.back());
        begin = end;
    }
}

void offer_book::forget_unused_rows(std::vector<kept_offer>& all) {
    std::vector<bool> site_used(sites_.size()), shape_used(shapes_.size());
    for (const auto& k : all) {
        site_used[k.site] = true;
        shape_used[k.shape] = true;
    }
    const auto spare = [](const std::vector<bool>& used) {
        return static_cast<std::size_t>(std::ranges::count(used, false));
    };
    const std::size_t spare_rows = spare(site_used) + spare(shape_used);
    if (spare_rows <= std::max(spare_rows_max, (sites_.size() + shapes_.size()) / 2))
        return;
    sites_.clear();
    shapes_.clear();
    prices_by_hour_ = prices_quoted_ = false;
    site_numbers_.clear();
    shape_numbers_.clear();
    names_ = {};
    for (auto& k : all) {
        k.site = site_of(*k.what);
        k.shape = shape_of(*k.what);
    }
}

std::uint32_t offer_book::site_of(const offer& o) {
    site_row row{.provider = names_.intern(o.provider),
                 .region = names_.intern(o.site.region),
                 .jurisdiction = names_.intern(o.site.jurisdiction),
                 .site = names_.intern(o.site.site),
                 .grid_zone = names_.intern(o.site.grid_zone),
                 .place = {},
                 .declared_rtt_ms = {},
                 .measured = {},
                 .pue = or_nan(o.site.pue),
                 .green_share = or_nan(o.site.claimable_share()),
                 .carbon_g_per_kwh = or_nan(o.site.carbon_g_per_kwh),
                 .ingress_gbps = or_nan(o.site.ingress_gbps),
                 .staging_per_gib = o.site.staging_per_gib,
                 .data_classes = {},
                 .licences = {}};
    if (o.site.carbon_g_per_kwh)
        row.carbon_quality = o.site.carbon_g_per_kwh->quality;
    for (const auto& cleared : o.site.data_classes)
        row.data_classes.push_back(names_.intern(cleared));
    if (o.site.data_classes.empty())
        row.data_classes.push_back(names_.intern(public_data));
    for (const auto& licence : o.site.licences)
        row.licences.push_back(names_.intern(licence));
    if (o.site.latitude_longitude)
        row.place = on_sphere(*o.site.latitude_longitude);
    for (const auto& [region, ms] : o.site.rtt_ms)
        row.declared_rtt_ms.emplace_back(names_.intern(region), ms);
    for (const auto& seen : o.site.rtt_measured)
        row.measured.push_back({names_.intern(seen.region), seen.ms, counts_from(seen), counts_until(seen, o.site)});
    return number_of(std::move(row), sites_, site_numbers_);
}

std::uint32_t offer_book::shape_of(const offer& o) {
    shape_row row{
        .compute = o.compute,
        .divisible = o.divisible,
        .launchable = o.launchable,
        .purchased = o.mode != billing_mode::reserved || is_owned(o),
        .runs_gangs = o.runs_gangs,
        .takes_files = o.takes_files,
        .billed_from_allocation = o.billing_starts == billing_start::allocation,
        .vcpus = o.vcpus,
        .memory_mib = o.memory_mib,
        .disk_mib = o.disk_mib,
        .architecture = names_.intern(o.architecture),
        .accelerators = o.accelerators,
        .stacks = {},
        .unit = ranked_price(o).value_or(unit_price{}).unit,
        .increment_s = std::max(1u, o.increment_s),
        .minimum_s = o.minimum_s,
        .queue_wait_s = o.queue_wait_s,
        .queue_wait_p90_s = std::max(o.queue_wait_s, o.queue_wait_p90_s),
        .idle_w = or_nan(o.idle_w),
        .max_w = or_nan(o.max_w),
        .hazard = o.supply.hazard,
        .spot_untold = o.mode == billing_mode::spot && !o.supply.hazard.spot_per_h,
        .minimum_units = std::max<std::uint64_t>(1, o.supply.minimum_units),
        .latency_headroom = headroom_of(o),
        .available_from = o.supply.available_from,
        .price_until = o.supply.price_until,
        .software = o.software,
        .prices = has_hourly_prices(o) ? std::make_shared<const price_curve>(o.price->nanos, o.schedule) : nullptr,
        .billed = is_owned(o) ? std::optional(billed_price(o).value_or(unit_price{})) : std::nullopt,
        .jurisdiction = names_.intern(o.site.jurisdiction)};
    prices_by_hour_ |= row.prices != nullptr;
    prices_quoted_ |= row.price_until.has_value();
    for (const auto& stack : o.stacks)
        row.stacks.push_back(names_.intern(stack));
    const std::size_t before = shapes_.size();
    const std::uint32_t number = number_of(std::move(row), shapes_, shape_numbers_);
    if (shapes_.size() > before)
        shapes_[number].first_alike = first_alike(number);
    return number;
}

std::uint32_t offer_book::first_alike(std::uint32_t shape) const {
    const auto [first, last] = shape_numbers_.equal_range(hash_of(shapes_[shape]));
    for (auto it = first; it != last; ++it)
        if (it->second != shape && alike_elsewhere(shapes_[it->second], shapes_[shape]))
            return shapes_[it->second].first_alike;
    return shape;
}

void offer_book::place_limits(std::size_t i) {
    const offer& o = *offers_[i];
    const std::uint64_t total = units_in_all(o);
    std::uint64_t free = unlimited;
    if (total != unlimited) {
        const auto ours = our_live_units_.find(o.id);
        free = total - std::min(total, ours == our_live_units_.end() ? 0 : ours->second);
    }
    free = std::min(free, left_at_host(o));
    if (!distrusted_.empty() && distrusted_.contains(o.id))
        free = 0;
    columns_.total_units[i] = total;
    columns_.total_narrow[i] = narrow(total);
    set_free_units(i, free);
}

void offer_book::set_free_units(std::size_t i, std::uint64_t free) {
    columns_.free_units[i] = free;
    columns_.free_narrow[i] = narrow(free);
    if (free != columns_.total_units[i])
        less_free_.insert(static_cast<std::uint32_t>(i));
    else if (!less_free_.empty())
        less_free_.erase(static_cast<std::uint32_t>(i));
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> offer_book::less_free() const {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> out;
    out.reserve(less_free_.size());
    for (const auto i : less_free_)
        out.emplace_back(i, columns_.free_units[i]);
    return out;
}

}  // namespace westerly
