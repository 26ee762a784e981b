#include "broker/store/sqlite/sqlite_store.hpp"

#include "broker/store/sqlite/changes.hpp"
#include "broker/store/sqlite/copy.hpp"
#include "broker/store/sqlite/history_rows.hpp"
#include "broker/store/sqlite/migrate.hpp"
#include "broker/support/log.hpp"
#include "broker/support/random.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace westerly {

namespace {

/// How long readers may hold up the log's beginning anew.
constexpr milliseconds readers_patience{100};
constexpr std::uint32_t history_rows_at_once = 500;

void configure(connection& writer) {
    if (writer.scalar<std::string>("PRAGMA journal_mode = WAL") != "wal")
        throw sqlite_failure(SQLITE_IOERR, "the file system of the database cannot share memory, which WAL needs");
    writer.execute(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -32768");
}

/// The owner mark is made once; another machine's copy of the database must not end what the first one runs.
void settle_installation(connection& writer, const std::string& machine_id) {
    transaction all_or_nothing(writer, transaction::kind::write);
    random_source random(secure_seed());
    writer.run(
        "INSERT INTO installation (only_row, owner, generation, sweeping, machine_id, outbox_seq)"
        " VALUES (1, ?, 1, 1, ?, 0) ON CONFLICT DO NOTHING",
        owner_id::make(system_wall_clock().now(), random), machine_id);
    writer.run("UPDATE installation SET sweeping = 0, machine_id = ?1 WHERE machine_id <> ?1", machine_id);
    all_or_nothing.commit();
}

/// The trees that `load` reads: what lives lies scattered among all that ever was.
std::vector<page_number> roots_of_what_lives(connection& writer) {
    statement rows = writer.query(
        "SELECT rootpage FROM sqlite_schema WHERE name IN ('live', 'live_open', 'workloads', 'attempts_live',"
        " 'attempts_live_open', 'attempts', 'outbox', 'idempotency')");
    std::vector<page_number> out;
    while (rows.step())
        out.push_back(rows.take<page_number>());
    return out;
}

int keep_log_size(void* pages, sqlite3*, const char*, int now) {
    *static_cast<int*>(pages) = now;
    return SQLITE_OK;
}

}  // namespace

result<std::unique_ptr<store>> open_sqlite_store(const sqlite_options& options) {
    auto held = file_lock::take(options.file);
    if (!held)
        return held.error();
    return guarded([&]() -> result<std::unique_ptr<store>> {
        const bool made_now = !std::filesystem::exists(options.file);
        auto writer = std::make_unique<connection>(options.file, connection::access::create);
        if (auto known = check_schema(*writer, options.file); !known)
            return known.error();
        configure(*writer);
        migrate(*writer);
        settle_installation(*writer, options.machine_id);
        if (made_now)
            if (auto synced = sync_folder_of(options.file); !synced)
                return synced.error();
        return std::unique_ptr<store>(new sqlite_store(options, std::move(*held), std::move(writer)));
    });
}

sqlite_store::sqlite_store(const sqlite_options& options, file_lock held, std::unique_ptr<connection> writer)
    : options_(options),
      held_(std::move(held)),
      warm_(options_.file, roots_of_what_lives(*writer)),
      writer_(std::move(writer)),
      checkpoints_(options_.file),
      begin_anew_at_(static_cast<int>(options.log_pages_max)),
      pool_(options.file),
      readers_(pool_, writer_->scalar<std::uint64_t>("SELECT generation FROM installation")) {
    sqlite3_wal_hook(writer_->handle(), keep_log_size, &log_pages_);
}

sqlite_store::~sqlite_store() = default;

result<stored_state> sqlite_store::load(instant now) {
    const std::lock_guard lock(writing_);
    return guarded([&]() -> result<stored_state> {
        transaction all_or_nothing(*writer_, transaction::kind::write);
        writer_->run("UPDATE shards SET owner = ?, epoch = (SELECT max(epoch) + 1 FROM shards)", options_.machine_id);
        stored_state state = read_state(*writer_, *pool_.borrow(), now);
        all_or_nothing.commit();
        warm_.stop();
        return state;
    });
}

result<void> sqlite_store::commit(std::span<const change_set> group) {
    const std::lock_guard lock(writing_);
    if (poisoned_)
        return *poisoned_;
    if (std::ranges::all_of(group, [](const change_set& changes) { return changes.empty(); }))
        return {};
    try {
        transaction all_or_nothing(*writer_, transaction::kind::write);
        if (auto fresh = check_epochs(group); !fresh)
            return fresh.error();
        write_group(group);
        all_or_nothing.commit();
    } catch (const sqlite_failure& why) {
        poisoned_ = to_error(why);
        return *poisoned_;
    }
    checkpoint_when_due();
    return {};
}

result<void> sqlite_store::check_epochs(std::span<const change_set> group) {
    statement rows = writer_->query("SELECT min(epoch), max(epoch) FROM shards");
    if (!rows.step())
        throw_damaged("there are no shards");
    const auto least = rows.take<std::uint64_t>();
    const auto most = rows.take<std::uint64_t>();
    for (const change_set& changes : group)
        if (changes.epoch != least || changes.epoch != most)
            return fail(errc::conflict,
                        "these changes are of epoch " + std::to_string(changes.epoch) +
                            ", and the shards have gone on to epoch " + std::to_string(most),
                        "Another westerlyd has taken over: this one must end.");
    return {};
}

void sqlite_store::write_group(std::span<const change_set> group) {
    std::uint64_t outbox_seq = 0;
    for (const change_set& changes : group) {
        write_changes(*writer_, changes);
        for (const outbox_item& item : changes.outbox_new)
            outbox_seq = std::max(outbox_seq, item.seq);
    }
    if (outbox_seq != 0)
        writer_->run("UPDATE installation SET outbox_seq = max(outbox_seq, ?)", outbox_seq);
}

/// The commit stands whatever happens here: what a checkpoint could not move stays in the log.
void sqlite_store::checkpoint_when_due() {
    const int every = static_cast<int>(options_.checkpoint_pages);
    if (log_pages_ < checkpointed_at_) {  // the log has begun anew
        checkpointed_at_ = 0;
        begin_anew_at_ = static_cast<int>(options_.log_pages_max);
    }
    if (checkpointed_at_ >= begin_anew_at_) {
        if (checkpoints_.idle())
            begin_log_anew();  // just after a pass, which has left little to move
    } else if (log_pages_ - checkpointed_at_ >= every) {
        checkpointed_at_ = log_pages_;
        checkpoints_.begin();
    }
}

void sqlite_store::begin_log_anew() {
    begin_anew_at_ = log_pages_ + static_cast<int>(options_.log_pages_max);
    const reader_pool::pause quiet(pool_, readers_patience);
    if (!quiet)
        return;
    sqlite3_busy_timeout(writer_->handle(), 0);  // a backup may read for long: then the next time
    sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    sqlite3_busy_timeout(writer_->handle(), connection::busy_wait_ms);
}

result<void> sqlite_store::confirm_sweep() {
    const std::lock_guard lock(writing_);
    if (poisoned_)
        return *poisoned_;
    try {
        writer_->run("UPDATE installation SET sweeping = 1");
        return {};
    } catch (const sqlite_failure& why) {
        poisoned_ = to_error(why);
        return *poisoned_;
    }
}

result<void> sqlite_store::forget_history(instant before) {
    for (bool more = true; more;) {
        const std::lock_guard lock(writing_);
        if (poisoned_)
            return *poisoned_;
        try {
            transaction all_or_nothing(*writer_, transaction::kind::write);
            more = westerly::forget_history(*writer_, before, history_rows_at_once);
            all_or_nothing.commit();
        } catch (const sqlite_failure& why) {
            poisoned_ = to_error(why);
            return *poisoned_;
        }
        checkpoint_when_due();
    }
    return {};
}

result<void> sqlite_store::backup(const std::filesystem::path& to) {
    return guarded([&]() -> result<void> {
        if (std::filesystem::exists(std::filesystem::symlink_status(to)))
            return fail(errc::conflict, to.string() + " exists", "Name a file that does not exist yet.");
        connection source(options_.file, connection::access::read_only);
        const std::filesystem::path partial = to.string() + ".partial";
        // A copy that somebody puts in place by hand, past restore, must not end what it does not know either.
        const auto copied =
            copy_database(source, partial, [](connection& copy) { copy.run("UPDATE installation SET sweeping = 0"); });
        if (!copied)
            return copied.error();
        auto moved = move_file(partial, to, false);
        std::error_code ignored;
        std::filesystem::remove(partial, ignored);
        return moved;
    });
}

}  // namespace westerly
