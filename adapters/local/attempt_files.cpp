#include "adapters/local/attempt_files.hpp"

#include "adapters/local/records/task_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr int depth_max = 64;

error storage_error(const std::string& doing, const fs::path& path) {
    return fail(errc::storage_failed, "cannot " + doing + ' ' + path.string() + ": " + std::strerror(errno),
                "check permissions and free space");
}

result<void> make_folder(const fs::path& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
        return storage_error("make", path);
    if (::chmod(path.c_str(), mode) != 0)  // whatever the umask
        return storage_error("make", path);
    return {};
}

result<void> make_owned(const fs::path& path, const task_plan& plan) {
    if (auto made = make_folder(path, 0700); !made)
        return made;
    if (plan.isolation == isolation_kind::uid && ::lchown(path.c_str(), plan.uid, plan.uid) != 0)
        return storage_error("give away", path);
    return {};
}

/// Gives a tree to a user without ever following a link: the tree is a tenant's.
bool give_tree(int folder, std::uint32_t uid, int depth) {
    if (::fchown(folder, uid, uid) != 0 || depth > depth_max) {
        ::close(folder);
        return false;
    }
    DIR* dir = ::fdopendir(folder);
    if (dir == nullptr) {
        ::close(folder);
        return false;
    }
    bool good = true;
    while (const dirent* entry = ::readdir(dir)) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        const int inner = ::openat(::dirfd(dir), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            good = give_tree(inner, uid, depth + 1) && good;
        else
            good = ::fchownat(::dirfd(dir), name.c_str(), uid, uid, AT_SYMLINK_NOFOLLOW) == 0 && good;
    }
    ::closedir(dir);
    return good;
}

result<void> make_checkpoints(const task_plan& plan) {
    const fs::path path = plan.checkpoint_dir;
    if (auto made = make_folder(path, 0700); !made)
        return made;
    if (plan.isolation != isolation_kind::uid)
        return {};
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || !give_tree(folder, plan.uid, 0))
        return storage_error("give away", path);
    return {};
}

}  // namespace

result<void> make_private_folder(const fs::path& path) {
    return make_folder(path, 0700);
}

result<void> write_new_file(const fs::path& path, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    std::size_t done = 0;
    while (fd >= 0 && done < text.size()) {
        const auto wrote = ::write(fd, text.data() + done, text.size() - done);
        if (wrote < 0 && errno != EINTR)
            break;
        done += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
    const bool good = fd >= 0 && done == text.size() && ::fdatasync(fd) == 0;
    const auto why = storage_error("write", path);
    if (fd >= 0)
        ::close(fd);
    return good ? result<void>() : result<void>(why);
}

result<void> sync_folder(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0)
        ::close(fd);
    return good ? result<void>() : storage_error("sync", path);
}

result<void> make_attempt_files(const task_plan& plan, const fs::path& where) {
    const fs::path root = where.empty() ? fs::path(plan.attempt_dir) : where;
    result<void> made = make_folder(root, 0700);
    const auto then = [&](auto step) {
        if (made)
            made = step();
    };
    then([&] { return make_owned(root / task_file::input, plan); });
    then([&] { return make_owned(root / task_file::output, plan); });
    then([&] { return make_folder(root / "tasks", 0700); });
    for (std::uint32_t rank = 0; rank < plan.tasks && made; ++rank) {
        const auto task = task_dir(root, rank);
        then([&] { return make_folder(task, 0700); });
        then([&] { return make_owned(task / task_file::scratch, plan); });
        // /tmp of the sandbox. The mount points in it stay ours, so that the task cannot move them.
        then([&] { return make_folder(task / task_file::tmp, 01777); });
        then([&] { return make_folder(task / task_file::tmp / "westerly", 0755); });
        for (const char* name : {"scratch", "input", "output", "checkpoint"})
            then([&] { return make_folder(task / task_file::tmp / "westerly" / name, 0755); });
    }
    then([&] { return make_checkpoints(plan); });
    then([&] { return write_new_file(root / task_file::plan, pack_plan(plan)); });
    return made;
}

}  // namespace westerly
