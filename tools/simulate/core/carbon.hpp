#pragma once

#include "broker/support/result.hpp"
#include "broker/support/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace westerly {

/// Hourly carbon intensity by grid zone, location-based and direct. Integrals over any time by sums.
class carbon_series {
public:
    /// CSV: zone, utc ("2020-01-01T00:00Z"), ci_direct_g_kwh. Hours of a zone follow each other without a gap.
    static result<carbon_series> read(const std::string& path);

    /// Mean g/kWh over [from, to); nothing where the zone or a part of the time is not in the series.
    std::optional<double> mean(const std::string& zone, instant from, instant to) const;
    /// Of the hour that `at` lies in.
    std::optional<double> at(const std::string& zone, instant at) const;
    bool empty() const noexcept { return zones_.empty(); }

private:
    struct hours {
        std::int64_t first = 0;      // hours since 1970
        std::vector<double> sum{0};  // of all hours before
    };
    std::map<std::string, hours> zones_;
};

}  // namespace westerly
