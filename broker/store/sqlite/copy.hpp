#pragma once

#include "broker/store/sqlite/connection.hpp"

#include <functional>

namespace westerly {

/// Copies a database as it stands at one moment into the new file `to`, lets `finish` change the copy, and makes it
/// durable as one plain file (no log beside it), readable by its owner only. Others may write to the source meanwhile.
/// Errors: conflict when `to` exists. Throws sqlite_failure; no file is left behind then.
result<void> copy_database(connection& source, const std::filesystem::path& to,
                           const std::function<void(connection&)>& finish);

/// Takes `from`'s place at `to`, durably. Errors: conflict when `replace` is false and `to` exists; storage_failed.
result<void> move_file(const std::filesystem::path& from, const std::filesystem::path& to, bool replace);

/// Makes the names in the folder of `file` durable. Errors: storage_failed.
result<void> sync_folder_of(const std::filesystem::path& file);

}  // namespace westerly
