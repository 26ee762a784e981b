#pragma once

#include "broker/support/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace westerly {

/// Where the broker is and how to trust it.
struct endpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8443;
    std::string fingerprint;  // "AA:BB:…" of the certificate; empty: verify by `ca_file` or the system's authorities
    std::string ca_file;
};

/// "https://host[:port]" or "https://[v6]:port". Errors: invalid.
result<endpoint> parse_endpoint(std::string_view url);

struct http_request {
    std::string method = "GET";
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string content_type = "application/json";
    bool endless = false;  // a stream that may stay silent for long
};

struct http_response {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    std::string header(std::string_view name) const;
};

/// One keep-alive connection to a broker. Blocking; not thread-safe (each thread has its own). Errors: timed_out and
/// provider_unavailable (could not connect, or the connection broke), unauthenticated (the certificate is not the
/// expected one), each with a remedy.
class http_client {
public:
    http_client(endpoint to, std::string key);
    ~http_client();
    http_client(http_client&&) noexcept;

    /// `sink` takes the body piece by piece as it comes (and `body` stays empty); it returns false to stop reading.
    result<http_response> send(const http_request& request, const std::function<bool(std::string_view)>& sink = {});

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// The SHA-256 fingerprint of the certificate that a broker shows, without trusting it yet. Errors as above.
result<std::string> fetch_fingerprint(const endpoint& of);

}  // namespace westerly
