#include "broker/store/sqlite/copy.hpp"
#include "broker/store/sqlite/file_lock.hpp"
#include "broker/store/sqlite/migrate.hpp"
#include "broker/store/store.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// How far a restore moves the epoch on. The older records do not know which fences were given out after the backup;
/// a million starts later they surely lie behind.
constexpr std::uint64_t epoch_step = 1 << 20;

struct counters {
    std::uint64_t generation = 0;
    std::uint64_t epoch = 0;
};

counters read_counters(connection& database) {
    return {database.scalar<std::uint64_t>("SELECT generation FROM installation"),
            database.scalar<std::uint64_t>("SELECT max(epoch) FROM shards")};
}

/// Of the database that will be replaced. One that cannot be read is no hindrance: it may be why somebody restores.
counters counters_of_old(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file))
        return {};
    try {
        connection old(file, connection::access::read_write);
        return read_counters(old);
    } catch (const sqlite_failure&) {
        return {};
    }
}

result<void> check_backup(connection& backup, const std::filesystem::path& from) {
    if (auto known = check_schema(backup, from); !known)
        return known.error();
    if (backup.scalar<std::int64_t>("PRAGMA user_version") == 0)
        return fail(errc::conflict, from.string() + " is no backup of a Westerly database",
                    "Name a file that `westerly backup` has made.");
    const auto found = backup.scalar<std::string>("PRAGMA quick_check(1)");
    if (found != "ok")
        return fail(errc::storage_failed, from.string() + " is damaged: " + found, "Restore another backup.");
    return {};
}

/// The database that is replaced goes aside as FILE.replaced with its log, in the place of an earlier one: who restored
/// by mistake can go back. A log left behind must never be read into the new database.
result<void> keep_replaced(const std::filesystem::path& file) {
    const std::string aside = file.string() + ".replaced";
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        std::filesystem::remove(aside + suffix);
        if (std::filesystem::exists(file.string() + suffix))
            if (auto moved = move_file(file.string() + suffix, aside + suffix, true); !moved)
                return moved;
    }
    return {};
}

}  // namespace

result<void> restore_sqlite(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code none;
    if (!std::filesystem::is_regular_file(from, none))
        return fail(errc::not_found, from.string() + " does not exist", "Name a file that `westerly backup` has made.");
    if (std::filesystem::equivalent(from, to, none))
        return fail(errc::conflict, from.string() + " is the database itself", "Name a backup.");
    const auto held = file_lock::take(to);
    if (!held)
        return held.error();
    const std::filesystem::path partial = to.string() + ".restoring";
    try {
        connection backup(from, connection::access::read_only);
        if (auto good = check_backup(backup, from); !good)
            return good.error();
        const counters old = counters_of_old(to);
        const counters stored = read_counters(backup);
        std::filesystem::remove(partial);  // of an interrupted restore: the lock says that none runs
        const auto copied = copy_database(backup, partial, [&](connection& copy) {
            copy.run("UPDATE installation SET generation = ?, sweeping = 0",
                     std::max(old.generation, stored.generation) + 1);
            copy.run("UPDATE shards SET epoch = ?", std::max(old.epoch, stored.epoch) + epoch_step);
        });
        if (!copied)
            return copied.error();
        if (auto kept = keep_replaced(to); !kept)
            return kept.error();
        return move_file(partial, to, true);
    } catch (const sqlite_failure& why) {
        return to_error(why);
    } catch (const std::filesystem::filesystem_error& why) {
        return fail(errc::storage_failed, why.what(), "Check that the folder exists and may be written by this user.");
    }
}

}  // namespace westerly
