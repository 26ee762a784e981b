#pragma once

#include "broker/domain/protocol.hpp"

#include <filesystem>

namespace westerly {

/// Opens a file or folder below `output` for reading, whatever links a tenant laid there: no step may leave `output`,
/// and opening never blocks. -1 with errno: ENOENT, EXDEV or ELOOP for a way out, ….
int open_output(const std::filesystem::path& output, const std::string& path);

/// The bytes from `from`, at most 512 KiB; `complete` if the run has ended and they reach the end. nullopt with errno.
std::optional<byte_piece> read_piece(int fd, std::uint64_t from, bool ended);

/// All regular files under the folder, by path, within what one message holds; links are left out. Closes `folder`.
void list_output(int folder, const std::string& path, fetch_reply& reply);

}  // namespace westerly
