#pragma once

#include "broker/support/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace westerly {

/// A provider's region, of schema/facts/cloud_regions.json or of an operator's own file in that form.
struct cloud_region {
    std::string provider, region, place, jurisdiction;
    std::optional<std::pair<double, double>> latitude_longitude;
};
/// Errors: invalid, too_large.
result<std::vector<cloud_region>> decode_cloud_regions(std::string_view json);

/// One model of accelerators with the names that catalogues give it, of schema/facts/catalogue_accelerators.json.
struct known_accelerator {
    std::string model, stack;
    std::vector<std::uint32_t> memory_gib;  // variants, the smallest first
    bool training = false, inference = true;
    std::vector<std::string> names;  // others than the model's own
};
/// Errors: invalid, too_large.
result<std::vector<known_accelerator>> decode_known_accelerators(std::string_view json);

/// The country that a region's name ends with or names ("Taiwan, TW, AS"; "montreal-canada-2"; "us-east-3"), or "".
std::string country_in(std::string_view region);

}  // namespace westerly
