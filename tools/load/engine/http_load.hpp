#pragma once

#include "tools/load/engine/histogram.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>

namespace westerly {

/// One answer; the views live during the call only.
struct http_answer {
    int status = 0;
    std::string_view head;
    std::string_view body;
    std::chrono::nanoseconds took{};  // since the intended start of its request
    /// The value of a header whose name is given as it is sent, or "".
    std::string_view header(std::string_view name) const;
};

/// Where to, and how it is trusted.
struct load_target {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    bool trusted = true;      // take any certificate: it is our own process on this machine
    std::string fingerprint;  // else this one ("AA:BB:…"), or what `ca_file` or the system's authorities vouch for
    std::string ca_file;
};

struct load_options {
    load_target at;
    std::size_t connections = 64;
    std::chrono::duration<double> length{10};  // no request is meant to begin later
    /// Intended starts a second, evenly spaced, whether or not earlier ones are answered (an open loop); 0: each
    /// connection begins its next request when it has its answer (a closed loop).
    double rate_per_s = 0;
    std::size_t requests_max = std::numeric_limits<std::size_t>::max();
    std::chrono::milliseconds answer_limit{30'000};  // one that is not answered by then broke its connection
    bool reopens = false;                            // a connection that broke is opened again, with a pause
    bool ends_on_signals = false;                    // SIGINT and SIGTERM end it early, with the result so far
};

/// Writes the next request of a connection into `out`, which is empty; false: that connection has no more.
using make_request = std::function<bool(std::size_t connection, std::string& out)>;
using take_answer = std::function<void(std::size_t connection, const http_answer& answer)>;

struct load_result {
    std::size_t sent = 0, answers = 0;
    double seconds = 0;  // from the first request to the end, waits for answers that did not come included
    /// Since the intended start of each: in an open loop a request that had to wait for a free connection has waited
    /// since then, so a server that stalls is charged with all that it delayed (no coordinated omission). What was
    /// due and never sent counts with the time until the end, the least that it can have been.
    histogram latency;
    histogram service;                            // since the request was really sent: what a closed loop would see
    std::size_t unsent = 0;                       // intended starts that came to nothing, of an open loop
    std::map<std::string, std::size_t> failures;  // requests that a broken connection lost, by what broke it
    std::map<std::string, std::size_t>
        reopened;  // connections that broke while nothing was asked, or could not be made
    bool interrupted = false;
    std::string trouble;  // why it is worth nothing; empty: it is sound
};

/// Keep-alive TLS connections on one thread, one request at a time on each, all handshakes before the first request.
/// An open loop that is behind at its end goes on for at most 10 s. Ends within `length` + 10 s + `answer_limit`
/// whatever the server does. Errors are told in `trouble`.
load_result run_load(const load_options& options, const make_request& make, const take_answer& take);

/// Every address of that name is this machine's own loopback. False when there is none.
bool is_loopback(const std::string& host);

/// One request by its parts, ready to send.
std::string format_request(std::string_view method, std::string_view target, std::string_view key,
                           std::string_view body = {}, std::string_view idempotency_key = {},
                           std::string_view host = "127.0.0.1");

/// One request and its answer, on a connection of its own to this machine. Throws std::runtime_error.
struct whole_answer {
    int status = 0;
    std::string body;
};
whole_answer ask_once(std::uint16_t port, const std::string& request);

}  // namespace westerly
