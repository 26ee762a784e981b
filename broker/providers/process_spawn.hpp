#pragma once

#include "broker/providers/adapter_process.hpp"

#include <sys/types.h>

#include <utility>

namespace westerly {

/// A file descriptor that closes itself; -1: none.
class unique_fd {
public:
    explicit unique_fd(int fd = -1) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept;
    ~unique_fd();
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

/// A started process and the broker's ends of its pipes. Every descriptor is O_CLOEXEC.
struct spawned {
    pid_t pid = -1;
    unique_fd pidfd;
    unique_fd input;   // to its standard input; none where the request gave it one
    unique_fd output;  // from its standard output
    unique_fd errors;  // from its standard error
};

/// posix_spawn of the helper, which becomes the command. The calling thread is the one whose end kills the process.
/// Errors: provider_unavailable.
result<spawned> spawn(const spawn_request& request);

/// By pidfd, so that never another process is hit.
void send_signal(int pidfd, int signal) noexcept;

/// How a process ended, once its pidfd is readable: "exit code 3", "signal 9 (Killed)"; nullopt: it still runs.
std::optional<std::string> reap(int pidfd);

}  // namespace westerly
