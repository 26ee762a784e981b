#include "broker/placement/demand.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double earth_radius_km = 6371.0088;  // mean radius, IUGG

}  // namespace

double estimate_rtt_ms(const sphere_point& from, const sphere_point& to) noexcept {
    const double x = from.x - to.x, y = from.y - to.y, z = from.z - to.z;
    const double chord = std::sqrt(x * x + y * y + z * z);
    const double km = 2.0 * earth_radius_km * std::asin(std::min(1.0, chord / 2.0));
    return km <= 3000.0 ? 6.57 + 0.016465 * km : 32.02 + 0.013234 * km;
}

double estimate_rtt_ms(std::pair<double, double> from, std::pair<double, double> to) noexcept {
    return estimate_rtt_ms(on_sphere(from), on_sphere(to));
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

}  // namespace westerly
