#pragma once

#include "broker/domain/queries.hpp"
#include "broker/store/sqlite/reader_pool.hpp"

namespace westerly {

/// The store's side of `queries`: each call borrows a connection, reads one consistent state and gives values back.
class sqlite_readers final : public queries {
public:
    sqlite_readers(reader_pool& pool, std::uint64_t generation) : pool_(pool), generation_(generation) {}

    result<workload> find_workload(std::optional<tenant_id> tenant, workload_id id) override;
    result<page<workload>> list_workloads(const workload_filter& filter, const std::string& cursor,
                                          std::uint32_t limit) override;
    result<std::vector<attempt>> attempts_of(workload_id id) override;
    result<attempt> find_attempt(attempt_id id) override;
    result<decision> find_decision(decision_id id) override;
    result<recorded_decision> find_recorded_decision(decision_id id) override;
    result<page<decision_id>> list_decisions(const std::string& cursor, std::uint32_t limit) override;
    result<market_past> market_at(std::uint64_t history_seq) override;
    result<std::vector<foreign_column>> terms_said_at(std::uint64_t history_seq) override;
    result<std::vector<offer_past>> history_of(const offer_id& id, instant from, instant until) override;
    result<policy_text> find_policy_text(const std::string& name, const std::string& version) override;
    result<page<event>> list_events(const event_filter& filter, const std::string& cursor,
                                    std::uint32_t limit) override;
    result<page<usage>> list_usage(const usage_filter& filter, const std::string& cursor, std::uint32_t limit) override;
    result<page<charge>> list_charges(const usage_filter& filter, const std::string& cursor,
                                      std::uint32_t limit) override;
    result<usage_total> total_usage(const usage_filter& filter) override;
    result<correctable_page> list_correctable(const correction_filter& filter, const std::string& cursor,
                                              std::uint32_t limit) override;
    result<std::vector<charge_total>> total_charges(const usage_filter& filter) override;
    result<std::vector<tenant>> list_tenants() override;
    result<std::vector<api_key>> list_keys(std::optional<tenant_id> tenant) override;
    result<std::vector<attempt_id>> known_attempts(const std::vector<attempt_id>& ids) override;

private:
    reader_pool& pool_;
    const std::uint64_t generation_;
};

}  // namespace westerly
