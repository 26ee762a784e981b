// westerly-local-shim: one small process beside each task of the local adapter, which outlives adapter and broker.
//
//   westerly-local-shim run ATTEMPT_DIR RANK   takes the task's lock, goes to the background, watches over the task
//   westerly-local-shim first RANK             the first process inside bubblewrap; descriptors 3, 4, 5 are given
//   westerly-local-shim try ATTEMPT_DIR        can tasks be isolated as that plan says?
#include "adapters/local/records/task_files.hpp"
#include "adapters/local/shim/control.hpp"
#include "adapters/local/shim/sandbox.hpp"
#include "adapters/local/shim/supervisor.hpp"
#include "adapters/local/shim/task_init.hpp"
#include "broker/support/files.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using namespace westerly;

constexpr int exit_usage = 64;
constexpr int exit_damaged = 65;

result<task_plan> plan_in(const std::filesystem::path& attempt) {
    const auto packed = read_file(attempt / task_file::plan, plan_bytes_max);
    return packed ? unpack_plan(*packed) : result<task_plan>(packed.error());
}

/// The lock is taken before the fork, so that it is held without a gap once the starter has seen this process end.
int run(const char* attempt, std::uint32_t rank) {
    const auto task = task_dir(attempt, rank);
    const int lock = take_task_lock(task);
    if (lock < 0)
        return task_locked(task) ? 0 : exit_damaged;  // another shim is there already: all is well
    const pid_t child = ::fork();
    if (child != 0)
        return child > 0 ? 0 : exit_damaged;
    ::setsid();
    ::umask(077);
    [[maybe_unused]] const int moved = ::chdir("/");
    const auto plan = plan_in(attempt);
    if (!plan) {
        (void)write_file_atomically(task / task_file::failure, plan.error().detail, 0600);
        return exit_damaged;
    }
    return supervise_task(*plan, rank);
}

int first(std::uint32_t rank) {
    std::string packed;
    char buffer[65536];
    for (ssize_t got; (got = ::read(inner_plan_fd, buffer, sizeof buffer)) > 0;)
        packed.append(buffer, static_cast<std::size_t>(got));
    ::close(inner_plan_fd);
    const auto plan = unpack_plan(packed);
    if (!plan) {
        send_word(inner_control_fd, 'F', plan.error().detail);
        return exit_damaged;
    }
    return run_task_init(*plan, rank, inner_control_fd, plan->bundle ? inner_bundle_fd : -1);
}

/// Makes the sandbox as for a task and says on standard output why that fails.
int try_isolation(const char* attempt) {
    const auto plan = plan_in(attempt);
    int pair[2];
    if (!plan || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return exit_damaged;
    const pid_t pid = start_first_process(*plan, 0, pair[1], -1, STDOUT_FILENO, STDOUT_FILENO);
    if (pid < 0)
        std::printf("%s", std::strerror(errno));
    ::close(pair[1]);
    const auto word = receive_word(pair[0]);
    ::close(pair[0]);
    if (pid > 0)
        ::waitpid(pid, nullptr, 0);
    if (word && word->what == 'R')
        return 0;
    if (word)
        std::printf("%s", word->text.c_str());
    return 1;
}

}  // namespace

int main(int count, char** words) {
    const auto is = [&](const char* verb, int wanted) {
        return count == wanted && std::strcmp(words[1], verb) == 0;
    };
    if (is("run", 4))
        return run(words[2], static_cast<std::uint32_t>(std::strtoul(words[3], nullptr, 10)));
    if (is("first", 3))
        return first(static_cast<std::uint32_t>(std::strtoul(words[2], nullptr, 10)));
    if (is("try", 3))
        return try_isolation(words[2]);
    std::fprintf(stderr, "westerly-local-shim is started by westerly-adapter-local\n");
    return exit_usage;
}
