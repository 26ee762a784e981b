#pragma once

#include "broker/support/result.hpp"

#include <string>
#include <string_view>

namespace westerly {

/// Compressed for the store, with its size in front; quick rather than small.
std::string deflated(std::string_view bytes);
/// Errors: internal (damaged, or larger than inflated_max).
result<std::string> inflated(std::string_view packed);

inline constexpr std::size_t inflated_max = std::size_t{512} << 20;

}  // namespace westerly
