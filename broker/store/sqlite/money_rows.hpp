#pragma once

#include "broker/domain/queries.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

// Usage and charges. One with the id of a stored one replaces it, so a repeat changes nothing.

void put_usage(connection& database, const usage& u);
/// What of each certificate each tenant was given.
std::vector<certificate_use> certificate_use_rows(connection& database);
void put_charge(connection& database, const charge& c);

template <class T>
struct money_rows_page {
    std::vector<T> items;
    std::uint64_t next_before = 0;  // go on with rows below this n; 0: the end
};
/// Newest first, of rows with n below `before`; looks at rows_scanned_max rows at most.
money_rows_page<usage> list_usage_rows(connection& database, const usage_filter& filter, std::uint64_t before,
                                       std::uint32_t limit);
money_rows_page<charge> list_charge_rows(connection& database, const usage_filter& filter, std::uint64_t before,
                                         std::uint32_t limit);

/// Metered rows with their corrections, likewise.
money_rows_page<correctable> list_correctable_rows(connection& database, const correction_filter& filter,
                                                   std::uint64_t before, std::uint32_t limit);
/// The highest number of a correction; 0: there is none.
std::uint64_t last_correction(connection& database);

/// Exact: integers added by SQLite, which refuses to overflow.
usage_total total_usage_rows(connection& database, const usage_filter& filter);
std::vector<charge_total> total_charge_rows(connection& database, const usage_filter& filter);  // by currency

}  // namespace westerly
