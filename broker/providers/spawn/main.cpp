// westerly-spawn: becomes an adapter, after setting what must be set between fork and exec. The broker starts this
// small program because a fork of the broker itself would copy its page tables, and because posix_spawn cannot set
// these.
//
//   westerly-spawn --parent PID [--uid N --gid N] [--limit-core BYTES] [--limit-files N] [--limit-memory BYTES]
//                  -- COMMAND [ARGUMENT…]
//
// Exit codes of its own: 126 when something could not be set, 127 when the command could not be started. It is plain
// C++ without the broker's libraries: it must stay small.
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int exit_not_set = 126;
constexpr int exit_not_started = 127;

[[noreturn]] void stop(int code, const char* what, const char* why) {
    std::fprintf(stderr, "westerly-spawn: %s: %s\n", what, why);
    std::exit(code);
}

struct settings {
    long parent = -1;
    long uid = -1;
    long gid = -1;
    long core_bytes = -1;
    long files = -1;
    long memory_bytes = -1;
    char** command = nullptr;
};

long number(const char* option, const char* text) {
    char* end = nullptr;
    errno = 0;
    const long value = text ? std::strtol(text, &end, 10) : -1;
    if (!text || end == text || *end != '\0' || errno != 0 || value < 0)
        stop(exit_not_set, option, "needs a number of 0 or more");
    return value;
}

settings parse(int count, char** words) {
    settings out;
    const struct {
        const char* name;
        long settings::*value;
    } options[] = {{"--parent", &settings::parent},     {"--uid", &settings::uid},
                   {"--gid", &settings::gid},           {"--limit-core", &settings::core_bytes},
                   {"--limit-files", &settings::files}, {"--limit-memory", &settings::memory_bytes}};
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(words[i], "--") == 0) {
            out.command = words + i + 1;
            break;
        }
        bool known = false;
        for (const auto& option : options)
            if (std::strcmp(words[i], option.name) == 0) {
                ++i;
                out.*option.value = number(option.name, i < count ? words[i] : nullptr);
                known = true;
                break;
            }
        if (!known)
            stop(exit_not_set, words[i], "unknown option");
    }
    if (out.parent < 0)
        stop(exit_not_set, "--parent", "is missing");
    if (!out.command || !out.command[0])
        stop(exit_not_set, "--", "needs a command");
    return out;
}

void become_user(long uid, long gid) {
    if (gid >= 0 && (::setgroups(0, nullptr) != 0 || ::setgid(static_cast<gid_t>(gid)) != 0))
        stop(exit_not_set, "--gid", std::strerror(errno));
    if (uid >= 0 && ::setuid(static_cast<uid_t>(uid)) != 0)
        stop(exit_not_set, "--uid", std::strerror(errno));
}

void limit(const char* option, int resource, long value) {
    if (value < 0)
        return;
    rlimit now{};
    if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0)
        stop(exit_not_set, option, std::strerror(errno));
    const auto wanted = static_cast<rlim_t>(value);
    now.rlim_cur = now.rlim_max == RLIM_INFINITY || wanted < now.rlim_max ? wanted : now.rlim_max;
    if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0)
        stop(exit_not_set, option, std::strerror(errno));
}

}  // namespace

int main(int count, char** words) {
    const settings wanted = parse(count, words);
    become_user(wanted.uid, wanted.gid);
    // Only now: changing the uid clears it. The parent is looked at after, in case it died before this took hold.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        stop(exit_not_set, "PR_SET_PDEATHSIG", std::strerror(errno));
    if (::getppid() != static_cast<pid_t>(wanted.parent))
        stop(exit_not_set, "--parent", "the broker is gone");
    limit("--limit-core", RLIMIT_CORE, wanted.core_bytes);
    limit("--limit-files", RLIMIT_NOFILE, wanted.files);
    limit("--limit-memory", RLIMIT_AS, wanted.memory_bytes);
    // Whatever a library of the broker may have left open goes no further.
    if (::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0 && errno != ENOSYS)
        stop(exit_not_set, "close_range", std::strerror(errno));
    ::execvp(wanted.command[0], wanted.command);
    stop(exit_not_started, wanted.command[0], std::strerror(errno));
}
