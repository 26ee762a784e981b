#include "broker/store/sqlite/readers.hpp"

#include "broker/store/sqlite/attempt_rows.hpp"
#include "broker/store/sqlite/cursor.hpp"
#include "broker/store/sqlite/event_rows.hpp"
#include "broker/store/sqlite/history_rows.hpp"
#include "broker/store/sqlite/money_rows.hpp"
#include "broker/store/sqlite/record_rows.hpp"
#include "broker/store/sqlite/signal_rows.hpp"
#include "broker/store/sqlite/workload_rows.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr std::uint64_t newest = INT64_MAX;  // lists that go backwards begin above every n

/// Runs `body`, of a single statement, on a borrowed connection: a statement is a transaction of its own.
template <class Body>
auto reading_once(reader_pool& pool, const Body& body) {
    return guarded([&] {
        const reader_pool::borrowed database = pool.borrow();
        return body(*database);
    });
}

/// Runs `body` in one transaction, so that all its statements see one state.
template <class Body>
auto reading(reader_pool& pool, const Body& body) {
    return reading_once(pool, [&](connection& database) {
        transaction snapshot(database, transaction::kind::read);
        auto got = body(database);
        snapshot.commit();
        return got;
    });
}

template <class T>
result<T> found_or(std::optional<T> found, const char* what) {
    if (!found)
        return fail(errc::not_found, std::string("no such ") + what);
    return std::move(*found);
}

std::uint32_t bounded(std::uint32_t limit) {
    return std::clamp(limit, 1u, page_size_max);
}

/// A list that goes backwards by n: `list` gives items and the n to go on below, 0 at the end.
template <class T, class List>
result<page<T>> backwards(reader_pool& pool, cursor_kind kind, std::uint64_t generation, const std::string& cursor,
                          const List& list) {
    const auto before = decode_cursor(kind, generation, cursor, newest);
    if (!before)
        return before.error();
    return reading(pool, [&](connection& database) -> result<page<T>> {
        auto found = list(database, *before);
        page<T> given{std::move(found.items), {}};
        if (found.next_before != 0)
            given.next_cursor = encode_cursor(kind, generation, found.next_before);
        return given;
    });
}

}  // namespace

result<workload> sqlite_readers::find_workload(std::optional<tenant_id> tenant, workload_id id) {
    return reading_once(
        pool_, [&](connection& database) { return found_or(find_workload_row(database, tenant, id), "workload"); });
}

result<page<workload>> sqlite_readers::list_workloads(const workload_filter& filter, const std::string& cursor,
                                                      std::uint32_t limit) {
    return backwards<workload>(pool_, cursor_kind::workloads, generation_, cursor,
                               [&](connection& database, std::uint64_t before) {
                                   return list_workload_rows(database, filter, before, bounded(limit));
                               });
}

result<std::vector<attempt>> sqlite_readers::attempts_of(workload_id id) {
    return reading_once(
        pool_, [&](connection& database) -> result<std::vector<attempt>> { return attempt_rows_of(database, id); });
}

result<attempt> sqlite_readers::find_attempt(attempt_id id) {
    return reading_once(pool_,
                        [&](connection& database) { return found_or(find_attempt_row(database, id), "attempt"); });
}

result<decision> sqlite_readers::find_decision(decision_id id) {
    return reading_once(pool_,
                        [&](connection& database) { return found_or(find_decision_row(database, id), "decision"); });
}

result<recorded_decision> sqlite_readers::find_recorded_decision(decision_id id) {
    return reading_once(pool_, [&](connection& database) {
        return found_or(westerly::find_recorded_decision(database, id), "decision");
    });
}

result<page<decision_id>> sqlite_readers::list_decisions(const std::string& cursor, std::uint32_t limit) {
    return backwards<decision_id>(pool_, cursor_kind::decisions, generation_, cursor,
                                  [&](connection& database, std::uint64_t before) {
                                      return list_decision_rows(database, before, bounded(limit));
                                  });
}

result<market_past> sqlite_readers::market_at(std::uint64_t history_seq) {
    return reading(pool_, [&](connection& database) -> result<market_past> {
        return found_or(westerly::market_at(database, history_seq), "entry in the history of offers");
    });
}

result<std::vector<foreign_column>> sqlite_readers::terms_said_at(std::uint64_t history_seq) {
    return reading(pool_, [&](connection& database) -> result<std::vector<foreign_column>> {
        return found_or(westerly::terms_said_at(database, history_seq), "entry of what libraries said");
    });
}

result<std::vector<offer_past>> sqlite_readers::history_of(const offer_id& id, instant from, instant until) {
    return reading(pool_, [&](connection& database) -> result<std::vector<offer_past>> {
        return westerly::history_of(database, id, from, until);
    });
}

result<policy_text> sqlite_readers::find_policy_text(const std::string& name, const std::string& version) {
    return reading_once(pool_, [&](connection& database) {
        return found_or(westerly::find_policy_text(database, name, version), "version of that policy");
    });
}

result<page<event>> sqlite_readers::list_events(const event_filter& filter, const std::string& cursor,
                                                std::uint32_t limit) {
    const cursor_kind kind = filter.workload ? cursor_kind::events_workload
                             : filter.tenant ? cursor_kind::events_tenant
                                             : cursor_kind::events_all;
    const auto after = decode_cursor(kind, generation_, cursor, 0);
    if (!after)
        return after.error();
    return reading(pool_, [&](connection& database) -> result<page<event>> {
        auto found = filter.workload
                         ? list_workload_events(database, filter.tenant, *filter.workload, *after, bounded(limit))
                     : filter.tenant ? list_tenant_events(database, *filter.tenant, *after, bounded(limit))
                                     : list_all_events(database, *after, bounded(limit));
        return page<event>{std::move(found.items), encode_cursor(kind, generation_, found.place)};
    });
}

result<page<usage>> sqlite_readers::list_usage(const usage_filter& filter, const std::string& cursor,
                                               std::uint32_t limit) {
    return backwards<usage>(pool_, cursor_kind::usage, generation_, cursor,
                            [&](connection& database, std::uint64_t before) {
                                return list_usage_rows(database, filter, before, bounded(limit));
                            });
}

result<page<charge>> sqlite_readers::list_charges(const usage_filter& filter, const std::string& cursor,
                                                  std::uint32_t limit) {
    return backwards<charge>(pool_, cursor_kind::charges, generation_, cursor,
                             [&](connection& database, std::uint64_t before) {
                                 return list_charge_rows(database, filter, before, bounded(limit));
                             });
}

result<usage_total> sqlite_readers::total_usage(const usage_filter& filter) {
    return reading(pool_,
                   [&](connection& database) -> result<usage_total> { return total_usage_rows(database, filter); });
}

result<correctable_page> sqlite_readers::list_correctable(const correction_filter& filter, const std::string& cursor,
                                                          std::uint32_t limit) {
    const auto before = decode_cursor(cursor_kind::correctable, generation_, cursor, newest);
    if (!before)
        return before.error();
    return reading(pool_, [&](connection& database) -> result<correctable_page> {
        auto found = list_correctable_rows(database, filter, *before, bounded(limit));
        correctable_page given{std::move(found.items), {}, last_correction(database)};
        if (found.next_before != 0)
            given.next_cursor = encode_cursor(cursor_kind::correctable, generation_, found.next_before);
        return given;
    });
}

result<std::vector<charge_total>> sqlite_readers::total_charges(const usage_filter& filter) {
    return reading(pool_, [&](connection& database) -> result<std::vector<charge_total>> {
        return total_charge_rows(database, filter);
    });
}

result<std::vector<tenant>> sqlite_readers::list_tenants() {
    return reading(pool_, [](connection& database) -> result<std::vector<tenant>> { return tenant_rows(database); });
}

result<std::vector<api_key>> sqlite_readers::list_keys(std::optional<tenant_id> tenant) {
    return reading(pool_,
                   [&](connection& database) -> result<std::vector<api_key>> { return key_rows(database, tenant); });
}

result<std::vector<attempt_id>> sqlite_readers::known_attempts(const std::vector<attempt_id>& ids) {
    return reading(pool_, [&](connection& database) -> result<std::vector<attempt_id>> {
        std::vector<attempt_id> known;
        for (const attempt_id& id : ids)
            if (attempt_is_known(database, id))
                known.push_back(id);
        return known;
    });
}

}  // namespace westerly
