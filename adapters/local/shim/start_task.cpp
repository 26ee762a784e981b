#include "adapters/local/shim/start_task.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

constexpr rlim_t files_max = 65536;
constexpr rlim_t mib = 1 << 20;

/// Lowers a limit; what the machine already limits further stays.
bool lower(int resource, rlim_t wanted) {
    const auto which = static_cast<__rlimit_resource_t>(resource);
    rlimit now{};
    if (::getrlimit(which, &now) != 0)
        return false;
    now.rlim_max = std::min(now.rlim_max, wanted);
    now.rlim_cur = now.rlim_max;
    return ::setrlimit(which, &now) == 0;
}

/// Between fork and exec. nullptr, or what could not be done (errno tells why).
const char* become_task(const task_plan& plan) {
    if (!lower(RLIMIT_CORE, 0) || !lower(RLIMIT_NOFILE, files_max))
        return "set its limits";
    if (plan.disk_mib > 0 && !lower(RLIMIT_FSIZE, plan.disk_mib * mib))
        return "limit the size of its files";
    // Counted by user and user namespace, so it would hit the broker's own user where neither is the task's own.
    if (plan.isolation != isolation_kind::same_user && plan.processes_max > 0 &&
        !lower(RLIMIT_NPROC, plan.processes_max))
        return "limit its processes";
    if (plan.isolation == isolation_kind::uid) {
        if (::setgroups(0, nullptr) != 0 || ::setresgid(plan.uid, plan.uid, plan.uid) != 0 ||
            ::setresuid(plan.uid, plan.uid, plan.uid) != 0)
            return "become its user";
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "give up privileges";
    if (plan.memory_mib > 0 && !lower(RLIMIT_AS, plan.memory_mib * mib))
        return "limit its memory";
    ::umask(022);
    return nullptr;
}

void reset_signals() {
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<std::string> environment_of(const task_plan& plan, std::uint32_t rank) {
    const auto folders = folders_of(plan, rank);
    auto env = plan.env;
    const auto has = [&](std::string_view name) {
        return std::ranges::any_of(env,
                                   [&](const std::string& v) { return v.starts_with(name) && v[name.size()] == '='; });
    };
    if (!has("PATH"))
        env.push_back("PATH=/usr/local/bin:/usr/bin:/bin");
    if (!has("LANG"))
        env.push_back("LANG=C.UTF-8");
    if (!has("HOME"))
        env.push_back("HOME=" + folders.scratch);
    env.push_back("WESTERLY_RANK=" + std::to_string(rank));
    env.push_back("WESTERLY_INPUT_DIR=" + folders.input);
    env.push_back("WESTERLY_OUTPUT_DIR=" + folders.output);
    env.push_back("WESTERLY_CHECKPOINT_DIR=" + folders.checkpoint);
    return env;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// Allocates nothing: the memory limit may be in force.
[[noreturn]] void tell_and_die(int fd, const char* what, const char* about = "") {
    const char* const parts[] = {what, about, ": ", std::strerror(errno)};
    for (const char* part : parts) {
        [[maybe_unused]] const auto wrote = ::write(fd, part, std::strlen(part));
    }
    ::_exit(127);
}

/// Reads until the end: empty when exec closed the other side.
std::string read_all(int fd) {
    std::string text(1024, '\0');
    std::size_t size = 0;
    for (;;) {
        const auto got = ::read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || (size += static_cast<std::size_t>(got)) == text.size())
            break;
    }
    text.resize(size);
    return text;
}

}  // namespace

started_task start_command(const task_plan& plan, std::uint32_t rank) {
    auto env = environment_of(plan, rank);
    auto command = plan.command;
    const auto arguments = pointers_to(command);
    auto variables = pointers_to(env);
    int told[2];
    if (::pipe2(told, O_CLOEXEC) != 0)
        return {-1, std::string("no pipe: ") + std::strerror(errno)};
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
        reset_signals();
        ::setsid();
        const char* failed = become_task(plan);
        if (failed != nullptr)
            tell_and_die(told[1], "cannot ", failed);
        // After the change of uid, which clears it. Without a process namespace this is what ends the task when its
        // parent is killed.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(127);
        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        ::environ = variables.data();
        ::execvp(arguments[0], arguments.data());
        tell_and_die(told[1], "cannot run ", arguments[0]);
    }
    const int number = errno;
    ::close(told[1]);
    started_task started{pid, {}};
    if (pid < 0)
        started.failure = std::string("no process: ") + std::strerror(number);
    else
        started.failure = read_all(told[0]);
    ::close(told[0]);
    if (pid > 0 && !started.failure.empty()) {
        ::waitpid(pid, nullptr, 0);
        started.pid = -1;
    }
    return started;
}

std::string unpack_bundle(const task_plan& plan, int bundle) {
    int told[2];
    if (::pipe2(told, O_CLOEXEC) != 0)
        return std::string("no pipe: ") + std::strerror(errno);
    const pid_t pid = ::fork();
    if (pid == 0) {
        reset_signals();
        ::dup2(bundle, STDIN_FILENO);
        ::dup2(told[1], STDOUT_FILENO);
        ::dup2(told[1], STDERR_FILENO);
        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        if (const char* failed = become_task(plan))
            tell_and_die(STDERR_FILENO, "cannot ", failed);
        ::execlp("tar", "tar", "--extract", "--file=-", "--no-same-owner", "--no-same-permissions", nullptr);
        tell_and_die(STDERR_FILENO, "cannot run tar");
    }
    ::close(told[1]);
    const auto said = read_all(told[0]);
    ::close(told[0]);
    int status = 0;
    if (pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return {};
    return "the files cannot be unpacked: " + (said.empty() ? std::string("tar failed") : said);
}

}  // namespace westerly
