// The one file of this adapter that sees Beast.
#include "adapters/slurm/http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <optional>

namespace westerly {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t idle_max = 2;  // each holds four descriptors, and a new one costs little beside Slurm's answer

}  // namespace

struct http_client::target {
    bool tls = false;
    std::string host;
    std::string port;
    asio::ssl::context trust{asio::ssl::context::tls_client};
    std::chrono::seconds timeout{20};
    std::size_t body_max = 0;
};

/// Each runs its own little loop, so that every step has a time limit although the caller just waits.
struct http_client::connection {
    explicit connection(const target& to) : to_(to), plain_(loop_) {
        if (to.tls)
            secure_.emplace(plain_, const_cast<asio::ssl::context&>(to.trust));
    }

    /// Empty, or what went wrong; nothing of a request was sent then.
    std::string open() {
        tcp::resolver resolver(loop_);
        error_code code;
        const auto found = resolver.resolve(to_.host, to_.port, code);
        if (code)
            return to_.host + " cannot be resolved: " + code.message();
        plain_.expires_after(to_.timeout);
        plain_.async_connect(found, [&](const error_code& e, const tcp::endpoint&) { code = e; });
        run();
        if (code)
            return "no connection to " + to_.host + ':' + to_.port + ": " + code.message();
        plain_.socket().set_option(tcp::no_delay(true), code);
        if (!secure_)
            return {};
        ::SSL_set_tlsext_host_name(secure_->native_handle(), to_.host.c_str());
        secure_->set_verify_callback(asio::ssl::host_name_verification(to_.host));
        secure_->async_handshake(asio::ssl::stream_base::client, [&](const error_code& e) { code = e; });
        run();
        return code ? "TLS with " + to_.host + ": " + code.message() : std::string();
    }

    struct outcome {
        error_code code;
        bool answered_nothing = false;  // closed before any byte of an answer
        bool keep = false;
        http_answer answer;
    };
    outcome exchange(const http_ask& ask) {
        http::request<http::string_body> request(http::string_to_verb(ask.method), ask.path, 11);
        request.set(http::field::host, to_.host + ':' + to_.port);
        request.set(http::field::accept, "application/json");
        for (const auto& [name, value] : ask.headers)
            request.set(name, value);
        if (!ask.body.empty()) {
            request.set(http::field::content_type, "application/json");
            request.body() = ask.body;
        }
        request.prepare_payload();
        http::response_parser<http::string_body> reply;
        reply.body_limit(to_.body_max);
        outcome out;
        plain_.expires_after(to_.timeout);
        const auto on_stream = [&](auto& stream) {
            http::async_write(stream, request, [&](const error_code& e, std::size_t) { out.code = e; });
            run();
            if (out.code)
                return;
            http::async_read(stream, buffer_, reply, [&](const error_code& e, std::size_t) { out.code = e; });
            run();
        };
        secure_ ? on_stream(*secure_) : on_stream(plain_);
        out.answered_nothing = !reply.got_some();
        if (out.code)
            return out;
        out.keep = reply.keep_alive();
        auto message = reply.release();
        out.answer = {static_cast<int>(message.result_int()), std::string(message[http::field::content_type]),
                      std::move(message.body())};
        return out;
    }

private:
    void run() {
        loop_.restart();
        loop_.run();
    }

    const target& to_;
    asio::io_context loop_{1};
    beast::tcp_stream plain_;
    std::optional<asio::ssl::stream<beast::tcp_stream&>> secure_;
    beast::flat_buffer buffer_;
};

http_client::http_client(const std::string& endpoint, const std::string& ca_file, std::chrono::seconds timeout,
                         std::size_t body_max)
    : target_(std::make_unique<target>()) {
    target& to = *target_;
    to.tls = endpoint.starts_with("https://");
    const auto authority = endpoint.substr(endpoint.find("://") + 3);
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
    to.host = authority.substr(0, has_port ? colon : authority.size());
    if (to.host.starts_with('[') && to.host.ends_with(']'))
        to.host = to.host.substr(1, to.host.size() - 2);
    to.port = has_port ? authority.substr(colon + 1) : to.tls ? "443" : "80";
    to.timeout = timeout;
    to.body_max = body_max;
    to.trust.set_verify_mode(asio::ssl::verify_peer);
    if (ca_file.empty())
        to.trust.set_default_verify_paths();
    else
        to.trust.load_verify_file(ca_file);
}

http_client::~http_client() = default;

std::unique_ptr<http_client::connection> http_client::take_idle() {
    const std::lock_guard hold(lock_);
    if (idle_.empty())
        return nullptr;
    auto last = std::move(idle_.back());
    idle_.pop_back();
    return last;
}

void http_client::keep(std::unique_ptr<connection> idle) {
    const std::lock_guard hold(lock_);
    if (idle_.size() < idle_max)
        idle_.push_back(std::move(idle));
}

boost::system::result<http_answer, http_failure> http_client::call(const http_ask& ask) {
    if (ask.repeatable)
        if (auto idle = take_idle()) {
            auto out = idle->exchange(ask);
            if (!out.code) {
                if (out.keep)
                    keep(std::move(idle));
                return std::move(out.answer);
            }
            // The server may have closed it while it was idle: once more on a fresh one.
            if (out.code == beast::error::timeout || !out.answered_nothing)
                return http_failure{true, out.code.message()};
        }
    auto fresh = std::make_unique<connection>(*target_);
    if (auto failed = fresh->open(); !failed.empty())
        return http_failure{false, std::move(failed)};
    auto out = fresh->exchange(ask);
    if (out.code)
        return http_failure{true, out.code.message()};
    if (out.keep)
        keep(std::move(fresh));
    return std::move(out.answer);
}

void throw_exception_from_error(const http_failure& e, const boost::source_location&) {
    throw std::runtime_error(e.why);  // only reached by .value() on a failure: a bug
}

}  // namespace westerly
