#pragma once

#include "broker/store/sqlite/connection.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace westerly {

/// Read-only connections, made when first needed and then kept with their prepared statements. Thread-safe: who finds
/// none free waits for one; waiters are no more than the threads that read.
class reader_pool {
public:
    static constexpr std::size_t connections_max = 8;

    explicit reader_pool(std::filesystem::path file) : file_(std::move(file)) {}

    /// A connection for the time of one read. Throws sqlite_failure when none can be opened.
    class borrowed {
    public:
        borrowed(reader_pool& pool, std::unique_ptr<connection> database)
            : pool_(&pool), database_(std::move(database)) {}
        borrowed(borrowed&&) = default;
        borrowed& operator=(borrowed&&) = delete;
        ~borrowed();
        connection& operator*() const { return *database_; }

    private:
        reader_pool* pool_;
        std::unique_ptr<connection> database_;
    };
    borrowed borrow();

    /// While it lives no reader reads, so that the log of changes can begin anew. Waits for those that read now, up to
    /// `patience`; false when they did not end in time.
    class pause {
    public:
        pause(reader_pool& pool, milliseconds patience);
        pause(const pause&) = delete;
        pause& operator=(const pause&) = delete;
        ~pause();
        explicit operator bool() const { return quiet_; }

    private:
        reader_pool& pool_;
        bool quiet_;
    };

private:
    void give_back(std::unique_ptr<connection> database);

    const std::filesystem::path file_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<connection>> free_;
    std::size_t in_use_ = 0;
    bool paused_ = false;
};

}  // namespace westerly
