#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// One answer; the views live during the call only.
struct http_answer {
    int status = 0;
    std::string_view head;
    std::string_view body;
    /// The value of a header whose name is given as it is sent, or "".
    std::string_view header(std::string_view name) const;
};

struct load_options {
    std::uint16_t port = 0;  // at 127.0.0.1
    std::size_t connections = 64;
    std::chrono::duration<double> length{10};  // no request begins later
};

/// Writes the next request of a connection into `out`, which is empty; false: that connection has no more.
using make_request = std::function<bool(std::size_t connection, std::string& out)>;
using take_answer = std::function<void(std::size_t connection, const http_answer& answer)>;

struct load_result {
    std::size_t answers = 0;
    double seconds = 0;             // from the first request to the last answer
    std::vector<float> latency_ms;  // of every answer
    std::string trouble;            // why it is worth nothing; empty: it is sound
};

/// Keep-alive TLS connections on one thread, one request at a time on each, all handshakes before the first request.
/// Ends within `length` + 30 s whatever the server does. The certificate is not looked at: it is our own machine.
load_result run_load(const load_options& options, const make_request& make, const take_answer& take);

/// One request by its parts, ready to send.
std::string format_request(std::string_view method, std::string_view target, std::string_view key,
                           std::string_view body = {}, std::string_view idempotency_key = {});

/// One request and its answer, on a connection of its own. Throws std::runtime_error.
struct whole_answer {
    int status = 0;
    std::string body;
};
whole_answer ask_once(std::uint16_t port, const std::string& request);

}  // namespace westerly
