#pragma once

#include <string>

namespace westerly {

/// Where a region lies, for RTT estimates (schema/facts/regions.json). Lists of these are sorted by `region`.
struct region_place {
    std::string region;
    double latitude = 0;   // degrees, -90..90
    double longitude = 0;  // degrees, -180..180
    friend bool operator==(const region_place&, const region_place&) = default;
};

}  // namespace westerly
