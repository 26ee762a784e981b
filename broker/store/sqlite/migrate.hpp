#pragma once

#include "broker/store/sqlite/connection.hpp"
#include "broker/support/result.hpp"

namespace westerly {

/// The schema that this binary knows: the number of the last migration in schema/sql.
std::int64_t newest_schema();

/// Errors: conflict when the file is another program's or needs a newer binary (names both versions). A database of a
/// newer schema passes when its last migration says that binaries of this one may still run on it. Throws
/// sqlite_failure.
result<void> check_schema(connection& database, const std::filesystem::path& file);

/// Applies what is missing, each migration in a transaction of its own. After check_schema. Throws sqlite_failure.
void migrate(connection& database);

}  // namespace westerly
