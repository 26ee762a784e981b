#pragma once

#include <cstdint>
#include <filesystem>

namespace westerly {

/// Carries one of a task's output streams into a file of bounded size: past the bound the file says so once, and the
/// rest is read and dropped, so that the task never blocks or dies of its own talk.
class log_pipe {
public:
    log_pipe() = default;
    ~log_pipe();
    log_pipe(const log_pipe&) = delete;
    log_pipe& operator=(const log_pipe&) = delete;

    bool open(const std::filesystem::path& file, std::uint64_t bytes_max);
    int reading_end() const noexcept { return in_; }
    int writing_end() const noexcept { return out_; }
    void close_writing_end();
    /// Moves what waits. False at the end of the stream.
    bool carry();
    /// All that is left, and onto the disk.
    void finish();

private:
    int in_ = -1;
    int out_ = -1;
    int file_ = -1;
    std::uint64_t left_ = 0;
    bool cut_ = false;
};

}  // namespace westerly
