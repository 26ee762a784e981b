#include "broker/store/sqlite/attempt_rows.hpp"

#include "broker/codec/views_json.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace westerly {

namespace {

/// The order in which read_attempt takes them.
#define ATTEMPT_COLUMNS                                                                                          \
    " a.id, w.id, w.tenant, a.number, a.provider, a.site, a.offer, a.decision, a.fence, a.created_at, a.lease,"  \
    " l.state, l.outcome, l.cancel_wanted, l.deadline_cancel, l.handle, l.seen_seq, l.updated_at, l.started_at," \
    " l.ended_at, l.last_seen_at, l.exit_code, l.exit_signal, l.failed_rank, l.message,"                         \
    " l.uncertain_since, l.given_up_at, l.displaced_for "

#define ATTEMPT_JOINS " CROSS JOIN attempts_live l ON l.n = a.n CROSS JOIN workloads w ON w.n = a.workload_n "

attempt read_attempt(statement& row) {
    attempt a;
    a.id = row.take<attempt_id>();
    a.workload = row.take<workload_id>();
    a.tenant = row.take<tenant_id>();
    a.number = row.take<std::uint32_t>();
    a.provider = row.take<std::string>();
    a.site = row.take<std::string>();
    a.offer = row.take<std::string>();
    a.decision = row.take<decision_id>();
    a.fence = row.take<std::uint64_t>();
    a.created_at = row.take<instant>();
    auto terms = unpack_lease(row.take<std::string_view>());
    if (!terms)
        throw_damaged("lease of attempt " + to_string(a.id) + ": " + terms.error().detail);
    a.terms = std::move(*terms);
    a.state = row.take<attempt_state>();
    a.outcome = row.take<attempt_outcome>();
    a.cancel_wanted = row.take<bool>();
    a.deadline_cancel = row.take<bool>();
    a.handle = row.take<std::string>();
    a.seen_seq = row.take<std::uint64_t>();
    a.updated_at = row.take<instant>();
    a.started_at = row.take<std::optional<instant>>();
    a.ended_at = row.take<std::optional<instant>>();
    a.last_seen_at = row.take<std::optional<instant>>();
    a.exit_code = row.take<std::optional<std::int32_t>>();
    a.exit_signal = row.take<std::optional<std::int32_t>>();
    a.failed_rank = row.take<std::optional<std::uint32_t>>();
    a.message = row.take<std::string>();
    a.uncertain_since = row.take<std::optional<instant>>();
    a.given_up_at = row.take<std::optional<instant>>();
    a.displaced_for = row.take<displacement>();
    return a;
}

std::vector<attempt_row> read_numbered(statement rows) {
    std::vector<attempt_row> all;
    while (rows.step()) {
        const auto n = rows.take<std::int64_t>();
        all.push_back({n, read_attempt(rows)});
    }
    return all;
}

std::vector<attempt> read_all(statement rows) {
    std::vector<attempt> all;
    while (rows.step())
        all.push_back(read_attempt(rows));
    return all;
}

}  // namespace

void insert_attempt(connection& database, const attempt& a) {
    const int shard = shard_of(a.tenant);
    const std::string lease = pack_lease(a.terms);
    database.run(
        "INSERT INTO attempts (shard, id, workload_n, number, provider, site, offer, decision, fence, created_at,"
        " lease) VALUES (?, ?, (SELECT n FROM workloads WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?)",
        shard, a.id, a.workload, a.number, a.provider, a.site, a.offer, a.decision, a.fence, a.created_at,
        packed_bytes{lease});
    database.run(
        "INSERT INTO attempts_live (n, shard, state, outcome, cancel_wanted, deadline_cancel, handle, seen_seq,"
        " updated_at, started_at, ended_at, last_seen_at, exit_code, exit_signal, failed_rank, message,"
        " uncertain_since, given_up_at, displaced_for)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        database.last_row(), shard, a.state, a.outcome, a.cancel_wanted, a.deadline_cancel, a.handle, a.seen_seq,
        a.updated_at, a.started_at, a.ended_at, a.last_seen_at, a.exit_code, a.exit_signal, a.failed_rank, a.message,
        a.uncertain_since, a.given_up_at, a.displaced_for);
}

void update_attempt(connection& database, const attempt& a) {
    const int changed = database.run(
        "UPDATE attempts_live SET state = ?, outcome = ?, cancel_wanted = ?, deadline_cancel = ?, handle = ?,"
        " seen_seq = ?, updated_at = ?, started_at = ?, ended_at = ?, last_seen_at = ?, exit_code = ?,"
        " exit_signal = ?, failed_rank = ?, message = ?, uncertain_since = ?, given_up_at = ?, displaced_for = ?"
        " WHERE n = (SELECT n FROM attempts WHERE id = ?)",
        a.state, a.outcome, a.cancel_wanted, a.deadline_cancel, a.handle, a.seen_seq, a.updated_at, a.started_at,
        a.ended_at, a.last_seen_at, a.exit_code, a.exit_signal, a.failed_rank, a.message, a.uncertain_since,
        a.given_up_at, a.displaced_for, a.id);
    if (changed != 1)
        throw_missing("no stored attempt " + to_string(a.id) + " to change");
}

std::optional<attempt> find_attempt_row(connection& database, const attempt_id& id) {
    statement rows = database.query("SELECT" ATTEMPT_COLUMNS "FROM attempts a" ATTEMPT_JOINS "WHERE a.id = ?", id);
    if (!rows.step())
        return std::nullopt;
    return read_attempt(rows);
}

bool attempt_is_known(connection& database, const attempt_id& id) {
    statement rows = database.query("SELECT 1 FROM attempts WHERE id = ?", id);
    return rows.step();
}

std::vector<attempt> attempt_rows_of(connection& database, const workload_id& id) {
    return read_all(database.query("SELECT" ATTEMPT_COLUMNS "FROM attempts a" ATTEMPT_JOINS
                                   "WHERE a.workload_n = (SELECT n FROM workloads WHERE id = ?) ORDER BY a.number",
                                   id));
}

std::vector<attempt_row> live_attempt_rows(connection& database) {
    return read_numbered(
        database.query("SELECT a.n," ATTEMPT_COLUMNS "FROM attempts_live o INDEXED BY attempts_live_open"
                       " CROSS JOIN attempts a ON a.n = o.n" ATTEMPT_JOINS "WHERE o.state < 7 ORDER BY o.n"));
}

std::vector<attempt> with_current_ones(connection& database, std::vector<attempt_row> live,
                                       const std::vector<workload>& open) {
    std::unordered_set<attempt_id> there;
    for (const attempt_row& row : live)
        there.insert(row.what.id);
    for (const workload& w : open)  // few have one that has ended: those that wait for their next
        if (w.current && !there.contains(*w.current))
            std::ranges::move(
                read_numbered(database.query(
                    "SELECT a.n," ATTEMPT_COLUMNS "FROM attempts a" ATTEMPT_JOINS "WHERE a.id = ?", *w.current)),
                std::back_inserter(live));
    std::ranges::sort(live, {}, &attempt_row::n);
    std::vector<attempt> all;
    all.reserve(live.size());
    for (attempt_row& row : live)
        all.push_back(std::move(row.what));
    return all;
}

}  // namespace westerly
