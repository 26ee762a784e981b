#include "tests/property/oracle_place.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace westerly::laws {
namespace {

double kilometres(std::pair<double, double> a, std::pair<double, double> b) {
    const auto radians = [](double degrees) {
        return degrees * std::numbers::pi / 180;
    };
    const double half_lat = std::sin(radians(b.first - a.first) / 2);
    const double half_lon = std::sin(radians(b.second - a.second) / 2);
    const double h =
        half_lat * half_lat + std::cos(radians(a.first)) * std::cos(radians(b.first)) * half_lon * half_lon;
    return 2 * 6371.0088 * std::asin(std::min(1.0, std::sqrt(h)));
}

}  // namespace

std::vector<std::pair<double, double>> place_of_one::rtts() const {
    std::vector<weighted_origin> from = s_.limits.origins;
    if (s_.limits.from)
        from.push_back({*s_.limits.from, 1});
    double sum = 0;
    for (const auto& each : from)
        sum += each.weight;
    std::vector<std::pair<double, double>> all;
    for (const auto& each : from) {
        const auto ms = rtt_from(each.from);
        if (!ms)
            return {};
        all.emplace_back(*ms, each.weight / sum);
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::optional<double> place_of_one::rtt() const {
    std::optional<double> mean;
    for (const auto& [ms, share] : rtts())
        mean = mean.value_or(0) + ms * share;
    return mean;
}

std::optional<double> place_of_one::rtt_p95() const {
    double within = 0;
    for (const auto& [ms, share] : rtts())
        if ((within += share) >= 0.95 - 1e-12)
            return ms;
    return {};
}

std::optional<double> place_of_one::rtt_from(const origin& from) const {
    for (const auto& seen : o_.site.rtt_measured)
        if (seen.region == from.region && seen.measured_at - w_.around.now <= seconds(300) &&
            w_.around.now - seen.measured_at <= seconds(std::int64_t{o_.site.rtt_max_age_s}))
            return seen.ms;
    if (!from.region.empty())
        for (const auto& [region, ms] : o_.site.rtt_ms)
            if (region == from.region)
                return ms;
    std::optional<std::pair<double, double>> place = from.latitude_longitude;
    for (const auto& r : w_.regions)
        if (!place && r.region == from.region)
            place = {r.latitude, r.longitude};
    std::vector<const offer*> by_id;
    for (const auto& o : w_.offers)
        by_id.push_back(&o);
    std::sort(by_id.begin(), by_id.end(), [](auto a, auto b) { return a->id < b->id; });
    for (const auto* o : by_id)
        if (!place && o->site.region == from.region)
            place = o->site.latitude_longitude;
    if (!place || !o_.site.latitude_longitude)
        return {};
    const double km = kilometres(*place, *o_.site.latitude_longitude);
    return km <= 3000 ? 6.57 + 0.016465 * km : 32.02 + 0.013234 * km;
}

double place_of_one::data_movement_s() const {
    double s = 0;
    for (const auto& in : s_.inputs)
        if (in.region != o_.site.region)
            s += in.size_gib * 1.073741824 * 8 / o_.site.ingress_gbps.value_or(1.0);
    return s;
}

}  // namespace westerly::laws
