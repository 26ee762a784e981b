#include "adapters/local/processes.hpp"

#include "adapters/local/records/task_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <sstream>

namespace westerly {
namespace {

/// Signals as at a program's start, standard streams empty, everything else closed at exec.
class spawn_settings {
public:
    explicit spawn_settings(int output) {
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawn_file_actions_init(&actions_);
        sigset_t all;
        sigfillset(&all);
        sigset_t none;
        sigemptyset(&none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (output >= 0)
            ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
        else
            ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    ~spawn_settings() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }
    spawn_settings(const spawn_settings&) = delete;
    spawn_settings& operator=(const spawn_settings&) = delete;

    pid_t start(const std::vector<std::string>& words) {
        std::vector<std::string> copies = words;
        std::vector<char*> arguments;
        for (auto& word : copies)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
        char* environment[] = {path, nullptr};
        pid_t pid = -1;
        errno = ::posix_spawn(&pid, arguments[0], &actions_, &attributes_, arguments.data(), environment);
        return errno == 0 ? pid : -1;
    }

private:
    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t actions_{};
};

}  // namespace

pid_t start_program(const std::vector<std::string>& words) {
    return spawn_settings(-1).start(words);
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

program_end run_program(const std::vector<std::string>& words) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0)
        return {};
    const pid_t pid = spawn_settings(pipe[1]).start(words);
    ::close(pipe[1]);
    program_end end;
    char buffer[1024];
    for (ssize_t got; (got = ::read(pipe[0], buffer, sizeof buffer)) > 0;)
        end.output.append(buffer, std::min(static_cast<std::size_t>(got),
                                           sizeof buffer - std::min(end.output.size(), sizeof buffer)));
    ::close(pipe[0]);
    if (pid > 0)
        end.exit_code = wait_for(pid);
    return end;
}

bool uid_in_use(std::uint32_t uid) {
    DIR* proc = ::opendir("/proc");
    if (proc == nullptr)
        return true;  // not known, so not free
    bool used = false;
    while (const dirent* entry = used ? nullptr : ::readdir(proc)) {
        if (!std::isdigit(static_cast<unsigned char>(entry->d_name[0])))
            continue;
        const auto status = read_small("/proc/" + std::string(entry->d_name) + "/status");
        const auto line = status ? status->find("\nUid:") : std::string::npos;
        if (line == std::string::npos)
            continue;
        std::istringstream ids(status->substr(line + 5, 64));
        std::uint32_t id = 0;
        for (int i = 0; i < 4 && ids >> id; ++i)
            used = used || id == uid;
    }
    ::closedir(proc);
    return used;
}

std::filesystem::path shim_path() {
    std::error_code code;
    return std::filesystem::read_symlink("/proc/self/exe", code).parent_path() / "westerly-local-shim";
}

}  // namespace westerly
