#include "broker/store/sqlite/event_rows.hpp"

#include <algorithm>

namespace westerly {

namespace {

#define EVENT_COLUMNS " n, seq, shard, prev_seq, at, tenant, workload, attempt, type, detail "

/// Steps back along one workload's history, at most; more events than any workload makes.
constexpr std::size_t history_max = 1'000'000;

struct event_row {
    std::uint64_t n = 0;
    event what;
};

event_row read_event(statement& row) {
    event_row got;
    got.n = row.take<std::uint64_t>();
    event& e = got.what;
    e.seq = row.take<std::uint64_t>();
    e.shard = row.take<std::uint8_t>();
    e.prev_seq = row.take<std::uint64_t>();
    e.at = row.take<instant>();
    e.tenant = row.take<tenant_id>();
    e.workload = row.take<workload_id>();
    e.attempt = row.take<std::optional<attempt_id>>();
    e.type = row.take<std::string>();
    e.detail = row.take<std::string>();
    return got;
}

std::optional<event> event_at(connection& database, int shard, std::uint64_t seq) {
    statement rows = database.query("SELECT" EVENT_COLUMNS "FROM events WHERE shard = ? AND seq = ?", shard, seq);
    if (!rows.step())
        return std::nullopt;
    return read_event(rows).what;
}

/// The seqs of a workload's events after `after`, oldest first: the chain read backwards.
std::vector<std::uint64_t> history(connection& database, int shard, std::uint64_t last, std::uint64_t after) {
    std::vector<std::uint64_t> seqs;
    for (std::uint64_t at = last; at > after && seqs.size() < history_max;) {
        statement rows = database.query("SELECT prev_seq FROM events WHERE shard = ? AND seq = ?", shard, at);
        if (!rows.step())
            break;  // older ones are past their retention
        seqs.push_back(at);
        const auto before = rows.take<std::uint64_t>();
        if (before >= at)
            throw_damaged("events of shard " + std::to_string(shard) + " form a ring at " + std::to_string(at));
        at = before;
    }
    std::ranges::reverse(seqs);
    return seqs;
}

}  // namespace

void insert_event(connection& database, const event& e) {
    database.run(
        "INSERT INTO events (shard, seq, prev_seq, at, tenant, workload, attempt, type, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        e.shard, e.seq, e.prev_seq, e.at, e.tenant, e.workload, e.attempt, e.type, e.detail);
}

std::array<std::uint64_t, 256> last_event_seqs(connection& database) {
    std::array<std::uint64_t, 256> last{};
    for (std::size_t shard = 0; shard < last.size(); ++shard)
        last[shard] = database.scalar<std::uint64_t>("SELECT coalesce(max(seq), 0) FROM events WHERE shard = ?", shard);
    return last;
}

event_rows_page list_all_events(connection& database, std::uint64_t after, std::uint32_t limit) {
    event_rows_page page{{}, after};
    statement rows = database.query("SELECT" EVENT_COLUMNS "FROM events WHERE n > ? ORDER BY n LIMIT ?", after, limit);
    while (rows.step()) {
        event_row got = read_event(rows);
        page.place = got.n;
        page.items.push_back(std::move(got.what));
    }
    return page;
}

event_rows_page list_tenant_events(connection& database, const tenant_id& tenant, std::uint64_t after,
                                   std::uint32_t limit) {
    event_rows_page page{{}, after};
    statement rows = database.query("SELECT" EVENT_COLUMNS
                                    "FROM events INDEXED BY events_seq WHERE shard = ? AND seq > ? ORDER BY seq",
                                    shard_of(tenant), after);
    while (page.items.size() < limit && rows.step()) {
        event_row got = read_event(rows);
        page.place = got.what.seq;
        if (got.what.tenant == tenant)
            page.items.push_back(std::move(got.what));
    }
    return page;
}

event_rows_page list_workload_events(connection& database, const std::optional<tenant_id>& tenant,
                                     const workload_id& workload, std::uint64_t after, std::uint32_t limit) {
    event_rows_page page{{}, after};
    statement heads = database.query(
        "SELECT w.shard, w.tenant, l.last_event FROM workloads w JOIN live l USING (n) WHERE w.id = ?", workload);
    if (!heads.step())
        return page;
    const int shard = heads.take<int>();
    const auto owner = heads.take<tenant_id>();
    if (tenant && owner != *tenant)
        return page;
    for (const std::uint64_t seq : history(database, shard, heads.take<std::uint64_t>(), after)) {
        if (page.items.size() == limit)
            break;
        auto e = event_at(database, shard, seq);
        if (!e || e->workload != workload)
            throw_damaged("event " + std::to_string(seq) + " of shard " + std::to_string(shard));
        page.items.push_back(std::move(*e));
        page.place = seq;
    }
    return page;
}

}  // namespace westerly
