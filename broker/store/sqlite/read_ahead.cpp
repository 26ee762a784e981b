#include "broker/store/sqlite/read_ahead.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace westerly {

namespace {

constexpr std::uint64_t piece_bytes = 4 << 20;

std::uint64_t half_of_memory() {
    const auto positive = [](long value) {
        return static_cast<std::uint64_t>(std::max(value, 0L));
    };
    return positive(::sysconf(_SC_PHYS_PAGES)) * positive(::sysconf(_SC_PAGESIZE)) / 2;
}

void read_through(const std::stop_token& stop, int file) {
    struct stat about {};
    if (::fstat(file, &about) != 0)
        return;
    const auto end = std::min(static_cast<std::uint64_t>(about.st_size), half_of_memory());
    for (std::uint64_t at = 0; at < end && !stop.stop_requested(); at += piece_bytes) {
        if (::readahead(file, static_cast<off64_t>(at), piece_bytes) != 0)  // into the cache, copied nowhere
            return;
        // One piece at a time: whoever reads the file meanwhile would wait behind all that was asked for.
        char last = 0;
        if (::pread(file, &last, 1, static_cast<off_t>(std::min(at + piece_bytes, end) - 1)) != 1)
            return;
    }
}

}  // namespace

read_ahead::read_ahead(const std::filesystem::path& file)
    : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)), thread_([at = file_](const std::stop_token& stop) {
          if (at >= 0)
              read_through(stop, at);
      }) {}

read_ahead::~read_ahead() {
    stop();
    if (file_ >= 0)
        ::close(file_);
}

void read_ahead::stop() {
    thread_.request_stop();
    if (thread_.joinable())
        thread_.join();
}

}  // namespace westerly
