#pragma once

#include "broker/api/message.hpp"

#include <optional>

namespace westerly {

inline constexpr std::uint32_t header_bytes_max = 16 * 1024;

/// One request as its bytes come in; wraps the HTTP parser. First the head is fed, then (once the route is known and
/// with it the limit) the body. One thread.
class request_reader {
public:
    request_reader();
    ~request_reader();
    request_reader(const request_reader&) = delete;
    request_reader& operator=(const request_reader&) = delete;

    /// Takes bytes of the head, or of the body after `allow_body`; gives how many were used. Bytes that are not used
    /// belong to what follows, or are to be fed again with more behind them. An answer is what the request ends with.
    struct fed {
        std::size_t used = 0;
        std::optional<response> refused;
    };
    fed feed(std::string_view bytes);
    void allow_body(std::size_t bytes_max);

    bool head_done() const;
    bool done() const;  // head and body

    // After the head:
    void describe(request& to) const;  // everything but the body; views into this reader
    std::string_view body() const;
    std::optional<std::uint64_t> content_length() const;
    std::string_view expect() const;
    bool keep_alive() const;
    bool http_1_0() const;
    bool has_one_host() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

// What a request that cannot be read ends with.
response not_http(const std::string& why);
response body_refused(std::size_t bytes_max);
response too_slow();

}  // namespace westerly
