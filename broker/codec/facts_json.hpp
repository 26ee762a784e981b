#pragma once

#include "broker/domain/accelerator.hpp"
#include "broker/domain/region.hpp"
#include "broker/support/result.hpp"

#include <string_view>
#include <vector>

namespace westerly {

/// The regions of schema/facts/regions.json, sorted by name: {"description", "source", "regions": [{"region", "place",
/// "latitude", "longitude"}]}. Errors: invalid (a wrong field, or a region that stands twice), too_large.
result<std::vector<region_place>> decode_regions(std::string_view json);

/// The models of schema/facts/accelerators.json, in the file's order.
result<std::vector<accelerator_model>> decode_accelerators(std::string_view json);

}  // namespace westerly
