#include "adapters/sdk/output_files.hpp"

#include "broker/support/bytes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

constexpr std::size_t piece_bytes = 512 << 10;
constexpr std::size_t entries_max = 10'000;
constexpr std::size_t listing_bytes_max = 700 << 10;  // of names and numbers; escapes and keys fit besides
constexpr int depth_max = 64;

int open_below(int folder, const char* path) {
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    return static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
}

/// Takes `folder` over.
void walk(int folder, const std::string& prefix, int depth, std::size_t& bytes, fetch_reply& reply) {
    DIR* dir = ::fdopendir(folder);
    if (dir == nullptr) {
        ::close(folder);
        return;
    }
    while (const dirent* entry = ::readdir(dir)) {
        const std::string name = entry->d_name;
        const std::string path = prefix.empty() ? name : prefix + '/' + name;
        struct stat seen {};
        if (name == "." || name == ".." || !is_utf8(path) ||
            ::fstatat(::dirfd(dir), name.c_str(), &seen, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(seen.st_mode)) {
            const int inner = depth < depth_max ? ::openat(::dirfd(dir), name.c_str(),
                                                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                                : -1;
            reply.truncated = reply.truncated || inner < 0;
            if (inner >= 0)
                walk(inner, path, depth + 1, bytes, reply);
        } else if (S_ISREG(seen.st_mode)) {
            bytes += path.size() + 48;
            if (reply.entries.size() >= entries_max || bytes > listing_bytes_max) {
                reply.truncated = true;
                break;
            }
            reply.entries.push_back({path, static_cast<std::uint64_t>(seen.st_size)});
        }
    }
    ::closedir(dir);
}

rpc_failure file_failure(int number) {
    if (number == ENOENT || number == ENOTDIR)
        return failed(adapter_error::not_found, "no such file");
    if (number == EXDEV || number == ELOOP || number == EACCES)
        return failed(adapter_error::invalid, "the path leads out of the output directory");
    return failed(adapter_error::unavailable, std::string("the file cannot be read: ") + std::strerror(number));
}

}  // namespace

int open_output(const std::filesystem::path& output, const std::string& path) {
    const int folder = ::open(output.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return -1;
    const int fd = open_below(folder, path.empty() ? "." : path.c_str());
    const int number = errno;
    ::close(folder);
    errno = number;
    return fd;
}

std::optional<byte_piece> read_piece(int fd, std::uint64_t from, bool ended) {
    struct stat seen {};
    if (::fstat(fd, &seen) != 0)
        return std::nullopt;
    const auto size = static_cast<std::uint64_t>(seen.st_size);
    byte_piece piece;
    piece.from = from;
    piece.bytes.resize(from < size ? static_cast<std::size_t>(std::min<std::uint64_t>(size - from, piece_bytes)) : 0);
    std::size_t done = 0;
    while (done < piece.bytes.size()) {
        const auto got =
            ::pread(fd, piece.bytes.data() + done, piece.bytes.size() - done, static_cast<off_t>(from + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return std::nullopt;
        if (got == 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    piece.bytes.resize(done);
    piece.next = from + done;
    piece.complete = ended && piece.next >= size;
    return piece;
}

verb_result<fetch_reply> fetch_output(const std::filesystem::path& output, const std::string& path, std::uint64_t from,
                                      bool ended) {
    const int fd = open_output(output, path);
    if (fd < 0)
        return file_failure(errno);
    fetch_reply reply;
    struct stat seen {};
    if (::fstat(fd, &seen) == 0 && S_ISDIR(seen.st_mode)) {
        reply.directory = true;
        list_output(fd, path, reply);
        return reply;
    }
    if (!S_ISREG(seen.st_mode)) {
        ::close(fd);
        return failed(adapter_error::invalid, "it is neither a file nor a directory");
    }
    reply.piece = read_piece(fd, from, ended);
    const int number = errno;
    ::close(fd);
    return reply.piece ? verb_result<fetch_reply>(std::move(reply)) : verb_result<fetch_reply>(file_failure(number));
}

verb_result<byte_piece> log_piece(const std::filesystem::path& folder, const std::string& path, std::uint64_t from,
                                  bool ended) {
    const int fd = open_output(folder, path);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return byte_piece{from, from, {}, ended};
    if (fd < 0)
        return file_failure(errno);
    auto piece = read_piece(fd, from, ended);
    const int number = errno;
    ::close(fd);
    return piece ? verb_result<byte_piece>(std::move(*piece)) : verb_result<byte_piece>(file_failure(number));
}

verb_result<mutation_reply> put_piece(const std::filesystem::path& file, const put_params& piece) {
    if (piece.from + piece.bytes.size() > bundle_bytes_max)
        return failed(adapter_error::quota_exceeded, "the files of a workload are limited to 16 MiB");
    const int fd =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (piece.from == 0 ? O_TRUNC : 0), 0600);
    struct stat seen {};
    if (fd < 0 || ::fstat(fd, &seen) != 0)
        return failed(adapter_error::unavailable, std::string("the files cannot be kept: ") + std::strerror(errno));
    const bool gap = static_cast<std::uint64_t>(seen.st_size) < piece.from;
    std::size_t done = 0;
    while (!gap && done < piece.bytes.size()) {
        const auto wrote =
            ::pwrite(fd, piece.bytes.data() + done, piece.bytes.size() - done, static_cast<off_t>(piece.from + done));
        if (wrote <= 0 && errno != EINTR)
            break;
        done += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
    ::close(fd);
    if (gap)
        return failed(adapter_error::invalid, "pieces must follow each other; begin at 0 again");
    if (done < piece.bytes.size())
        return failed(adapter_error::unavailable, "the disk does not take the files");
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    return reply;
}

void list_output(int folder, const std::string& path, fetch_reply& reply) {
    std::size_t bytes = 0;
    std::string prefix = std::filesystem::path(path).lexically_normal().string();
    while (prefix.ends_with('/'))
        prefix.pop_back();
    walk(folder, prefix == "." ? "" : prefix, 0, bytes, reply);
    std::ranges::sort(reply.entries, {}, &file_entry::path);
}

}  // namespace westerly
