#include "adapters/local/shim/sandbox.hpp"

#include "adapters/local/records/task_files.hpp"
#include "adapters/local/shim/task_init.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

namespace fs = std::filesystem;

/// What every program on a Debian-like system needs of /etc; the rest may hold secrets of the broker's own user.
constexpr std::array<const char*, 17> etc_shown = {
    "alternatives", "ca-certificates", "group",     "host.conf",  "hosts",          "ld.so.cache",
    "ld.so.conf",   "ld.so.conf.d",    "localtime", "mime.types", "networks",       "nsswitch.conf",
    "passwd",       "resolv.conf",     "services",  "ssl/certs",  "ssl/openssl.cnf"};
constexpr std::array<const char*, 7> system_folders = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
constexpr const char* inner_shim = "/run/westerly-task";

std::string why_not(const std::string& what) {
    return "the sandbox cannot be made: " + what + ": " + std::strerror(errno);
}

struct folder_binding {
    fs::path from;
    std::string to;
};

std::vector<folder_binding> bindings_of(const task_plan& plan, std::uint32_t rank) {
    const fs::path attempt = plan.attempt_dir;
    const auto inside = folders_of(plan, rank);
    return {{task_dir(attempt, rank) / task_file::scratch, inside.scratch},
            {attempt / task_file::input, inside.input},
            {attempt / task_file::output, inside.output},
            {plan.checkpoint_dir, inside.checkpoint}};
}

std::vector<std::string> bwrap_arguments(const task_plan& plan, std::uint32_t rank) {
    std::vector<std::string> out = {
        plan.bwrap,   "--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent",
        "--as-pid-1", "--proc",         "/proc",         "--dev",         "/dev"};
    const auto add = [&](std::initializer_list<std::string> words) {
        out.insert(out.end(), words);
    };
    for (const char* folder : system_folders) {
        std::error_code code;
        if (fs::is_symlink(folder, code))
            add({"--symlink", fs::read_symlink(folder, code).string(), folder});
        else
            add({"--ro-bind-try", folder, folder});
    }
    for (const char* name : etc_shown)
        add({"--ro-bind-try", std::string("/etc/") + name, std::string("/etc/") + name});
    const auto tmp = (task_dir(plan.attempt_dir, rank) / task_file::tmp).string();
    add({"--bind", tmp, "/tmp", "--bind", tmp, "/var/tmp", "--ro-bind", plan.shim, inner_shim});
    for (const auto& [from, to] : bindings_of(plan, rank))
        add({"--bind", from.string(), to});
    add({"--chdir", sandbox_folder, inner_shim, "first", std::to_string(rank)});
    return out;
}

/// A descriptor moved clear of the numbers that it may be asked to become.
int clear_of_fixed(int fd) {
    return fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 16);
}

[[noreturn]] void exec_bwrap(const task_plan& plan, std::uint32_t rank, int control, int bundle) {
    const int plan_fd = clear_of_fixed(
        ::open((fs::path(plan.attempt_dir) / task_file::plan).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    control = clear_of_fixed(control);
    bundle = clear_of_fixed(bundle);
    ::dup2(plan_fd, inner_plan_fd);
    ::dup2(control, inner_control_fd);
    if (bundle >= 0)
        ::dup2(bundle, inner_bundle_fd);
    ::close_range(inner_bundle_fd + (bundle >= 0 ? 1 : 0), ~0u, 0);
    auto words = bwrap_arguments(plan, rank);
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    char* const no_environment[] = {nullptr};
    ::execve(arguments[0], arguments.data(), no_environment);
    ::_exit(127);
}

pid_t clone_process(unsigned long namespaces) {
    return static_cast<pid_t>(::syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

std::string bind_folder(const fs::path& from, const std::string& to) {
    if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        ::mount(nullptr, to.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV, nullptr) != 0)
        return why_not("bind " + to);
    return {};
}

}  // namespace

std::string enter_private_mounts(const task_plan& plan, std::uint32_t rank) {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return why_not("private mounts");
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return why_not("mount /proc");
    const auto size = "mode=1777,size=" + std::to_string(plan.memory_mib) + 'm';
    if (::access("/dev/shm", F_OK) == 0 &&
        ::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, size.c_str()) != 0)
        return why_not("mount /dev/shm");
    // Opened first: the attempt may itself lie below /tmp, which is about to be covered. They close at exec.
    std::vector<std::pair<int, std::string>> sources;
    for (const auto& [from, to] : bindings_of(plan, rank)) {
        const int fd = ::open(from.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return why_not("open " + to);
        sources.emplace_back(fd, to);
    }
    const auto tmp = task_dir(plan.attempt_dir, rank) / task_file::tmp;
    const int tmp_fd = ::open(tmp.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tmp_fd < 0)
        return why_not("open /tmp");
    sources.insert(sources.begin(), {{tmp_fd, "/var/tmp"}, {tmp_fd, "/tmp"}});
    for (const auto& [fd, to] : sources)
        if (auto why = bind_folder("/proc/self/fd/" + std::to_string(fd), to); !why.empty())
            return why;
    return {};
}

pid_t start_first_process(const task_plan& plan, std::uint32_t rank, int control, int bundle, int out, int err) {
    const bool own_namespaces = plan.isolation == isolation_kind::uid;
    const pid_t pid = clone_process(own_namespaces ? CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC : 0);
    if (pid != 0)
        return pid;
    // Whose death ends its namespace. Without one it lives on just long enough to end its descendants itself.
    if (plan.isolation != isolation_kind::same_user)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    if (plan.isolation == isolation_kind::bubblewrap)
        exec_bwrap(plan, rank, control, bundle);
    // The lock of the task must not live longer than its shim, so nothing but these goes on.
    control = clear_of_fixed(control);
    bundle = clear_of_fixed(bundle);
    ::dup2(control, inner_control_fd);
    if (bundle >= 0)
        ::dup2(bundle, inner_bundle_fd);
    ::close(inner_plan_fd);
    ::close_range(inner_bundle_fd + (bundle >= 0 ? 1 : 0), ~0u, 0);
    ::_exit(run_task_init(plan, rank, inner_control_fd, bundle >= 0 ? inner_bundle_fd : -1));
}

}  // namespace westerly
