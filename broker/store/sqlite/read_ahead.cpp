#include "broker/store/sqlite/read_ahead.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace westerly {

namespace {

constexpr std::uint64_t piece_bytes = 4 << 20;
constexpr std::uint64_t gap_bytes_max = 128 << 10;

std::uint64_t half_of_memory() {
    const auto positive = [](long value) {
        return static_cast<std::uint64_t>(std::max(value, 0L));
    };
    return positive(::sysconf(_SC_PHYS_PAGES)) * positive(::sysconf(_SC_PAGESIZE)) / 2;
}

/// A stretch of the file: [from, to).
struct stretch {
    std::uint64_t from, to;
};

/// The leaves in the file's order, joined over what is quicker read than left out.
std::vector<stretch> stretches_of(int file, const std::vector<page_number>& roots) {
    std::vector<stretch> out;
    const std::uint64_t page_bytes = page_bytes_of(file);
    if (page_bytes == 0)
        return out;
    std::vector<page_number> pages;
    for (const page_number root : roots) {
        const auto more = leaves_of(file, static_cast<std::uint32_t>(page_bytes), root);
        pages.insert(pages.end(), more.begin(), more.end());
    }
    std::ranges::sort(pages);
    for (const std::uint64_t page : pages) {
        const std::uint64_t from = (page - 1) * page_bytes;
        if (out.empty() || from > out.back().to + gap_bytes_max || from - out.back().from >= piece_bytes)
            out.push_back({from, from});
        out.back().to = from + page_bytes;
    }
    return out;
}

void read_through(const std::stop_token& stop, int file, const std::vector<page_number>& roots) {
    std::uint64_t left = half_of_memory();
    for (const auto& [from, to] : stretches_of(file, roots)) {
        const std::uint64_t size = to - from;
        if (stop.stop_requested() || size > left)
            return;
        left -= size;
        if (::readahead(file, static_cast<off64_t>(from), size) != 0)  // into the cache, copied nowhere
            return;
        // One piece at a time: whoever reads the file meanwhile would wait behind all that was asked for.
        char last = 0;
        if (::pread(file, &last, 1, static_cast<off_t>(to - 1)) != 1)
            return;
    }
}

}  // namespace

read_ahead::read_ahead(const std::filesystem::path& file, std::vector<page_number> roots)
    : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
      thread_([at = file_, roots = std::move(roots)](const std::stop_token& stop) {
          if (at >= 0)
              read_through(stop, at, roots);
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
