#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

// What feeds told of signals and what libraries of terms said: the rest of what decisions were made from.

void put_signals(connection& database, const signal_entry& entry);
void put_terms(connection& database, const terms_entry& entry);
/// The highest number of both; 0: there are none.
std::uint64_t last_signal_seq(connection& database);

/// What each feed told at entry `seq`, of what was told after entry `began`. Throws for rows whose bytes are not those
/// that were written.
std::vector<std::pair<std::string, signal_list>> signals_at(connection& database, std::uint64_t began,
                                                            std::uint64_t seq);
/// nullopt: it is no longer kept, or never was. Throws as signals_at.
std::optional<std::vector<foreign_column>> terms_said_at(connection& database, std::uint64_t seq);

/// As forget_history, after it.
bool forget_signals(connection& database, instant before, std::uint32_t rows_max);

}  // namespace westerly
