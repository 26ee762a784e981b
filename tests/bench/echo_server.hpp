#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace westerly {

/// The least that a server over Asio, Beast and OpenSSL can do: a process that gives each request's body back, over
/// keep-alive TLS, on two threads with a loop each as westerlyd has. The baseline beside its figures.
class echo_server {
public:
    /// Fork: make it while the process has one thread. Throws std::runtime_error.
    echo_server(const std::filesystem::path& certificate, const std::filesystem::path& private_key);
    ~echo_server();
    echo_server(const echo_server&) = delete;
    echo_server& operator=(const echo_server&) = delete;
    std::uint16_t port() const { return port_; }

private:
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

}  // namespace westerly
