#pragma once

#include "adapters/sdk/adapter.hpp"

#include <filesystem>

namespace westerly {

/// Opens a file or folder below `output` for reading, whatever links a tenant laid there: no step may leave `output`,
/// and opening never blocks. -1 with errno: ENOENT, EXDEV or ELOOP for a way out, ….
int open_output(const std::filesystem::path& output, const std::string& path);

/// The bytes from `from`, at most 512 KiB; `complete` if the run has ended and they reach the end. nullopt with errno.
std::optional<byte_piece> read_piece(int fd, std::uint64_t from, bool ended);

/// The answer to a fetch of `path` below `output`.
verb_result<fetch_reply> fetch_output(const std::filesystem::path& output, const std::string& path, std::uint64_t from,
                                      bool ended);

/// The answer to `logs` from one file at or below `folder`; a file that is not there yet is an empty log.
verb_result<byte_piece> log_piece(const std::filesystem::path& folder, const std::string& path, std::uint64_t from,
                                  bool ended);

/// One piece of a bundle into `file`, in order and within bundle_bytes_max.
verb_result<mutation_reply> put_piece(const std::filesystem::path& file, const put_params& piece);

inline constexpr const char* bundle_name = "bundle.tar";
inline constexpr std::uint64_t bundle_bytes_max = 17 << 20;  // 16 MiB of files in tar's blocks

/// All regular files under the folder, by path, within what one message holds; links are left out. Closes `folder`.
void list_output(int folder, const std::string& path, fetch_reply& reply);

}  // namespace westerly
