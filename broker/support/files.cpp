#include "broker/support/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace westerly {
namespace {

class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(); }
    int get() const noexcept { return fd_; }
    bool open() const noexcept { return fd_ >= 0; }
    /// Linux has closed the descriptor even where close() reports EINTR.
    bool close() noexcept {
        const int fd = fd_;
        fd_ = -1;
        return fd < 0 || ::close(fd) == 0 || errno == EINTR;
    }

private:
    int fd_;
};

error storage_error(const std::filesystem::path& path, std::string_view doing, int number) {
    return fail(errc::storage_failed,
                std::string("cannot ") + std::string(doing) + " " + path.string() + ": " +
                    std::system_category().message(number),
                "check that the path exists, its permissions and the free space");
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ::ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

bool sync_folder(const std::filesystem::path& folder) {
    const descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd.open() && ::fsync(fd.get()) == 0;
}

}  // namespace

result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
    const descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.open()) {
        const int why = errno;
        if (why == ENOENT || why == ENOTDIR)
            return fail(errc::not_found, path.string() + " does not exist");
        return storage_error(path, "read", why);
    }
    std::string text;
    std::array<char, 65536> piece;
    for (;;) {
        const ::ssize_t got = ::read(fd.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return storage_error(path, "read", errno);
        if (got == 0)
            return text;
        if (static_cast<std::size_t>(got) > bytes_max - text.size())
            return fail(errc::too_large, path.string() + " is larger than " + std::to_string(bytes_max) + " bytes");
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

result<std::vector<std::filesystem::directory_entry>> list_folder(const std::filesystem::path& folder) {
    std::vector<std::filesystem::directory_entry> entries;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
        entries.push_back(*at);
    if (failed && failed != std::errc::no_such_file_or_directory)
        return fail(errc::invalid, "cannot be read as a folder: " + failed.message(),
                    "make it a folder that the broker's user may read, or move it away");
    return entries;
}

result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text, unsigned mode) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    std::string temporary = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
    descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd.open())
        return storage_error(path, "write", errno);
    const bool written = write_all(fd.get(), text) && ::fchmod(fd.get(), static_cast<::mode_t>(mode)) == 0 &&
                         ::fsync(fd.get()) == 0 && fd.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
    if (!written) {
        const int why = errno;
        ::unlink(temporary.c_str());
        return storage_error(path, "write", why);
    }
    if (!sync_folder(folder))
        return storage_error(folder, "sync", errno);
    return {};
}

}  // namespace westerly
