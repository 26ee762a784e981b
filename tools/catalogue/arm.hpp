#pragma once

#include <string_view>

namespace westerly {

/// Whether an instance type is of a family that is known to have arm64 processors: price catalogues do not tell.
bool is_arm(std::string_view provider, std::string_view instance_type) noexcept;

}  // namespace westerly
