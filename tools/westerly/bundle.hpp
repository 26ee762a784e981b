#pragma once

#include "broker/support/result.hpp"

#include <filesystem>
#include <string>

namespace westerly {

inline constexpr std::size_t bundle_bytes_max = 16 << 20;

/// The tar of a folder's content, made with the system's tar; owners and times are left out, so equal content gives
/// equal bytes. Errors: not_found; too_large past 16 MiB; internal when tar fails.
result<std::string> make_bundle(const std::filesystem::path& folder);

}  // namespace westerly
