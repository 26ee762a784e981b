#include "adapters/slurm/shared_folder.hpp"

#include "adapters/sdk/output_files.hpp"
#include "broker/support/files.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace westerly {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mark_bytes_max = 4096;
constexpr std::size_t log_end_bytes = 300;
constexpr seconds staged_kept{86'400};

error failed_at(const std::string& what) {
    return fail(errc::storage_failed, what + ": " + std::strerror(errno));
}

class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {}
    ~descriptor() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

/// The text of a small file below an attempt that its job wrote; nullopt where there is none.
std::optional<std::string> read_mark(const fs::path& attempt, const char* name) {
    const descriptor file(open_output(attempt, name));
    struct stat seen {};
    if (!file || ::fstat(file.get(), &seen) != 0 || !S_ISREG(seen.st_mode))
        return std::nullopt;
    std::string text(mark_bytes_max, '\0');
    const auto got = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
}

bool is_there(int folder, const char* name, struct stat& seen) {
    return ::fstatat(folder, name, &seen, AT_SYMLINK_NOFOLLOW) == 0;
}

result<void> write_new(int folder, const char* name, const std::string& text) {
    const std::string fresh = std::string(name) + ".new";
    const descriptor file(::openat(folder, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    bool good = static_cast<bool>(file) && ::fchmod(file.get(), 0644) == 0;
    for (std::size_t done = 0; good && done < text.size();) {
        const auto wrote = ::write(file.get(), text.data() + done, text.size() - done);
        good = wrote > 0 || (wrote < 0 && errno == EINTR);
        done += static_cast<std::size_t>(std::max<ssize_t>(wrote, 0));
    }
    good = good && ::fsync(file.get()) == 0 && ::renameat(folder, fresh.c_str(), folder, name) == 0 &&
           ::fsync(folder) == 0;
    return good ? result<void>() : failed_at(std::string("the shared directory does not take ") + name);
}

}  // namespace

shared_folder::shared_folder(const slurm_config& config, const std::string& name)
    : config_(config), root_(fs::path(config.shared_directory) / name) {
    passwd entry{};
    passwd* found = nullptr;
    std::string names(16 << 10, '\0');
    ::getpwnam_r(config.user.c_str(), &entry, names.data(), names.size(), &found);
    if (::geteuid() == 0) {
        give_ = found != nullptr;
        if (found == nullptr)
            no_user_ = "user " + config.user + " is not known on this machine, so its files cannot be left to it";
    } else if (found != nullptr && found->pw_uid != ::geteuid()) {
        no_user_ = "the broker's own user is neither root nor " + config.user + ", whose jobs must read its files";
    }
    uid_ = found != nullptr ? found->pw_uid : ::geteuid();
    gid_ = found != nullptr ? found->pw_gid : ::getegid();
}

std::string shared_folder::problem() const {
    if (!no_user_.empty())
        return no_user_ + "; run the broker as " + config_.user + ", or as root where that user is known";
    for (const char* name : {".", "attempts", "checkpoints", "staged"})
        // Others may pass through and see nothing: the job's user has folders of its own below.
        if (auto made =
                make_folder((root_ / name).lexically_normal(), std::string_view(name) == "staged" ? 0700 : 0711);
            !made)
            return made.error().detail + "; shared_directory must be a folder that this user may write to";
    return {};
}

result<void> shared_folder::make_folder(const fs::path& path, mode_t mode) const {
    if (::mkdir(path.c_str(), mode) == 0)
        return ::chmod(path.c_str(), mode) == 0 ? result<void>() : failed_at(path.string());
    struct stat seen {};
    const bool there = errno == EEXIST && ::lstat(path.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode);
    return there ? result<void>() : failed_at(path.string() + " cannot be made");
}

result<void> shared_folder::give_away(const fs::path& path) const {
    if (give_ && ::lchown(path.c_str(), uid_, gid_) != 0)
        return failed_at(path.string() + " cannot be left to " + config_.user);
    return {};
}

result<void> shared_folder::make(const launch_request& request) {
    const auto folder = attempt(request.token);
    const auto control = folder / attempt_file::control;
    const auto checkpoints = checkpoint(request.workload);
    if (const auto why = problem(); !why.empty())
        return fail(errc::storage_failed, why);
    remove(request.token);
    auto made = make_folder(folder, 0700);
    if (made)
        made = make_folder(control, 0755);
    if (made && request.has_files) {
        const auto bundle = folder / attempt_file::bundle;
        if (::link(staged(request.token).c_str(), bundle.c_str()) != 0)
            made = fail(errc::invalid, "the files of this workload were not put before the launch");
        else if (::chmod(bundle.c_str(), 0644) != 0)
            made = failed_at(bundle.string());
    }
    if (made)
        made = write_file_atomically(folder / attempt_file::run, run_script(request), 0644);
    if (made)
        made = write_file_atomically(folder / attempt_file::rank,
                                     rank_script(config_, request, folder.string(), checkpoints.string()), 0644);
    struct stat seen {};
    if (made && ::lstat(checkpoints.c_str(), &seen) != 0) {
        made = make_folder(checkpoints, 0700);
        if (made)
            made = give_away(checkpoints);
    }
    // Last: from here on the job's user may change what is in it.
    return made ? give_away(folder) : made;
}

result<void> shared_folder::write_control(const std::string& token, const char* name, const std::string& text) const {
    const descriptor folder(::open(attempt(token).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const descriptor control(
        folder ? ::openat(folder.get(), attempt_file::control, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1);
    struct stat seen {};
    if (!control || ::fstat(control.get(), &seen) != 0)
        return failed_at("the folder of " + token);
    if (seen.st_uid != ::geteuid())
        return fail(errc::storage_failed, "the control folder of " + token + " was replaced");
    return write_new(control.get(), fs::path(name).filename().c_str(), text);
}

result<void> shared_folder::name_job(const std::string& token, std::uint64_t job_id) {
    return write_control(token, attempt_file::job, std::to_string(job_id) + '\n');
}

result<void> shared_folder::stop(const std::string& token, std::uint32_t grace_s) {
    return write_control(token, attempt_file::stop, std::to_string(grace_s) + '\n');
}

run_marks shared_folder::marks(const std::string& token) const {
    run_marks out;
    const descriptor folder(::open(attempt(token).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    out.readable = static_cast<bool>(folder);
    if (!folder)
        return out;
    struct stat seen {};
    out.gate = is_there(folder.get(), attempt_file::gate, seen);
    if (!out.gate)
        return out;
    out.again = is_there(folder.get(), attempt_file::again, seen);
    if (const auto text = read_mark(attempt(token), attempt_file::began)) {
        std::int64_t ms = 0;
        if (std::from_chars(text->data(), text->data() + text->size(), ms).ec == std::errc())
            out.began_ms = ms;
    }
    if (const auto text = read_mark(attempt(token), attempt_file::ended))
        out.ended = read_run_record(*text);
    const bool lived = is_there(folder.get(), attempt_file::alive, seen) ||
                       is_there(folder.get(), attempt_file::began, seen) ||
                       is_there(folder.get(), attempt_file::gate, seen);
    // Now by the same clock: the server's, asked through a file beside it.
    struct stat now {};
    const descriptor control(
        ::openat(folder.get(), attempt_file::control, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const descriptor clock(control ? ::openat(control.get(), "now", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)
                                   : -1);
    if (lived && clock && ::futimens(clock.get(), nullptr) == 0 && ::fstat(clock.get(), &now) == 0)
        out.silent = seconds(std::max<std::int64_t>(now.st_mtim.tv_sec - seen.st_mtim.tv_sec, 0));
    return out;
}

bool shared_folder::claim_gate(const std::string& token) {
    const descriptor folder(::open(attempt(token).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return folder && ::mkdirat(folder.get(), attempt_file::gate, 0700) == 0;
}

std::string shared_folder::job_log_end(const std::string& token) const {
    auto text = read_mark(attempt(token), "slurm.log").value_or("");
    while (text.ends_with('\n'))
        text.pop_back();
    if (text.size() > log_end_bytes)
        text.erase(0, text.size() - log_end_bytes);
    return text;
}

void shared_folder::remove(const std::string& token) {
    std::error_code code;
    fs::remove_all(attempt(token), code);
}

void shared_folder::remove_old(const std::function<bool(const std::string& workload)>& known) {
    std::error_code code;
    for (const auto& folder : fs::directory_iterator(root_ / "checkpoints", code))
        if (!known(folder.path().filename().string()))
            fs::remove_all(folder.path(), code);
    const auto limit = system_wall_clock().now() - staged_kept;
    for (const auto& file : fs::directory_iterator(root_ / "staged", code)) {
        struct stat seen {};
        if (::lstat(file.path().c_str(), &seen) == 0 && instant(seconds(seen.st_mtim.tv_sec)) < limit)
            fs::remove(file.path(), code);
    }
}

}  // namespace westerly
