#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

// What decisions were made from: the offer book's history, policy texts, and the basis of each decision.

void put_history(connection& database, const history_entry& entry);
void put_policy_text(connection& database, const policy_text& text);
/// The highest number of all that is kept for replays.
std::uint64_t last_history_seq(connection& database);

std::optional<policy_text> find_policy_text(connection& database, const std::string& name, const std::string& version);
/// All offers, signals and regions as they were at that entry; nullopt: it is no longer kept, or never was. Throws for
/// rows whose bytes are not those that were written.
std::optional<market_past> market_at(connection& database, std::uint64_t seq);
/// As queries::history_of.
std::vector<offer_past> history_of(connection& database, const offer_id& id, instant from, instant until);

/// Forgets what only decisions before `before` were made from: at most so many rows, so that commits need not wait
/// long. True when there is more.
bool forget_history(connection& database, instant before, std::uint32_t rows_max);

}  // namespace westerly
