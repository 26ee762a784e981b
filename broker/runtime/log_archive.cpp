#include "broker/runtime/log_archive.hpp"

#include "broker/support/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t stream_bytes_min = 4096;  // even in the largest gang
constexpr std::size_t piece_bytes = 512 * 1024;

constexpr std::size_t synced_singly_max = 4;  // more are synced sooner with all else that the disk's system holds

bool with_open(const fs::path& path, int (*what)(int)) {
    const int at = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = at >= 0 && what(at) == 0;
    if (at >= 0)
        ::close(at);
    return done;
}
bool sync_one(const fs::path& path) {
    return with_open(path, ::fsync);
}
bool sync_all_of(const fs::path& path) {
    return with_open(path, ::syncfs);
}

error cannot(const char* what, const fs::path& path) {
    return fail(errc::storage_failed, std::string("cannot ") + what + " " + path.string(),
                "see that the disk has room and the directory belongs to the broker's user");
}

}  // namespace

log_archive::log_archive(fs::path dir, std::size_t bytes_per_attempt)
    : dir_(std::move(dir)), bytes_per_attempt_(bytes_per_attempt) {}

fs::path log_archive::folder(const attempt_id& attempt) const {
    return dir_ / to_string(attempt);
}

fs::path log_archive::file(const attempt_id& attempt, std::uint32_t rank, bool error_stream) const {
    return folder(attempt) / (std::to_string(rank) + (error_stream ? ".err" : ".out"));
}

void log_archive::begin(const attempt_id& attempt, std::uint32_t tasks) {
    const std::lock_guard lock(mutex_);
    const auto streams = 2 * std::max<std::size_t>(tasks, 1);
    open_[attempt] = {.half = std::max(stream_bytes_min, bytes_per_attempt_ / streams) / 2, .streams = {}};
}

result<void> log_archive::keep(const attempt_id& attempt, std::uint32_t rank, bool error_stream, std::uint64_t from,
                               std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    auto& archive = open_[attempt];
    auto& kept = archive.streams[{rank, error_stream}];
    if (from == 0)  // also when a failed reading begins anew
        kept = {};
    std::error_code ignored;
    fs::create_directories(folder(attempt), ignored);
    const auto path = file(attempt, rank, error_stream);
    std::ofstream out(path, std::ios::binary | (from == 0 ? std::ios::trunc : std::ios::app));
    const auto head = std::min<std::uint64_t>(bytes.size(), archive.half - kept.head_bytes);
    out.write(bytes.data(), static_cast<std::streamsize>(head));
    if (!out.flush())
        return cannot("write", path);
    kept.head_bytes += head;
    kept.seen += bytes.size();
    kept.tail.append(bytes.substr(head));
    if (kept.tail.size() > 2 * archive.half)  // trimmed rarely, so that each byte moves about once
        kept.tail.erase(0, kept.tail.size() - archive.half);
    return {};
}

result<bool> log_archive::finish(const attempt_id& attempt) {
    const std::lock_guard lock(mutex_);
    std::error_code ignored;
    fs::create_directories(folder(attempt), ignored);
    auto& archive = open_[attempt];
    for (auto& [which, kept] : archive.streams) {
        if (kept.tail.empty())
            continue;
        if (kept.tail.size() > archive.half)
            kept.tail.erase(0, kept.tail.size() - archive.half);
        const auto left_out = kept.seen - kept.head_bytes - kept.tail.size();
        const auto path = file(attempt, which.first, which.second);
        std::ofstream out(path, std::ios::binary | std::ios::app);
        if (left_out > 0)
            out << "\n[" << left_out << " bytes left out]\n";
        if (!out.write(kept.tail.data(), static_cast<std::streamsize>(kept.tail.size())).flush())
            return cannot("write", path);
    }
    const bool empty = std::ranges::all_of(archive.streams, [](const auto& one) { return one.second.seen == 0; });
    open_.erase(attempt);
    const auto mark = folder(attempt) / "complete";
    if (!std::ofstream(mark).flush())
        return cannot("write", mark);
    return !empty;
}

result<void> log_archive::sync(std::span<const attempt_id> finished) const {
    if (finished.size() > synced_singly_max)
        return sync_all_of(dir_) ? result<void>() : cannot("sync", dir_);
    for (const attempt_id& attempt : finished) {
        std::error_code failed;
        for (const auto& entry : fs::directory_iterator(folder(attempt), failed))
            if (!sync_one(entry.path()))
                return cannot("sync", entry.path());
        if (failed || !sync_one(folder(attempt)))
            return cannot("sync", folder(attempt));
    }
    return sync_one(dir_) ? result<void>() : cannot("sync", dir_);
}

bool log_archive::has(const attempt_id& attempt) const {
    std::error_code ignored;
    return fs::exists(folder(attempt) / "complete", ignored);
}

result<byte_piece> log_archive::read(const attempt_id& attempt, std::uint32_t rank, bool error_stream,
                                     std::uint64_t from) const {
    byte_piece piece{.from = from, .next = from, .bytes = {}, .complete = true};
    std::ifstream in(file(attempt, rank, error_stream), std::ios::binary);
    if (!in)
        return has(attempt) ? result<byte_piece>(piece) : fail(errc::not_found, "no log is kept of this attempt");
    in.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(in.tellg());
    if (from >= size)
        return piece;
    piece.bytes.resize(std::min<std::uint64_t>(piece_bytes, size - from));
    in.seekg(static_cast<std::streamoff>(from));
    in.read(piece.bytes.data(), static_cast<std::streamsize>(piece.bytes.size()));
    piece.bytes.resize(static_cast<std::size_t>(in.gcount()));
    piece.next = from + piece.bytes.size();
    piece.complete = piece.next >= size;
    return piece;
}

void log_archive::purge(instant oldest) const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(dir_, ignored)) {
        const auto id = attempt_id::parse(entry.path().filename().string());
        const auto marker = entry.path() / "complete";
        std::error_code failed;
        const auto written = fs::last_write_time(marker, failed);
        if (!id || failed)
            continue;
        const auto age = fs::file_time_type::clock::now() - written;
        if (system_wall_clock().now() - std::chrono::duration_cast<milliseconds>(age) < oldest)
            fs::remove_all(entry.path(), ignored);
    }
}

}  // namespace westerly
