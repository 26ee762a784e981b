#include "broker/store/sqlite/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace westerly {

result<file_lock> file_lock::take(const std::filesystem::path& database) {
    const std::string path = database.string() + ".lock";
    const int descriptor = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fail(errc::storage_failed, path + ": " + std::generic_category().message(errno),
                    "Check that the folder exists and that westerlyd's user may write in it.");
    file_lock held(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return held;
    if (errno == EWOULDBLOCK)
        return fail(errc::conflict, database.string() + " is open in another westerlyd",
                    "Stop that one first, or give this one a folder of its own with --home.");
    return fail(errc::storage_failed, path + ": " + std::generic_category().message(errno));
}

file_lock::file_lock(file_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

file_lock::~file_lock() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

}  // namespace westerly
