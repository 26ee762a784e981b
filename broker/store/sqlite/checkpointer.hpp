#pragma once

#include "broker/store/sqlite/connection.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace westerly {

/// Moves the write-ahead log into the database on a thread and a connection of its own, beside commits and reads, which
/// do not wait for it: a pass writes some thousand pages and syncs them. It never makes the log begin anew, which only
/// the writer can. What fails is logged, stays in the log and is tried again with the next pass. Thread-safe. At its
/// end a pass under way is finished.
class checkpointer {
public:
    explicit checkpointer(const std::filesystem::path& file);
    ~checkpointer();
    checkpointer(const checkpointer&) = delete;
    checkpointer& operator=(const checkpointer&) = delete;

    /// Asks for a pass; one that is under way is followed by another.
    void begin();
    /// Whether all that was asked for is done, whatever came of it.
    bool idle() const;

private:
    void work(const std::stop_token& stop);
    void pass();

    const std::filesystem::path file_;
    std::unique_ptr<connection> database_;  // from the first pass on
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    bool wanted_ = false, under_way_ = false;
    std::jthread thread_;
};

}  // namespace westerly
