#include "adapters/local/state_folder.hpp"

#include "adapters/local/attempt_files.hpp"
#include "adapters/local/records/task_files.hpp"
#include "broker/support/bytes.hpp"
#include "broker/support/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <thread>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr int lock_tries_max = 100;  // of 50 ms: an adapter that was killed is gone by then
// Above every uid that distributions, directories and container runtimes hand out by habit.
constexpr std::uint32_t uid_first = 0x60000000;
constexpr std::uint32_t uid_ranges = 0x8000;

}  // namespace

state_folder::~state_folder() {
    if (lock_ >= 0)
        ::close(lock_);
}

result<void> state_folder::open(const fs::path& path) {
    path_ = path;
    if (auto made = make_private_folder(path); !made)
        return made;
    for (int tries = 0; (lock_ = take_task_lock(path)) < 0; ++tries) {
        if (tries == lock_tries_max)
            return fail(errc::conflict, "another adapter uses " + path.string(),
                        "end it, or give each its own directory");
        std::this_thread::sleep_for(milliseconds(50));
    }
    for (const char* name : {"attempts", "making", "staged", "checkpoints"})
        if (auto made = make_private_folder(path / name); !made)
            return made;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(making(), code))
        fs::remove_all(entry.path(), code);
    if (::mkfifo(events().c_str(), 0600) != 0 && errno != EEXIST)
        return fail(errc::storage_failed, "cannot make the FIFO " + events().string());
    return count_boot();
}

result<void> state_folder::count_boot() {
    std::string last_boot;
    std::int64_t born_ms = system_wall_clock().now().time_since_epoch().count();
    const auto digest = sha256(path_.string() + std::to_string(born_ms));
    uid_base_ = uid_first + ((digest[0] * 256u + digest[1]) % uid_ranges) * uid_count;
    if (const auto text = read_small(path_ / "state")) {
        std::istringstream in(*text);
        if (!(in >> boots_ >> last_boot >> born_ms >> uid_base_))
            return fail(errc::storage_failed, (path_ / "state").string() + " is damaged",
                        "remove it when nothing runs");
    }
    born_at_ = instant(milliseconds(born_ms));
    if (last_boot == boot_id())
        return {};
    ++boots_;
    std::ostringstream out;
    out << boots_ << ' ' << boot_id() << ' ' << born_ms << ' ' << uid_base_ << '\n';
    return write_file_atomically(path_ / "state", out.str(), 0600);
}

}  // namespace westerly
