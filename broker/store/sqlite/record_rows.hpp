#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

// Tenants, keys, cordons, what tenants have used, decisions, the outbox and idempotency records. The first four replace
// what has their id.

void put_tenant(connection& database, const tenant& t);
std::vector<tenant> tenant_rows(connection& database);  // by creation, then id

void put_key(connection& database, const api_key& k);
std::vector<api_key> key_rows(connection& database, const std::optional<tenant_id>& tenant);  // by creation, then id

void put_cordon(connection& database, const cordon& c);
std::vector<cordon> cordon_rows(connection& database);  // by provider

void put_tenant_use(connection& database, const tenant_use& u);
std::vector<tenant_use> tenant_use_rows(connection& database);  // by tenant

void insert_decision(connection& database, const packed_decision& made);
std::optional<recorded_decision> find_recorded_decision(connection& database, const decision_id& id);
/// Newest first, below `before`; `next_before` is 0 at the end.
struct listed_decisions {
    std::vector<decision_id> items;
    std::uint64_t last_n = 0, next_before = 0;
};
listed_decisions list_decision_rows(connection& database, std::uint64_t before, std::uint32_t limit);
std::optional<decision> find_decision_row(connection& database, const decision_id& id);

void put_speed(connection& database, const stored_speed& s);
std::vector<stored_speed> speed_rows(connection& database);

void insert_outbox(connection& database, const outbox_item& item);
void delete_outbox(connection& database, std::uint64_t seq);
std::vector<outbox_item> outbox_rows(connection& database);  // by seq

void insert_idempotency(connection& database, const idempotency_record& record);
void delete_idempotency_before(connection& database, instant before);
std::vector<idempotency_record> idempotency_rows(connection& database,
                                                 instant from);  // created_at >= from, oldest first

}  // namespace westerly
