#pragma once

#include "tools/load/engine/http_load.hpp"

#include <memory>

namespace boost::asio {
class io_context;
}

namespace westerly {

/// What a connection tells, always from the loop's thread and never from within a call to it.
class connection_events {
public:
    virtual ~connection_events() = default;
    /// It is open and nothing is asked on it.
    virtual void ready(std::size_t number) = 0;
    /// The answer to what was asked; `ready` or `broke` follows.
    virtual void answered(std::size_t number, http_answer answer) = 0;
    /// It is no more, for that reason; it may be opened again.
    virtual void broke(std::size_t number, const std::string& what) = 0;
};

/// A server's addresses and how its certificate is judged.
struct load_peer;
/// Null with `trouble` told: no such host, no such authority.
std::shared_ptr<load_peer> resolve_peer(boost::asio::io_context& io, const load_target& to, std::string& trouble);

/// One keep-alive TLS connection, with one request at a time. It reads all the time, so that a close is seen at once.
class load_connection {
public:
    using moment = std::chrono::steady_clock::time_point;

    virtual ~load_connection() = default;
    /// Opens it once `pause` has passed. What is not ready at `limit` broke.
    virtual void open(std::chrono::milliseconds pause, moment limit) = 0;
    /// Sends a request, which is copied. What is not answered at `limit` broke.
    virtual void ask(const std::string& request, moment limit) = 0;
    /// Breaks it when its limit has passed.
    virtual void look(moment now) = 0;
    /// Lowers the limit of what is under way.
    virtual void hurry(moment limit) = 0;
    /// Nothing is told of it any more.
    virtual void close() = 0;
};
std::unique_ptr<load_connection> make_connection(boost::asio::io_context& io, std::shared_ptr<load_peer> to,
                                                 connection_events& tells, std::size_t number);

}  // namespace westerly
