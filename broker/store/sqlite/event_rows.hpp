#pragma once

#include "broker/domain/queries.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

void insert_event(connection& database, const event& e);
/// The highest seq of every shard; 0 where there is none.
std::array<std::uint64_t, 256> last_event_seqs(connection& database);

/// Oldest first, from after `after`. `place` is where to go on: at least `after`, and past events that the filter
/// leaves out, so that a stream never reads them twice.
struct event_rows_page {
    std::vector<event> items;
    std::uint64_t place = 0;
};
/// `after` counts commits over all shards.
event_rows_page list_all_events(connection& database, std::uint64_t after, std::uint32_t limit);
/// `after` is a seq of the tenant's shard.
event_rows_page list_tenant_events(connection& database, const tenant_id& tenant, std::uint64_t after,
                                   std::uint32_t limit);
/// `after` is a seq of the workload's shard. Empty for an unknown workload or another tenant's.
event_rows_page list_workload_events(connection& database, const std::optional<tenant_id>& tenant,
                                     const workload_id& workload, std::uint64_t after, std::uint32_t limit);

}  // namespace westerly
