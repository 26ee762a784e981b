#pragma once

#include <filesystem>
#include <thread>

namespace westerly {

/// Brings a file into the page cache from its beginning on, on a thread of its own, until `stop`: what is read here and
/// there all over a file is read much sooner in one go. At most half of the machine's memory. A file that cannot be
/// read is left alone. It must outlive every SQLite connection to the file: closing any descriptor of a file gives up
/// all of a process's locks on it, those of SQLite too.
class read_ahead {
public:
    explicit read_ahead(const std::filesystem::path& file);
    ~read_ahead();
    read_ahead(const read_ahead&) = delete;
    read_ahead& operator=(const read_ahead&) = delete;

    void stop();

private:
    const int file_;
    std::jthread thread_;
};

}  // namespace westerly
