#pragma once

#include "broker/store/sqlite/checkpointer.hpp"
#include "broker/store/sqlite/file_lock.hpp"
#include "broker/store/sqlite/read_ahead.hpp"
#include "broker/store/sqlite/readers.hpp"
#include "broker/store/store.hpp"

#include <mutex>

namespace westerly {

/// The store in one SQLite file: WAL, synchronous=FULL, one connection that writes.
class sqlite_store final : public store {
public:
    /// `writer` is configured, migrated and has an installation row. Use open_sqlite_store.
    sqlite_store(const sqlite_options& options, file_lock held, std::unique_ptr<connection> writer);
    ~sqlite_store() override;

    result<stored_state> load(instant now) override;
    result<void> commit(std::span<const change_set> group) override;
    queries& readers() override { return readers_; }
    result<void> confirm_sweep() override;
    result<void> forget_history(instant before) override;
    result<void> backup(const std::filesystem::path& to) override;

private:
    result<void> check_epochs(std::span<const change_set> group);
    void write_group(std::span<const change_set> group);
    void checkpoint_when_due();
    void begin_log_anew();

    const sqlite_options options_;
    const file_lock held_;
    read_ahead warm_;     // until `load` is done
    std::mutex writing_;  // the writer thread's, but for confirm_sweep
    std::unique_ptr<connection> writer_;
    std::optional<error> poisoned_;
    checkpointer checkpoints_;
    int log_pages_ = 0;        // in the write-ahead log after the last commit
    int checkpointed_at_ = 0;  // log_pages_ when the last checkpoint was asked for
    int begin_anew_at_ = 0;    // pages at which readers are held back so that the log can begin anew
    reader_pool pool_;
    sqlite_readers readers_;
};

}  // namespace westerly
