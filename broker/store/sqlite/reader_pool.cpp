#include "broker/store/sqlite/reader_pool.hpp"

namespace westerly {

namespace {

std::unique_ptr<connection> open_reader(const std::filesystem::path& file) {
    auto database = std::make_unique<connection>(file, connection::access::read_only);
    database->execute(
        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
        "PRAGMA cache_size = -8192");
    return database;
}

}  // namespace

reader_pool::borrowed::~borrowed() {
    if (database_)
        pool_->give_back(std::move(database_));
}

reader_pool::borrowed reader_pool::borrow() {
    std::unique_ptr<connection> database;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !paused_ && in_use_ < connections_max; });
        ++in_use_;
        if (!free_.empty()) {
            database = std::move(free_.back());
            free_.pop_back();
        }
    }
    try {
        if (!database)
            database = open_reader(file_);
    } catch (...) {
        give_back(nullptr);
        throw;
    }
    return {*this, std::move(database)};
}

void reader_pool::give_back(std::unique_ptr<connection> database) {
    bool awaited = false;
    {
        const std::lock_guard lock(mutex_);
        awaited = paused_ || in_use_ == connections_max;
        --in_use_;
        if (database)
            free_.push_back(std::move(database));
    }
    if (awaited)
        changed_.notify_all();
}

reader_pool::pause::pause(reader_pool& pool, milliseconds patience) : pool_(pool) {
    std::unique_lock lock(pool_.mutex_);
    pool_.paused_ = true;
    quiet_ = pool_.changed_.wait_for(lock, patience, [&] { return pool_.in_use_ == 0; });
}

reader_pool::pause::~pause() {
    {
        const std::lock_guard lock(pool_.mutex_);
        pool_.paused_ = false;
    }
    pool_.changed_.notify_all();
}

}  // namespace westerly
