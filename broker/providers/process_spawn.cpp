#include "broker/providers/process_spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace westerly {
namespace {

constexpr std::size_t adapter_files_max = 4096;  // open files of an adapter

error failed(const std::string& what, int code) {
    return fail(errc::provider_unavailable, what + ": " + std::strerror(code));
}

struct pipe_ends {
    unique_fd read;
    unique_fd write;
};
result<pipe_ends> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return failed("cannot make a pipe", errno);
    return pipe_ends{unique_fd(ends[0]), unique_fd(ends[1])};
}

/// The broker's environment without its own settings, which may hold secrets.
std::vector<std::string> adapter_environment() {
    std::vector<std::string> kept;
    for (char** entry = environ; *entry; ++entry)
        if (std::string_view(*entry).substr(0, 9) != "WESTERLY_")
            kept.emplace_back(*entry);
    return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// A bare name is looked for in `search` first; what is not found there is left to PATH.
std::string resolve(const std::string& name, const std::vector<std::filesystem::path>& search) {
    if (name.find('/') != std::string::npos)
        return name;
    for (const auto& folder : search)
        if (auto path = (folder / name).string(); ::access(path.c_str(), X_OK) == 0)
            return path;
    return name;
}

std::vector<std::string> helper_arguments(const spawn_request& request) {
    std::vector<std::string> arguments = {request.helper.string(), "--parent", std::to_string(::getpid()),
                                          // No core files: they would hold tenants' secrets.
                                          "--limit-core", "0", "--limit-files", std::to_string(adapter_files_max)};
    if (request.memory_max > 0)
        arguments.insert(arguments.end(), {"--limit-memory", std::to_string(request.memory_max)});
    arguments.emplace_back("--");
    arguments.push_back(resolve(request.command.front(), request.search));
    arguments.insert(arguments.end(), request.command.begin() + 1, request.command.end());
    return arguments;
}

/// Attributes and file actions of one posix_spawn.
struct spawn_settings {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;

    spawn_settings(int input, int output, int errors) {
        ::posix_spawnattr_init(&attributes);
        ::posix_spawn_file_actions_init(&files);
        // Its own process group: Ctrl-C at the broker's terminal is the broker's business. No signal stays blocked or
        // ignored from us.
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        sigset_t none;
        ::sigemptyset(&none);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        sigset_t all;
        ::sigfillset(&all);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    }
    spawn_settings(const spawn_settings&) = delete;
    spawn_settings& operator=(const spawn_settings&) = delete;
    ~spawn_settings() {
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&files);
    }
};

}  // namespace

unique_fd& unique_fd::operator=(unique_fd&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

unique_fd::~unique_fd() {
    if (fd_ >= 0)
        ::close(fd_);
}

result<spawned> spawn(const spawn_request& request) {
    auto input = make_pipe();
    auto output = make_pipe();
    auto errors = make_pipe();
    for (const auto* made : {&input, &output, &errors})
        if (!*made)
            return made->error();
    const spawn_settings settings(request.input >= 0 ? request.input : input->read.get(), output->write.get(),
                                  errors->write.get());
    auto arguments = helper_arguments(request);
    auto environment = adapter_environment();
    spawned made;
    const int code = ::posix_spawn(&made.pid, request.helper.c_str(), &settings.files, &settings.attributes,
                                   pointers(arguments).data(), pointers(environment).data());
    if (code != 0)
        return failed("cannot start " + request.helper.string(), code);
    // Nobody else reaps it, so the pid is still its own.
    made.pidfd = unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0)));
    if (made.pidfd.get() < 0) {
        const int reason = errno;
        ::kill(made.pid, SIGKILL);
        ::waitpid(made.pid, nullptr, 0);
        return failed("cannot watch the adapter's process", reason);
    }
    if (request.input < 0)
        made.input = std::move(input->write);
    made.output = std::move(output->read);
    made.errors = std::move(errors->read);
    return made;
}

void send_signal(int pidfd, int signal) noexcept {
    // By number: the C library's header of 2.36 lacks its extern "C".
    ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

std::optional<std::string> reap(int pidfd) {
    siginfo_t info{};
    int code;
    do
        code = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
    while (code != 0 && errno == EINTR);
    if (code != 0)
        return std::string("unknown status: ") + std::strerror(errno);
    if (info.si_pid == 0)
        return std::nullopt;
    if (info.si_code == CLD_EXITED)
        return "exit code " + std::to_string(info.si_status);
    const char* name = ::sigdescr_np(info.si_status);
    return "signal " + std::to_string(info.si_status) + (name ? " (" + std::string(name) + ")" : std::string());
}

}  // namespace westerly
