#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/domain/queries.hpp"

#include <filesystem>
#include <memory>
#include <span>

namespace westerly {

/// Where the truth lies. One writer thread calls `commit`; `load` and the rest before it starts or from any thread as
/// said. Errors: storage_failed (nothing may be assumed written: the store is poisoned and every later commit fails
/// the same way); conflict (another owner has raised the epoch).
class store {
public:
    virtual ~store() = default;

    /// Raises the epoch and gives everything that lives. Once, before the first commit.
    virtual result<stored_state> load(instant now) = 0;

    /// Writes the change sets in order in one transaction with one sync; returns once durable.
    virtual result<void> commit(std::span<const change_set> group) = 0;

    /// Committed state for readers, on connections of their own; thread-safe, lives as long as the store.
    virtual queries& readers() = 0;

    /// Sweeping is allowed again (after a restore). Durable on return.
    virtual result<void> confirm_sweep() = 0;

    /// Forgets what only decisions before `before` were made from, a piece at a time, so that commits need not wait
    /// long. Thread-safe.
    virtual result<void> forget_history(instant before) = 0;

    /// A consistent copy into a new file, while writing goes on. Thread-safe. Errors: conflict when the file exists.
    virtual result<void> backup(const std::filesystem::path& to) = 0;
};

struct sqlite_options {
    std::filesystem::path file;
    std::string machine_id;                // of this machine; another one than stored starts with sweeping off
    std::uint32_t checkpoint_pages = 256;  // of the log are moved into the file at a time: what a commit may wait for
    std::uint32_t log_pages_max = 12'000;  // then it begins anew, if need be with readers held back for a moment
};

/// Opens or creates the database, applies migrations of schema/sql. Errors: conflict when the database is newer than
/// this binary (names both versions) or another westerlyd has it open; storage_failed with path and reason.
result<std::unique_ptr<store>> open_sqlite_store(const sqlite_options& options);

/// Puts a backup in the place of `to` (which must not be in use), raises its generation and turns sweeping off, so that
/// nothing is ended for being unknown to the older records. What was there is kept as `to`.replaced. Errors: not_found,
/// conflict, storage_failed.
result<void> restore_sqlite(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace westerly
