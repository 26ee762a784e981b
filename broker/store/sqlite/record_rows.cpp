#include "broker/store/sqlite/record_rows.hpp"

#include "broker/codec/history_pack.hpp"
#include "broker/codec/views_json.hpp"

namespace westerly {

void put_tenant(connection& database, const tenant& t) {
    database.run(
        "INSERT INTO tenants (shard, id, name, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at",
        shard_of(t.id), t.id, t.name, t.created_at);
}

std::vector<tenant> tenant_rows(connection& database) {
    std::vector<tenant> all;
    statement rows = database.query("SELECT id, name, created_at FROM tenants ORDER BY created_at, id");
    while (rows.step()) {
        tenant t;
        t.id = rows.take<tenant_id>();
        t.name = rows.take<std::string>();
        t.created_at = rows.take<instant>();
        all.push_back(std::move(t));
    }
    return all;
}

void put_key(connection& database, const api_key& k) {
    database.run(
        "INSERT INTO api_keys (shard, id, tenant, role, name, hash, created_at, revoked_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET shard = excluded.shard, tenant = excluded.tenant, role = excluded.role,"
        " name = excluded.name, hash = excluded.hash, created_at = excluded.created_at,"
        " revoked_at = excluded.revoked_at",
        shard_of(k.tenant), k.id, k.tenant, k.as, k.name, k.hash, k.created_at, k.revoked_at);
}

std::vector<api_key> key_rows(connection& database, const std::optional<tenant_id>& tenant) {
    std::vector<api_key> all;
    statement rows = database.query(
        "SELECT id, tenant, role, name, hash, created_at, revoked_at FROM api_keys"
        " WHERE ?1 IS NULL OR tenant = ?1 ORDER BY created_at, id",
        tenant);
    while (rows.step()) {
        api_key k;
        k.id = rows.take<key_id>();
        k.tenant = rows.take<tenant_id>();
        k.as = rows.take<role>();
        k.name = rows.take<std::string>();
        k.hash = rows.take<sha256_digest>();
        k.created_at = rows.take<instant>();
        k.revoked_at = rows.take<std::optional<instant>>();
        all.push_back(std::move(k));
    }
    return all;
}

void put_cordon(connection& database, const cordon& c) {
    database.run(
        "INSERT INTO cordons (provider, cordoned) VALUES (?, ?)"
        " ON CONFLICT (provider) DO UPDATE SET cordoned = excluded.cordoned",
        c.provider, c.cordoned);
}

std::vector<cordon> cordon_rows(connection& database) {
    std::vector<cordon> all;
    statement rows = database.query("SELECT provider, cordoned FROM cordons ORDER BY provider");
    while (rows.step()) {
        cordon c;
        c.provider = rows.take<std::string>();
        c.cordoned = rows.take<bool>();
        all.push_back(std::move(c));
    }
    return all;
}

void put_tenant_use(connection& database, const tenant_use& u) {
    database.run(
        "INSERT INTO tenant_uses (tenant, used, as_of) VALUES (?, ?, ?)"
        " ON CONFLICT (tenant) DO UPDATE SET used = excluded.used, as_of = excluded.as_of",
        u.tenant, u.used, u.as_of);
}

std::vector<tenant_use> tenant_use_rows(connection& database) {
    std::vector<tenant_use> all;
    statement rows = database.query("SELECT tenant, used, as_of FROM tenant_uses ORDER BY tenant");
    while (rows.step()) {
        tenant_use u;
        u.tenant = rows.take<tenant_id>();
        u.used = rows.take<double>();
        u.as_of = rows.take<instant>();
        all.push_back(u);
    }
    return all;
}

void insert_decision(connection& database, const packed_decision& made) {
    // A decision names no tenant: its workload, written before it, tells the shard.
    database.run(
        "INSERT INTO decisions (shard, id, packed, basis)"
        " VALUES (coalesce((SELECT shard FROM workloads WHERE id = ?), 0), ?, ?, ?)",
        made.workload, made.id, packed_bytes{made.bytes},
        made.basis.empty() ? std::nullopt : std::optional(packed_bytes{made.basis}));
}

std::optional<decision> find_decision_row(connection& database, const decision_id& id) {
    statement rows = database.query("SELECT packed FROM decisions WHERE id = ?", id);
    if (!rows.step())
        return std::nullopt;
    auto made = unpack_decision(rows.take<std::string_view>());
    if (!made)
        throw_damaged("decision " + to_string(id) + ": " + made.error().detail);
    return std::move(*made);
}

namespace {

recorded_decision read_recorded(statement& rows) {
    const auto id = rows.take<decision_id>();
    recorded_decision read;
    read.packed = rows.take<std::string_view>();
    const auto basis = rows.take<std::optional<std::string>>();
    if (!basis)
        return read;
    auto unpacked = unpack_basis(*basis);
    if (!unpacked)
        throw_damaged("decision " + to_string(id) + ": " + unpacked.error().detail);
    unpacked->of = id;
    read.basis = std::move(*unpacked);
    return read;
}

}  // namespace

std::optional<recorded_decision> find_recorded_decision(connection& database, const decision_id& id) {
    statement rows = database.query("SELECT id, packed, basis FROM decisions WHERE id = ?", id);
    if (!rows.step())
        return std::nullopt;
    return read_recorded(rows);
}

listed_decisions list_decision_rows(connection& database, std::uint64_t before, std::uint32_t limit) {
    listed_decisions out;
    statement rows = database.query("SELECT n, id FROM decisions WHERE n < ? ORDER BY n DESC LIMIT ?", before,
                                    std::uint64_t{limit} + 1);
    while (rows.step()) {
        const auto n = rows.take<std::uint64_t>();
        if (out.items.size() == limit) {
            out.next_before = out.last_n;
            break;
        }
        out.last_n = n;
        out.items.push_back(rows.take<decision_id>());
    }
    return out;
}

void put_speed(connection& database, const stored_speed& s) {
    const speed_record& shown = s.measured.shown;
    database.run(
        "INSERT INTO measured_speeds (tenant, name, model, runs, sum, sum_of_squares) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, name, model) DO UPDATE SET runs = excluded.runs, sum = excluded.sum,"
        " sum_of_squares = excluded.sum_of_squares",
        s.tenant, s.name, s.measured.model, shown.runs, shown.sum, shown.sum_of_squares);
}

std::vector<stored_speed> speed_rows(connection& database) {
    statement rows = database.query(
        "SELECT tenant, name, model, runs, sum, sum_of_squares FROM measured_speeds ORDER BY tenant, name, model");
    std::vector<stored_speed> all;
    while (rows.step()) {
        stored_speed& one = all.emplace_back();
        one.tenant = rows.take<tenant_id>();
        one.name = rows.take<std::string>();
        one.measured.model = rows.take<std::string>();
        one.measured.shown.runs = rows.take<std::uint32_t>();
        one.measured.shown.sum = rows.take<double>();
        one.measured.shown.sum_of_squares = rows.take<double>();
    }
    return all;
}

void insert_outbox(connection& database, const outbox_item& item) {
    database.run("INSERT INTO outbox (seq, provider_shard, provider, attempt, verb, tasks) VALUES (?, ?, ?, ?, ?, ?)",
                 item.seq, item.provider_shard, item.provider, item.attempt, item.verb, item.tasks);
}

void delete_outbox(connection& database, std::uint64_t seq) {
    database.run("DELETE FROM outbox WHERE seq = ?", seq);
}

std::vector<outbox_item> outbox_rows(connection& database) {
    std::vector<outbox_item> all;
    statement rows =
        database.query("SELECT seq, provider_shard, provider, attempt, verb, tasks FROM outbox ORDER BY seq");
    while (rows.step()) {
        outbox_item item;
        item.seq = rows.take<std::uint64_t>();
        item.provider_shard = rows.take<std::uint8_t>();
        item.provider = rows.take<std::string>();
        item.attempt = rows.take<attempt_id>();
        item.verb = rows.take<outbox_verb>();
        item.tasks = rows.take<std::uint32_t>();
        all.push_back(std::move(item));
    }
    return all;
}

void insert_idempotency(connection& database, const idempotency_record& record) {
    database.run(
        "INSERT INTO idempotency (shard, tenant, route, key, body, workload, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        shard_of(record.tenant), record.tenant, record.route, record.key, record.body, record.workload,
        record.created_at);
}

void delete_idempotency_before(connection& database, instant before) {
    database.run("DELETE FROM idempotency WHERE created_at < ?", before);
}

std::vector<idempotency_record> idempotency_rows(connection& database, instant from) {
    std::vector<idempotency_record> all;
    statement rows = database.query(
        "SELECT tenant, route, key, body, workload, created_at FROM idempotency WHERE created_at >= ?"
        " ORDER BY created_at, n",
        from);
    while (rows.step()) {
        idempotency_record record;
        record.tenant = rows.take<tenant_id>();
        record.route = rows.take<std::string>();
        record.key = rows.take<std::string>();
        record.body = rows.take<sha256_digest>();
        record.workload = rows.take<workload_id>();
        record.created_at = rows.take<instant>();
        all.push_back(std::move(record));
    }
    return all;
}

}  // namespace westerly
