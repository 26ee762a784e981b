#include "tools/client/http_client.hpp"

#include "tools/client/fingerprint.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url/parse.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace westerly {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using tcp = asio::ip::tcp;
using stream_type = beast::ssl_stream<beast::tcp_stream>;

namespace {

constexpr std::chrono::seconds connect_limit{10};
constexpr std::chrono::seconds answer_limit{60};
constexpr std::chrono::hours endless_limit{24};
constexpr std::uint64_t body_bytes_max = 256ull << 20;
constexpr std::size_t piece_bytes = 64 * 1024;

/// Runs one asynchronous operation to its end; the stream's own timer bounds it.
template <class Start>
beast::error_code run(asio::io_context& context, Start start) {
    beast::error_code outcome;
    start([&outcome](beast::error_code failed, auto&&...) { outcome = failed; });
    context.restart();
    context.run();
    return outcome;
}

error cannot_reach(const endpoint& to, const beast::error_code& why) {
    const std::string where = to.host + ":" + std::to_string(to.port);
    if (why == beast::error::timeout)
        return fail(errc::timed_out, "no answer from " + where + " in time",
                    "see that westerlyd runs there and answers /readyz");
    return fail(errc::provider_unavailable, "cannot talk to " + where + ": " + why.message(),
                "see that westerlyd runs there; `westerly login` changes the address");
}

}  // namespace

result<endpoint> parse_endpoint(std::string_view url) {
    const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
    if (!parsed || parsed->scheme() != "https" || parsed->host_address().empty())
        return fail(errc::invalid, "\"" + std::string(url) + "\" is not an address of a broker",
                    "write it as https://HOST:PORT");
    endpoint to;
    to.host = parsed->host_address();
    to.port = parsed->has_port() ? parsed->port_number() : std::uint16_t{8443};
    return to;
}

std::string http_response::header(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, [](const auto& h) { return std::string_view(h.first); });
    return found == headers.end() ? std::string() : found->second;
}

struct http_client::impl {
    endpoint to;
    std::string key;
    asio::io_context context;
    ssl::context tls{ssl::context::tls_client};
    std::optional<stream_type> stream;
    beast::flat_buffer buffer;

    impl(endpoint where, std::string secret) : to(std::move(where)), key(std::move(secret)) {
        SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    }

    result<void> trust() {
        boost::system::error_code failed;
        if (!to.fingerprint.empty()) {
            tls.set_verify_mode(ssl::verify_none);  // pinned: compared after the handshake
        } else if (!to.ca_file.empty()) {
            tls.load_verify_file(to.ca_file, failed);
            tls.set_verify_mode(ssl::verify_peer);
        } else {
            tls.set_default_verify_paths(failed);
            tls.set_verify_mode(ssl::verify_peer);
        }
        if (failed)
            return fail(errc::invalid, "cannot read " + to.ca_file + ": " + failed.message(),
                        "give a PEM file with --ca or WESTERLY_CA");
        return {};
    }

    result<void> connect() {
        if (auto trusted = trust(); !trusted)
            return trusted.error();
        tcp::resolver resolver(context);
        beast::error_code failed;
        const auto found = resolver.resolve(to.host, std::to_string(to.port), failed);
        if (failed)
            return cannot_reach(to, failed);
        stream.emplace(context, tls);
        buffer.clear();
        auto& socket = beast::get_lowest_layer(*stream);
        socket.expires_after(connect_limit);
        if ((failed = run(context, [&](auto done) { socket.async_connect(found, done); })))
            return lost(failed);
        socket.socket().set_option(tcp::no_delay(true), failed);
        if (to.fingerprint.empty())
            stream->set_verify_callback(ssl::host_name_verification(to.host));
        SSL_set_tlsext_host_name(stream->native_handle(), to.host.c_str());
        if ((failed = run(context, [&](auto done) { stream->async_handshake(ssl::stream_base::client, done); })))
            return lost(failed);
        if (!to.fingerprint.empty() && fingerprint_of(stream->native_handle()) != to.fingerprint) {
            stream.reset();
            return fail(errc::unauthenticated, "the broker's certificate is not the one that was trusted at login",
                        "if it was renewed, compare the fingerprint that westerlyd prints and log in again");
        }
        return {};
    }

    error lost(const beast::error_code& why) {
        stream.reset();
        return cannot_reach(to, why);
    }

    http::request<http::string_body> make(const http_request& request) const {
        http::request<http::string_body> made(http::string_to_verb(request.method), request.target, 11);
        made.set(http::field::host, to.host);
        made.set(http::field::user_agent, "westerly/0.1");
        if (!key.empty())
            made.set(http::field::authorization, "Bearer " + key);
        for (const auto& [name, value] : request.headers)
            made.set(name, value);
        if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
            made.set(http::field::content_type, request.content_type);
            made.body() = request.body;
            made.prepare_payload();
        }
        return made;
    }

    /// A kept connection may have been closed meanwhile: `retry` tells that nothing of an answer was read.
    result<http_response> exchange(const http_request& request, const std::function<bool(std::string_view)>& sink,
                                   bool& retry) {
        auto& socket = beast::get_lowest_layer(*stream);
        const auto limit = request.endless ? std::chrono::seconds(endless_limit) : answer_limit;
        socket.expires_after(limit);
        const auto made = make(request);
        if (const auto failed = run(context, [&](auto done) { http::async_write(*stream, made, done); })) {
            retry = true;
            return lost(failed);
        }
        http::response_parser<http::buffer_body> parser;
        parser.body_limit(body_bytes_max);
        if (const auto failed =
                run(context, [&](auto done) { http::async_read_header(*stream, buffer, parser, done); })) {
            retry = failed != beast::error::timeout;
            return lost(failed);
        }
        http_response answer;
        answer.status = parser.get().result_int();
        for (const auto& field : parser.get()) {
            std::string name(field.name_string());
            std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
            answer.headers.emplace_back(std::move(name), std::string(field.value()));
        }
        if (auto read = read_body(parser, answer, sink, limit); !read)
            return read.error();
        if (stream && !parser.keep_alive())
            stream.reset();
        return answer;
    }

    result<void> read_body(http::response_parser<http::buffer_body>& parser, http_response& answer,
                           const std::function<bool(std::string_view)>& sink, std::chrono::seconds limit) {
        std::string piece(piece_bytes, '\0');
        while (!parser.is_done()) {
            beast::get_lowest_layer(*stream).expires_after(limit);
            parser.get().body().data = piece.data();
            parser.get().body().size = piece.size();
            auto failed = run(context, [&](auto done) { http::async_read_some(*stream, buffer, parser, done); });
            if (failed == http::error::need_buffer)
                failed = {};
            if (failed)
                return lost(failed);
            const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
            if (!sink || answer.status >= 400) {
                answer.body += got;
            } else if (!got.empty() && !sink(got)) {
                stream.reset();
                return {};
            }
        }
        return {};
    }
};

http_client::http_client(endpoint to, std::string key) : impl_(std::make_unique<impl>(std::move(to), std::move(key))) {}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;

result<http_response> http_client::send(const http_request& request,
                                        const std::function<bool(std::string_view)>& sink) {
    const bool kept = impl_->stream.has_value();
    if (!kept)
        if (auto connected = impl_->connect(); !connected)
            return connected.error();
    bool retry = false;
    auto answer = impl_->exchange(request, sink, retry);
    if (answer || !kept || !retry)
        return answer;
    if (auto connected = impl_->connect(); !connected)
        return connected.error();
    return impl_->exchange(request, sink, retry);
}

result<std::string> fetch_fingerprint(const endpoint& of) {
    asio::io_context context;
    ssl::context tls(ssl::context::tls_client);
    tls.set_verify_mode(ssl::verify_none);
    stream_type stream(context, tls);
    beast::error_code failed;
    const auto found = tcp::resolver(context).resolve(of.host, std::to_string(of.port), failed);
    if (failed)
        return cannot_reach(of, failed);
    beast::get_lowest_layer(stream).expires_after(connect_limit);
    if ((failed = run(context, [&](auto done) { beast::get_lowest_layer(stream).async_connect(found, done); })))
        return cannot_reach(of, failed);
    if ((failed = run(context, [&](auto done) { stream.async_handshake(ssl::stream_base::client, done); })))
        return cannot_reach(of, failed);
    return fingerprint_of(stream.native_handle());
}

}  // namespace westerly
