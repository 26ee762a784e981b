#pragma once

#include "broker/store/sqlite/tree_pages.hpp"

#include <filesystem>
#include <thread>

namespace westerly {

/// Brings the trees of a database file that begin at `roots` into the page cache, on a thread of its own until `stop`:
/// what is read here and there all over a file is read much sooner in its order, and with whatever lies between where
/// that is little. At most half of the machine's memory. A file that cannot be read is left alone. It must outlive
/// every SQLite connection to the file: closing any descriptor of a file gives up all of a process's locks on it, those
/// of SQLite too.
class read_ahead {
public:
    read_ahead(const std::filesystem::path& file, std::vector<page_number> roots);
    ~read_ahead();
    read_ahead(const read_ahead&) = delete;
    read_ahead& operator=(const read_ahead&) = delete;

    void stop();

private:
    const int file_;
    std::jthread thread_;
};

}  // namespace westerly
