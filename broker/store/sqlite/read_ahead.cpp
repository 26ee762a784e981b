#include "broker/store/sqlite/read_ahead.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace westerly {

namespace {

constexpr std::size_t piece_bytes = 1 << 20;

std::uint64_t half_of_memory() {
    const auto positive = [](long value) {
        return static_cast<std::uint64_t>(std::max(value, 0L));
    };
    return positive(::sysconf(_SC_PHYS_PAGES)) * positive(::sysconf(_SC_PAGESIZE)) / 2;
}

void read_through(const std::stop_token& stop, int file) {
    std::vector<char> room(piece_bytes);
    for (auto left = half_of_memory(); !stop.stop_requested() && left >= piece_bytes; left -= piece_bytes)
        if (::read(file, room.data(), room.size()) <= 0)
            return;
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
