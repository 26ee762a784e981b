#include "adapters/local/shim/log_pipe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace westerly {
namespace {

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;  // a full disk loses output, not the task
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

void close_once(int& fd) {
    if (fd >= 0)
        ::close(fd);
    fd = -1;
}

}  // namespace

log_pipe::~log_pipe() {
    close_once(in_);
    close_once(out_);
    close_once(file_);
}

bool log_pipe::open(const std::filesystem::path& file, std::uint64_t bytes_max) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return false;
    in_ = ends[0];
    out_ = ends[1];
    ::fcntl(in_, F_SETFL, O_NONBLOCK);
    file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat now {};
    if (file_ < 0 || ::fstat(file_, &now) != 0)
        return false;
    left_ = bytes_max - std::min<std::uint64_t>(bytes_max, static_cast<std::uint64_t>(now.st_size));
    return true;
}

void log_pipe::close_writing_end() {
    close_once(out_);
}

bool log_pipe::carry() {
    std::array<char, 65536> buffer;
    const auto got = ::read(in_, buffer.data(), buffer.size());
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        return false;
    const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(got)));
    write_all(file_, {buffer.data(), kept});
    left_ -= kept;
    if (kept < static_cast<std::size_t>(got) && !cut_) {
        cut_ = true;
        write_all(file_, "\n[westerly: output beyond the limit of this log is dropped]\n");
    }
    return true;
}

void log_pipe::finish() {
    close_writing_end();
    if (in_ >= 0) {
        ::fcntl(in_, F_SETFL, 0);
        while (carry()) {
        }
        close_once(in_);
    }
    if (file_ >= 0)
        ::fdatasync(file_);
}

}  // namespace westerly
