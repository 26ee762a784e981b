#include "tools/simulate/core/carbon.hpp"

#include "tools/simulate/core/lines.hpp"

#include <cmath>

namespace westerly {

namespace {

constexpr double hour_ms = 3'600'000;

}  // namespace

result<carbon_series> carbon_series::read(const std::string& path) {
    auto csv = csv_reader::open(path, {"zone", "utc", "ci_direct_g_kwh"});
    if (!csv)
        return csv.error();
    carbon_series made;
    for (;;) {
        const auto more = csv->next();
        if (!more)
            return more.error();
        if (!*more)
            return made;
        std::string utc(csv->text("utc"));
        if (utc.size() == 17 && utc.back() == 'Z')
            utc.insert(16, ":00");  // "2020-01-01T00:00Z" leaves the seconds out
        const auto at = parse_rfc3339(utc);
        if (!at)
            return csv->fault("\"" + utc.substr(0, 40) + "\" is no time");
        const auto value = csv->number("ci_direct_g_kwh", 0);
        if (!value)
            return value.error();
        if (!*value)
            return csv->fault("no ci_direct_g_kwh");
        hours& zone = made.zones_[std::string(csv->text("zone"))];
        const std::int64_t hour = at->time_since_epoch().count() / static_cast<std::int64_t>(hour_ms);
        if (zone.sum.size() == 1)
            zone.first = hour;
        else if (hour != zone.first + static_cast<std::int64_t>(zone.sum.size()) - 1)
            return csv->fault("the hour does not follow the one before it");
        zone.sum.push_back(zone.sum.back() + **value);
    }
}

std::optional<double> carbon_series::mean(const std::string& zone, instant from, instant to) const {
    const auto found = zones_.find(zone);
    if (found == zones_.end() || to <= from)
        return std::nullopt;
    const hours& z = found->second;
    const auto upto = [&](instant at) -> std::optional<double> {
        const double hour = static_cast<double>(at.time_since_epoch().count()) / hour_ms - static_cast<double>(z.first);
        if (hour < 0 || hour > static_cast<double>(z.sum.size() - 1))
            return std::nullopt;
        const auto whole = std::min(static_cast<std::size_t>(hour), z.sum.size() - 2);
        return z.sum[whole] + (hour - static_cast<double>(whole)) * (z.sum[whole + 1] - z.sum[whole]);
    };
    const auto begin = upto(from), end = upto(to);
    if (!begin || !end)
        return std::nullopt;
    return (*end - *begin) / (static_cast<double>((to - from).count()) / hour_ms);
}

std::optional<double> carbon_series::at(const std::string& zone, instant at) const {
    const auto hour = std::chrono::floor<std::chrono::hours>(at);
    return mean(zone, hour, hour + std::chrono::hours(1));
}

}  // namespace westerly
