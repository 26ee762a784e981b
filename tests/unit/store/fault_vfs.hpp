#pragma once

#include <atomic>
#include <cstdint>

namespace westerly::test {

/// A file system under SQLite that fails on demand and counts. Becomes the default one while it lives; one at a time.
class fault_vfs {
public:
    fault_vfs();
    fault_vfs(const fault_vfs&) = delete;
    fault_vfs& operator=(const fault_vfs&) = delete;
    ~fault_vfs();

    struct faults {
        std::atomic<std::int64_t> bytes_left = INT64_MAX;  // then the disk is full
        std::atomic<bool> syncs_fail = false;
        std::atomic<std::int64_t> log_bytes_written = 0;  // to the write-ahead log
        std::atomic<std::int64_t> log_bytes_unsynced = 0;
        std::atomic<std::int64_t> log_syncs = 0;
    };
    static faults& now();
};

}  // namespace westerly::test
