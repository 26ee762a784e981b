#pragma once

#include "broker/support/result.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace westerly {

struct http_answer {
    int status = 0;
    std::string content_type;
    std::string body;
};

/// No answer came. `sent` is false only if no byte of the request can have reached the server.
struct http_failure {
    bool sent = true;
    std::string why;
};

struct http_ask {
    std::string method;
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool repeatable = true;  // false: never on a connection that the server may have closed by now, and never twice
};

/// HTTP/1.1 to one server, blocking, with connections kept alive. Thread-safe; each call has its own connection.
/// Limits: replies of at most `body_max` bytes, `timeout` for a whole call.
class http_client {
public:
    /// `endpoint`: http://HOST:PORT or https://HOST[:PORT]. `ca_file`: empty for the system's certificates.
    http_client(const std::string& endpoint, const std::string& ca_file, std::chrono::seconds timeout,
                std::size_t body_max);
    ~http_client();

    boost::system::result<http_answer, http_failure> call(const http_ask& ask);

private:
    struct connection;
    struct target;
    std::unique_ptr<connection> take_idle();
    void keep(std::unique_ptr<connection> idle);

    std::unique_ptr<target> target_;
    std::mutex lock_;
    std::vector<std::unique_ptr<connection>> idle_;
};

[[noreturn]] void throw_exception_from_error(const http_failure& e, const boost::source_location&);

}  // namespace westerly
