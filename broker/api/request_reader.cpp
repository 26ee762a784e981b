#include "broker/api/request_reader.hpp"

#include "broker/api/problem.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace westerly {
namespace {

namespace http = boost::beast::http;

// "0", and an empty line behind it. Beast aborts where it has seen that line's begin and is asked again with less.
constexpr std::size_t last_chunk_bytes = 5;

http_method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return http_method::get;
        case http::verb::head:
            return http_method::head;
        case http::verb::post:
            return http_method::post;
        case http::verb::put:
            return http_method::put;
        case http::verb::delete_:
            return http_method::delete_;
        case http::verb::options:
            return http_method::options;
        default:
            return http_method::other;
    }
}

response malformed(const boost::system::error_code& why) {
    if (why == http::error::header_limit || why == http::error::buffer_overflow)
        return problem(431, fail(errc::too_large, "the request's header is longer than 16 KiB", "send a shorter one"));
    if (why == http::error::bad_version)
        return problem(505, fail(errc::invalid, "this HTTP version is not spoken here", "use HTTP/1.1"));
    return not_http(why.message());
}

}  // namespace

struct request_reader::impl {
    http::request_parser<http::string_body> parser;
    std::size_t body_bytes_max = 0;
    std::size_t bytes_wanted = 0;  // with fewer the parser cannot go on

    std::string_view field(http::field name) const {
        const auto& fields = parser.get();
        const auto at = fields.find(name);
        return at == fields.end() ? std::string_view() : std::string_view(at->value().data(), at->value().size());
    }
};

request_reader::request_reader() : impl_(std::make_unique<impl>()) {
    impl_->parser.header_limit(header_bytes_max);
    impl_->parser.body_limit(boost::none);  // known when the route is: allow_body
}

request_reader::~request_reader() = default;

request_reader::fed request_reader::feed(std::string_view bytes) {
    fed out;
    if (bytes.size() < impl_->bytes_wanted)
        return out;
    boost::system::error_code ec;
    out.used = impl_->parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (ec == http::error::need_more) {
        impl_->bytes_wanted = bytes.size() - out.used + 1;
        if (head_done() && impl_->parser.chunked())
            impl_->bytes_wanted = std::max(impl_->bytes_wanted, last_chunk_bytes);
    } else if (ec == http::error::body_limit) {
        out.refused = body_refused(impl_->body_bytes_max);
    } else if (ec) {
        out.refused = malformed(ec);
    } else {
        impl_->bytes_wanted = 0;
    }
    return out;
}

void request_reader::allow_body(std::size_t bytes_max) {
    impl_->body_bytes_max = bytes_max;
    impl_->parser.body_limit(bytes_max);
    impl_->parser.eager(true);
}

bool request_reader::head_done() const {
    return impl_->parser.is_header_done();
}

bool request_reader::done() const {
    return impl_->parser.is_done();
}

void request_reader::describe(request& to) const {
    const auto& head = impl_->parser.get();
    to.method = method_of(head.method());
    to.target = {head.target().data(), head.target().size()};
    to.accept = impl_->field(http::field::accept);
    to.authorization = impl_->field(http::field::authorization);
    to.content_type = impl_->field(http::field::content_type);
    to.if_match = impl_->field(http::field::if_match);
    to.if_none_match = impl_->field(http::field::if_none_match);
    if (const auto at = head.find("Idempotency-Key"); at != head.end()) {
        to.has_idempotency_key = true;
        to.idempotency_key = {at->value().data(), at->value().size()};
    }
    if (const auto at = head.find("Last-Event-ID"); at != head.end())
        to.last_event_id = {at->value().data(), at->value().size()};
}

std::string_view request_reader::body() const {
    return impl_->parser.get().body();
}

std::optional<std::uint64_t> request_reader::content_length() const {
    const auto told = impl_->parser.content_length();
    return told ? std::optional<std::uint64_t>(*told) : std::nullopt;
}

std::string_view request_reader::expect() const {
    return impl_->field(http::field::expect);
}

bool request_reader::keep_alive() const {
    return impl_->parser.get().keep_alive();
}

bool request_reader::http_1_0() const {
    return impl_->parser.get().version() == 10;
}

bool request_reader::has_one_host() const {
    return impl_->parser.get().count(http::field::host) == 1;
}

response not_http(const std::string& why) {
    return problem(
        400, fail(errc::invalid, "the request is not well-formed HTTP: " + why, "send HTTP/1.1 with a correct header"));
}

response body_refused(std::size_t bytes_max) {
    if (bytes_max == 0)
        return problem(400, fail(errc::invalid, "this request takes no body", "send it without one"));
    return problem(fail(errc::too_large, "the body is longer than " + std::to_string(bytes_max) + " bytes",
                        "send less; code and small inputs go to POST /v1/bundles, data is fetched by the task"));
}

response too_slow() {
    return problem(408, fail(errc::timed_out, "the request did not come in time", "send it faster"));
}

}  // namespace westerly
