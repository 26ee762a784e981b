#pragma once

#include "broker/support/result.hpp"

#include <filesystem>
#include <string>

namespace westerly {

inline constexpr std::size_t catalogue_bytes_max = 256 << 20;  // of one catalogue, unpacked

/// The text of a catalogue; a file that gzip packed is unpacked. Errors: not_found, too_large, storage_failed, invalid
/// (packed and damaged).
result<std::string> read_catalogue(const std::filesystem::path& path);

}  // namespace westerly
