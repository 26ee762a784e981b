#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/store/sqlite/connection.hpp"

namespace westerly {

/// Writes one change set inside the caller's transaction, in the order of its fields. Throws sqlite_failure.
void write_changes(connection& database, const change_set& changes);

/// Everything that lives, with the epoch as it stands now. Idempotency records younger than 24 h at `now`. Another
/// connection reads beside this one, on a thread of its own: nobody may change attempts or workloads meanwhile.
stored_state read_state(connection& database, connection& beside, instant now);

}  // namespace westerly
