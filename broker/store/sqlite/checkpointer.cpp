#include "broker/store/sqlite/checkpointer.hpp"

#include "broker/support/log.hpp"

#include <sqlite3.h>

namespace westerly {

checkpointer::checkpointer(const std::filesystem::path& file)
    : file_(file), thread_([this](const std::stop_token& stop) { work(stop); }) {}

checkpointer::~checkpointer() = default;

void checkpointer::begin() {
    {
        const std::lock_guard lock(mutex_);
        wanted_ = true;
    }
    changed_.notify_one();
}

bool checkpointer::idle() const {
    const std::lock_guard lock(mutex_);
    return !wanted_ && !under_way_;
}

void checkpointer::work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return wanted_; }) && !stop.stop_requested()) {
        wanted_ = false;
        under_way_ = true;
        lock.unlock();
        pass();
        lock.lock();
        under_way_ = false;
    }
}

void checkpointer::pass() {
    std::string why;
    try {
        if (!database_) {
            database_ = std::make_unique<connection>(file_, connection::access::read_write);
            database_->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
        }
        const int got =
            sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        if (got != SQLITE_OK && (got & 0xff) != SQLITE_BUSY)
            why = sqlite3_errmsg(database_->handle());
    } catch (const sqlite_failure& failed) {
        why = failed.what();
    }
    if (!why.empty())
        log_event(log_level::error, "store.checkpoint_failed", {{"file", file_.string()}, {"reason", why}});
}

}  // namespace westerly
