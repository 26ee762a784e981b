#include "broker/placement/rtt.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double earth_radius_km = 6371.0088;  // mean radius, IUGG
constexpr double near_km = 3000.0;             // up to there the near fit holds (median error 3 ms)

double near_fit(double km) noexcept {
    return 6.57 + 0.016465 * km;
}

}  // namespace

double estimate_rtt_ms(const sphere_point& from, const sphere_point& to) noexcept {
    const double x = from.x - to.x, y = from.y - to.y, z = from.z - to.z;
    const double chord = std::sqrt(x * x + y * y + z * z);
    const double km = 2.0 * earth_radius_km * std::asin(std::min(1.0, chord / 2.0));
    return km <= near_km ? near_fit(km) : 32.02 + 0.013234 * km;
}

double estimate_rtt_ms(std::pair<double, double> from, std::pair<double, double> to) noexcept {
    return estimate_rtt_ms(on_sphere(from), on_sphere(to));
}

std::string in_words(rtt_source source, double ms) {
    switch (source) {
        case rtt_source::measured:
            return "measured";
        case rtt_source::declared:
            return "declared";
        case rtt_source::estimated:
            return ms <= near_fit(near_km) ? "estimated from coordinates (median error 3 ms)"
                                           : "estimated from coordinates (median error 20 ms)";
        case rtt_source::unknown:
            break;
    }
    return "unknown";
}

std::optional<sphere_point> origin_place(const offer_book& book, const origin& from,
                                         std::span<const region_place> regions) {
    if (from.latitude_longitude)
        return on_sphere(*from.latitude_longitude);
    const auto fact = std::ranges::lower_bound(regions, from.region, {}, &region_place::region);
    if (fact != regions.end() && fact->region == from.region)
        return on_sphere({fact->latitude, fact->longitude});
    const std::uint32_t number = book.names().find(from.region);
    if (number != name_table::absent)
        for (const auto& run : book.runs())  // in the order of offers: rows are numbered by history
            if (const auto& site = book.sites()[run.site]; site.region == number && site.place)
                return site.place;
    return std::nullopt;
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

told_rtt rtt_between(const origin_view& from, const offer_book::site_row& row, instant now) noexcept {
    if (from.region != name_table::absent) {
        for (const auto& seen : row.measured)
            if (seen.region == from.region && seen.since <= now && now <= seen.until)
                return {seen.ms, rtt_source::measured};
        for (const auto& [region, ms] : row.declared_rtt_ms)
            if (region == from.region)
                return {ms, rtt_source::declared};
    }
    if (from.place && row.place)
        return {estimate_rtt_ms(*from.place, *row.place), rtt_source::estimated};
    return {};
}

double p95_of(std::vector<std::pair<double, double>>& ms_and_share) noexcept {
    double sum = 0;
    for (const auto& [ms, share] : ms_and_share)
        sum += ms;
    if (ms_and_share.empty() || std::isnan(sum))
        return std::numeric_limits<double>::quiet_NaN();
    std::ranges::sort(ms_and_share);
    double within = 0;
    for (const auto& [ms, share] : ms_and_share)
        if ((within += share) >= 0.95 - 1e-12)
            return ms;
    return ms_and_share.back().first;
}

}  // namespace westerly
