#pragma once

#include "broker/api/house.hpp"
#include "broker/api/pending.hpp"
#include "broker/api/tls.hpp"

#include <chrono>

namespace boost::asio {
class io_context;
}

namespace westerly {

using steady_moment = std::chrono::steady_clock::time_point;

/// One accepted connection before TLS.
struct accepted_socket {
    int descriptor = -1;  // owned; non-blocking
    bool v6 = false;
    bool from_loopback = false;
    std::shared_ptr<void> place;  // counts the connection until it is destroyed
};

/// What a worker thread lends its sessions. Used on that thread only, except `on_helper`.
struct session_host {
    boost::asio::io_context& io;
    std::shared_ptr<post_gate> gate;  // to this worker's thread
    api_house& house;
    std::string date;  // for the Date header, renewed by the worker
    std::function<bool(std::function<void()>)> on_helper;
};

/// One connection: handshake, then requests one after another until either side ends it. Lives on its worker's thread.
class session {
public:
    virtual ~session() = default;
    /// Ends what is past its time limit. Called by the worker a few times a second: no timers per request.
    virtual void tick(steady_moment now) = 0;
    /// Draining: an idle connection ends now, a stream says farewell, a request under way is the last.
    virtual void end_soon() = 0;
    /// Ends at once, whatever is under way.
    virtual void end_now() = 0;
};

/// Runs until the connection has ended, then calls `ended` (on the worker's thread).
std::shared_ptr<session> start_session(session_host& host, accepted_socket from, const tls_context& tls,
                                       std::function<void(session*)> ended);

}  // namespace westerly
