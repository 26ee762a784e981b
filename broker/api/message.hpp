#pragma once

#include "broker/domain/records.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace westerly {

enum class http_method : std::uint8_t { get, head, post, put, delete_, options, other };
std::string_view to_string(http_method method);

/// One request as read from the wire. Every view points into memory that the session keeps until it has answered;
/// nothing here may be used after a handler has given its answer.
struct request {
    http_method method = http_method::get;
    std::string_view target;  // as sent: path, then '?' and query
    std::string_view body;
    std::string_view accept;
    std::string_view authorization;
    std::string_view content_type;
    std::string_view if_match;
    std::string_view if_none_match;
    std::string_view idempotency_key;
    std::string_view last_event_id;
    bool has_idempotency_key = false;
    bool from_loopback = false;
};

using query_parameters = std::vector<std::pair<std::string, std::string>>;

/// A body that comes in pieces. One `next` at a time; `stop` may come at any time from the session's thread, after
/// which the piece asked for is given (or never) and nothing more is asked. Pieces come on any thread.
class byte_source {
public:
    struct piece {
        std::string bytes;
        bool end = false;       // the last one
        bool broken = false;    // the rest cannot be had: the connection ends without the closing chunk
        milliseconds pause{0};  // with empty bytes: ask again after so long
    };
    using piece_done = std::function<void(piece)>;

    virtual ~byte_source() = default;
    virtual void next(piece_done done) = 0;
    virtual void stop() = 0;
    /// Written when nothing else was for a while, so that a dead peer is noticed; empty: nothing can be. The piece that
    /// was waited for is then thrown away: such a source must be able to give it at the next `next`.
    virtual std::string_view heartbeat() const { return {}; }
    /// Written last when the broker ends the stream; empty: it breaks off.
    virtual std::string_view farewell() const { return {}; }
};

/// What a handler gives. Content-Length, Date, Connection and the security headers are added when it is written.
struct response {
    int status = 200;
    std::string_view content_type = "application/json";  // empty: no body
    std::vector<std::pair<std::string_view, std::string>> headers;
    std::string body;
    std::shared_ptr<byte_source> stream;  // instead of body: chunked
    bool cacheable = false;               // false: Cache-Control: no-store; true: revalidate by ETag
    bool close = false;                   // end the connection after it
};

/// Where one request's answer goes; from any thread, the first one counts.
class answer_sink {
public:
    virtual ~answer_sink() = default;
    virtual void give(response made) = 0;
    /// `make` runs on the session's thread, so that the engine's and the store's threads do not write JSON.
    virtual void give_later(std::function<response()> make) = 0;
};
class responder {
public:
    explicit responder(std::shared_ptr<answer_sink> sink) : sink_(std::move(sink)) {}
    void operator()(response made) const { sink_->give(std::move(made)); }
    void later(std::function<response()> make) const { sink_->give_later(std::move(make)); }

private:
    std::shared_ptr<answer_sink> sink_;
};

/// Status line, headers and (if it is small) the body, ready for one write. `date` is an IMF-fixdate.
struct response_frame {
    bool head_only = false;  // HEAD: the body's length is told, its bytes are not sent
    bool keep_alive = true;
    bool http_1_0 = false;
    std::string_view date;
};
inline constexpr std::size_t body_joined_max = 64 * 1024;  // larger bodies are written beside the head, uncopied
std::string format_response(const response& answer, const response_frame& frame);

/// A piece of a streamed body as it is written, with the closing chunk behind it when it is the last.
std::string format_chunk(std::string_view bytes, bool chunked, bool end);

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(instant at);

response json_response(int status, std::string body);
response empty_response(int status);

}  // namespace westerly
