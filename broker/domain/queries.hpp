#pragma once

#include "broker/domain/correction.hpp"
#include "broker/domain/history.hpp"
#include "broker/domain/records.hpp"

namespace westerly {

/// A page of a list; `next_cursor` is opaque and empty on the last page.
template <class T>
struct page {
    std::vector<T> items;
    std::string next_cursor;
};

inline constexpr std::uint32_t page_size_max = 500;
inline constexpr std::size_t offer_history_max = 2000;

struct workload_filter {
    std::optional<tenant_id> tenant;  // nullopt: all (operators)
    std::vector<workload_state> states;
    std::vector<std::pair<std::string, std::string>> labels;  // all must match
    std::string name;
    std::string project;
};
struct event_filter {
    std::optional<tenant_id> tenant;
    std::optional<workload_id> workload;
};
struct usage_filter {
    std::optional<tenant_id> tenant;
    std::optional<workload_id> workload;
    std::string project;
    std::optional<instant> from;   // end_at > from
    std::optional<instant> until;  // start_at < until
};
/// Metered rows of a grid zone, or of a provider's site where `zone` is empty, that overlap [from, until).
struct correction_filter {
    std::string zone;
    provider_id provider;
    std::string site;
    instant from{}, until{};
};
/// Exact sums over what a filter matches, of one currency.
struct charge_total {
    currency unit = currency::cny;
    std::int64_t billed_micros = 0;
    std::uint64_t rows = 0;
};
struct usage_total {
    std::int64_t energy_microkwh = 0;
    std::int64_t non_green_microkwh = 0;
    std::int64_t carbon_mg = 0;
    std::int64_t carbon_market_mg = 0;
    std::uint64_t rows = 0;
    std::uint64_t rows_without_energy = 0;
    std::uint64_t corrections = 0;  // of the rows
};

/// Committed state, as the API reads it. Implemented by the store's readers; thread-safe; newest first where a list has
/// no other order. `limit` is 1..page_size_max. Errors: invalid for a cursor that is not ours; not_found;
/// storage_failed.
class queries {
public:
    virtual ~queries() = default;
    /// Workloads come with the text of their spec, not the spec.
    virtual result<workload> find_workload(std::optional<tenant_id> tenant, workload_id id) = 0;
    virtual result<page<workload>> list_workloads(const workload_filter& filter, const std::string& cursor,
                                                  std::uint32_t limit) = 0;
    virtual result<std::vector<attempt>> attempts_of(workload_id id) = 0;  // oldest first
    virtual result<attempt> find_attempt(attempt_id id) = 0;
    virtual result<decision> find_decision(decision_id id) = 0;
    virtual result<recorded_decision> find_recorded_decision(decision_id id) = 0;
    /// Newest first.
    virtual result<page<decision_id>> list_decisions(const std::string& cursor, std::uint32_t limit) = 0;
    /// not_found: it is no longer kept, or never was. storage_failed also when it is not what was written.
    virtual result<market_past> market_at(std::uint64_t history_seq) = 0;
    /// What libraries had said to decisions, by the number that their bases name. Errors as of market_at.
    virtual result<std::vector<foreign_column>> terms_said_at(std::uint64_t history_seq) = 0;
    /// What became of one offer in [from, until), oldest first, beginning with what held at `from`; at most the newest
    /// offer_history_max changes of its prices or free units. Empty: it was never heard of then.
    virtual result<std::vector<offer_past>> history_of(const offer_id& id, instant from, instant until) = 0;
    virtual result<policy_text> find_policy_text(const std::string& name, const std::string& version) = 0;
    /// Oldest first, from after `cursor` ("" is the beginning); a cursor also comes back when nothing is new.
    virtual result<page<event>> list_events(const event_filter& filter, const std::string& cursor,
                                            std::uint32_t limit) = 0;
    virtual result<page<usage>> list_usage(const usage_filter& filter, const std::string& cursor,
                                           std::uint32_t limit) = 0;
    virtual result<page<charge>> list_charges(const usage_filter& filter, const std::string& cursor,
                                              std::uint32_t limit) = 0;
    virtual result<usage_total> total_usage(const usage_filter& filter) = 0;
    /// All of one state of the store.
    virtual result<correctable_page> list_correctable(const correction_filter& filter, const std::string& cursor,
                                                      std::uint32_t limit) = 0;
    virtual result<std::vector<charge_total>> total_charges(const usage_filter& filter) = 0;
    virtual result<std::vector<tenant>> list_tenants() = 0;
    virtual result<std::vector<api_key>> list_keys(std::optional<tenant_id> tenant) = 0;
    /// Which of these tokens' attempts are known, for the orphan list.
    virtual result<std::vector<attempt_id>> known_attempts(const std::vector<attempt_id>& ids) = 0;
};

}  // namespace westerly
