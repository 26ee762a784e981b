#pragma once

#include "broker/domain/queries.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

// Workloads in their tables: `workloads` (never changes), `live` (one small row that does), `labels`.

void insert_workload(connection& database, const workload& added);
/// Everything but id, tenant, spec and creation time. Throws when the workload is not stored.
void update_workload(connection& database, const workload& changed);
/// Moves the head of a workload's chain of events forward, where no change of its row has done so.
void set_last_event(connection& database, const workload_id& id, std::uint64_t seq);

/// With the text of its spec only, as are those of a list.
std::optional<workload> find_workload_row(connection& database, const std::optional<tenant_id>& tenant,
                                          const workload_id& id);
/// The non-terminal ones, oldest first.
std::vector<workload> open_workload_rows(connection& database);

/// Rows of a list that one call looks at before it gives back what it has found, with a cursor to go on.
inline constexpr std::uint32_t rows_scanned_max = 20'000;

struct workload_rows_page {
    std::vector<workload> items;
    std::uint64_t next_before = 0;  // go on with rows below this n; 0: the end
};
/// Newest first, of rows with n below `before`.
workload_rows_page list_workload_rows(connection& database, const workload_filter& filter, std::uint64_t before,
                                      std::uint32_t limit);

}  // namespace westerly
