#pragma once

#include "broker/api/session.hpp"

namespace westerly {

/// One thread with its own event loop and the connections given to it: they need no locks and no strands. Everything
/// is thread-safe.
class api_worker {
public:
    api_worker(api_house& house, std::function<bool(std::function<void()>)> on_helper);
    ~api_worker();
    api_worker(const api_worker&) = delete;
    api_worker& operator=(const api_worker&) = delete;

    void start();
    void adopt(accepted_socket from, tls_context tls);
    void end_soon();  // of all its connections: see session
    void end_now();
    std::size_t sessions() const;
    /// Ends the thread, whatever is under way.
    void stop();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace westerly
