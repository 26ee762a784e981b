#pragma once

#include "broker/support/result.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// The whole of a file, up to `bytes_max`. Errors: not_found; too_large; storage_failed.
result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

/// What lies in a folder, in any order; nothing where there is no such path. Errors: invalid when it is no folder, or
/// none that may be read.
result<std::vector<std::filesystem::directory_entry>> list_folder(const std::filesystem::path& folder);

/// Replaces a file so that a crash leaves the old or the new one whole: temporary beside it, fsync, rename, fsync of
/// the folder. `mode` is the new file's (0600 for secrets). Errors: storage_failed, naming path and reason.
result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text, unsigned mode = 0644);

}  // namespace westerly
