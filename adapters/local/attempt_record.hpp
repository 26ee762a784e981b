#pragma once

#include "broker/domain/protocol.hpp"

#include <filesystem>

namespace westerly {

/// What stands on disk about one attempt; see records/task_files.hpp. Reading changes nothing.
///
/// `seq` is left 0. Phases: absent when the folder is not there or the verdict is "no"; pending without a verdict;
/// exited when every task has its end; else running.
observation read_attempt(const std::filesystem::path& attempt, const std::string& token, std::uint32_t tasks);

/// Gives an end to each task whose shim is gone without having written one: killed, or the machine restarted. Then, if
/// every task has its end, writes the final observation. True when the attempt has ended.
bool settle_attempt(const std::filesystem::path& attempt, const std::string& token, std::uint32_t tasks, instant now);

/// Wakes every live shim of the attempt to look at its files.
void wake_shims(const std::filesystem::path& attempt, std::uint32_t tasks);

}  // namespace westerly
