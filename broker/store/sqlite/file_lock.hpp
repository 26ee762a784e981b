#pragma once

#include "broker/support/result.hpp"

#include <filesystem>

namespace westerly {

/// Holds a database for one westerlyd, by a lock on `FILE.lock` beside it: SQLite's own locks would shut out our
/// readers too. The kernel frees it when the process ends, however it ends; the empty file stays.
class file_lock {
public:
    /// Errors: conflict when another holds it; storage_failed.
    static result<file_lock> take(const std::filesystem::path& database);
    file_lock(file_lock&& other) noexcept;
    file_lock& operator=(file_lock&&) = delete;
    ~file_lock();

private:
    explicit file_lock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace westerly
