#pragma once

#include "broker/support/result.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace westerly {

/// Reads lines from a descriptor. One thread.
class line_reader {
public:
    line_reader(int fd, std::size_t line_max) : fd_(fd), line_max_(line_max) {}
    /// The next line without its newline; nullopt at the end of the stream. The view lives until the next call.
    /// Errors: too_large; invalid when the stream ends inside a line or cannot be read.
    result<std::optional<std::string_view>> next();

private:
    int fd_;
    std::size_t line_max_;
    std::string buffer_;
    std::size_t start_ = 0;    // of what was not given out yet
    std::size_t scanned_ = 0;  // no newline before this
};

/// Writes whole lines to a descriptor, one at a time. Thread-safe.
class line_writer {
public:
    explicit line_writer(int fd) : fd_(fd) {}
    /// False: the reader is gone, for good.
    bool send(std::string line);

private:
    std::mutex lock_;
    int fd_;
    bool broken_ = false;
};

}  // namespace westerly
