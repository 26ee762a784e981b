// The one file of this room that sees Asio and Beast.
#include "broker/feeds/http_get.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url.hpp>

#include <chrono>

namespace westerly {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_for_stop_every{100};
constexpr std::size_t header_max = 16 << 10;

struct address {
    bool tls = false;
    std::string host, port, target;
};

result<address> address_of(const std::string& url) {
    const auto read = boost::urls::parse_uri(url);
    if (!read || (read->scheme() != "http" && read->scheme() != "https") || read->host().empty())
        return fail(errc::invalid, url + " is not a web address", "give http:// or https://");
    address found;
    found.tls = read->scheme() == "https";
    found.host = read->host_address();
    found.port = read->has_port() ? std::string(read->port()) : found.tls ? "443" : "80";
    found.target = std::string(read->encoded_target());
    if (found.target.empty() || found.target.front() != '/')
        found.target.insert(found.target.begin(), '/');
    return found;
}

/// One exchange on its own little loop, so that every step has a limit and `stop` is noticed although the caller waits.
class exchange {
public:
    exchange(const http_question& ask, address to, std::stop_token stop)
        : ask_(ask), to_(std::move(to)), stop_(std::move(stop)), until_(steady::now() + ask.timeout) {}

    result<std::string> run() {
        if (auto opened = open(); !opened)
            return opened.error();
        http::request<http::empty_body> request(http::verb::get, to_.target, 11);
        request.set(http::field::host, to_.host);
        request.set(http::field::accept, "application/json");
        request.set(http::field::user_agent, "westerlyd");
        for (const auto& [name, value] : ask_.headers)
            request.set(name, value);
        http::response_parser<http::string_body> reply;
        reply.body_limit(ask_.body_max);
        reply.header_limit(header_max);
        beast::flat_buffer buffer;
        error_code code;
        on_stream([&](auto& stream) {
            http::async_write(stream, request, [&](error_code e, std::size_t) {
                code = e;
                if (!e)
                    http::async_read(stream, buffer, reply, [&](error_code e2, std::size_t) { code = e2; });
            });
        });
        if (auto waited = wait("the answer"); !waited)
            return waited.error();
        if (code == http::error::body_limit || code == http::error::header_limit)
            return fail(errc::too_large, "the answer is larger than " + std::to_string(ask_.body_max) + " bytes");
        if (code)
            return failed("no answer from", code);
        if (reply.get().result() != http::status::ok)
            return fail(errc::provider_unavailable,
                        to_.host + " answers " + std::to_string(reply.get().result_int()) + " to " + to_.target);
        return std::move(reply.get().body());
    }

private:
    error failed(const std::string& what, const error_code& code) const {
        return fail(errc::provider_unavailable, what + " " + to_.host + ":" + to_.port + ": " + code.message());
    }

    result<void> wait(const std::string& what) {
        loop_.restart();
        while (!loop_.stopped()) {
            if (stop_.stop_requested() || steady::now() >= until_) {
                on_stream([](auto& stream) { beast::get_lowest_layer(stream).cancel(); });
                resolver_.cancel();
                loop_.restart();
                loop_.run_for(look_for_stop_every);
                return fail(errc::timed_out, "waited too long for " + what + " of " + to_.host);
            }
            loop_.run_for(look_for_stop_every);
        }
        return {};
    }

    result<void> open() {
        error_code code;
        tcp::resolver::results_type found;
        resolver_.async_resolve(to_.host, to_.port, [&](error_code e, tcp::resolver::results_type all) {
            code = e;
            found = std::move(all);
        });
        if (auto waited = wait("the name"); !waited)
            return waited;
        if (code)
            return failed("no such host:", code);
        plain_.async_connect(found, [&](error_code e, const tcp::endpoint&) { code = e; });
        if (auto waited = wait("the connection"); !waited)
            return waited;
        if (code)
            return failed("no connection to", code);
        return to_.tls ? secure() : result<void>();
    }

    result<void> secure() {
        error_code code;
        if (ask_.ca_file.empty())
            trust_.set_default_verify_paths(code);
        else
            trust_.load_verify_file(ask_.ca_file.string(), code);
        if (code)
            return failed("no certificates to trust for", code);
        trust_.set_verify_mode(asio::ssl::verify_peer);
        secure_.emplace(plain_, trust_);
        ::SSL_set_tlsext_host_name(secure_->native_handle(), to_.host.c_str());
        secure_->set_verify_callback(asio::ssl::host_name_verification(to_.host));
        secure_->async_handshake(asio::ssl::stream_base::client, [&](error_code e) { code = e; });
        if (auto waited = wait("the handshake"); !waited)
            return waited;
        return code ? result<void>(failed("no TLS with", code)) : result<void>();
    }

    template <class Do>
    void on_stream(Do what) {
        if (secure_)
            what(*secure_);
        else
            what(plain_);
    }

    const http_question& ask_;
    const address to_;
    const std::stop_token stop_;
    const steady::time_point until_;
    asio::io_context loop_{1};
    tcp::resolver resolver_{loop_};
    beast::tcp_stream plain_{loop_};
    asio::ssl::context trust_{asio::ssl::context::tls_client};
    std::optional<beast::ssl_stream<beast::tcp_stream&>> secure_;
};

}  // namespace

result<std::string> http_get(const http_question& ask, std::stop_token stop) {
    auto to = address_of(ask.url);
    if (!to)
        return to.error();
    return exchange(ask, std::move(*to), std::move(stop)).run();
}

}  // namespace westerly
