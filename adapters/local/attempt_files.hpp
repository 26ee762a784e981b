#pragma once

#include "adapters/local/records/plan.hpp"

#include <filesystem>

namespace westerly {

/// The folders of one attempt with their owners, and its plan, at `where` (by default where the plan says that it will
/// be). The checkpoint folder is kept if it is there and given to the attempt's user. Errors: storage_failed.
result<void> make_attempt_files(const task_plan& plan, const std::filesystem::path& where = {});

/// Makes a folder that only this user may enter; its being there already is fine. Errors: storage_failed.
result<void> make_private_folder(const std::filesystem::path& path);

/// A new file, onto the disk; its folder is synced by whoever makes the folder's name. Errors: storage_failed.
result<void> write_new_file(const std::filesystem::path& path, const std::string& text);

/// What was written below stays after a crash. Errors: storage_failed.
result<void> sync_folder(const std::filesystem::path& path);

}  // namespace westerly
