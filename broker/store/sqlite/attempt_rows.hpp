#pragma once

#include "broker/domain/records.hpp"
#include "broker/store/sqlite/connection.hpp"

#include <vector>

namespace westerly {

// Attempts in their tables: `attempts` (never changes, with the lease) and `attempts_live` (one small row that does).

/// Throws when the workload is not stored.
void insert_attempt(connection& database, const attempt& added);
/// Everything but what the attempt was made with. Throws when it is not stored.
void update_attempt(connection& database, const attempt& changed);

std::optional<attempt> find_attempt_row(connection& database, const attempt_id& id);
bool attempt_is_known(connection& database, const attempt_id& id);
/// Of one workload, oldest first.
std::vector<attempt> attempt_rows_of(connection& database, const workload_id& id);
/// With the row number, by which they are ordered.
struct attempt_row {
    std::int64_t n = 0;
    attempt what;
};
/// The live ones, oldest first.
std::vector<attempt_row> live_attempt_rows(connection& database);
/// These and the current one of each of the workloads, oldest first.
std::vector<attempt> with_current_ones(connection& database, std::vector<attempt_row> live,
                                       const std::vector<workload>& open);

}  // namespace westerly
