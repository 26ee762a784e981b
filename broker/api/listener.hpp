#pragma once

#include "broker/api/metrics.hpp"
#include "broker/api/session.hpp"

#include <functional>
#include <thread>

namespace westerly {

/// The listening socket and the thread that accepts. Connections past the limits are closed at once and counted.
class api_listener {
public:
    using taker = std::function<void(accepted_socket)>;
    api_listener(const api_options& options, api_metrics& metrics, taker take);
    ~api_listener();
    api_listener(const api_listener&) = delete;
    api_listener& operator=(const api_listener&) = delete;

    /// Errors: invalid for an address that is none; conflict when the port is taken; forbidden when it may not be used.
    result<void> open();
    void start();
    void stop();  // closes the socket; idempotent
    std::uint16_t port() const noexcept { return port_; }

private:
    struct places;
    void accept_all();
    void accept_one();

    const api_options& options_;
    api_metrics& metrics_;
    const taker take_;
    const std::shared_ptr<places> places_;
    int socket_ = -1;
    int wake_ = -1;
    bool v6_ = false;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

}  // namespace westerly
