#include "tools/load/engine/connection.hpp"

#include "tools/client/fingerprint.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace westerly {

namespace asio = boost::asio;
using boost::system::error_code;

struct load_peer {
    load_target to;
    std::vector<asio::ip::tcp::endpoint> endpoints;
    asio::ssl::context tls{asio::ssl::context::tls_client};
};

namespace {

using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
using tls_stream = asio::ssl::stream<tcp_socket>;

constexpr std::size_t answer_bytes_least = 16 * 1024, answer_bytes_max = 4 << 20;
constexpr auto never = std::chrono::steady_clock::time_point::max();

/// What broke, in a word that runs can be counted by.
std::string kind_of(error_code ec) {
    if (ec == asio::error::connection_refused)
        return "refused";
    if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe)
        return "reset";
    if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated)
        return "closed";
    if (ec.category() == asio::error::get_ssl_category())
        return "tls: " + ec.message();
    return ec.message();
}

/// A stream with the memory that its operations use. Each handler holds it: an operation that was cancelled still looks
/// at its stream when its turn comes.
struct wire {
    wire(asio::io_context& io, asio::ssl::context& tls) : stream(tcp_socket(io.get_executor()), tls) {}
    tls_stream stream;
    std::string out;
    std::vector<char> in = std::vector<char>(answer_bytes_least);
};

class connection final : public load_connection {
    // First, because its type is deduced.
    /// A handler that does nothing when the connection has ended since, and breaks it on an error.
    template <class Then>
    auto guarded(Then then) {
        return [this, life = life_, kept = wire_, then](error_code ec, auto&&...) {
            if (life != life_)
                return;
            if (ec)
                return end(kind_of(ec));
            then();
        };
    }

public:
    connection(asio::io_context& io, std::shared_ptr<load_peer> to, connection_events& tells, std::size_t number)
        : io_(io), peer_(std::move(to)), tells_(tells), number_(number), pause_(io) {}

    void open(std::chrono::milliseconds pause, moment limit) override {
        ++life_;
        have_ = head_ = whole_ = 0;
        asking_ = false;
        limit_ = limit + pause;
        wire_.reset();
        pause_.expires_after(pause);
        pause_.async_wait(guarded([this] { connect(); }));
    }

    void ask(const std::string& request, moment limit) override {
        wire_->out = request;
        asking_ = true;
        limit_ = limit;
        asio::async_write(wire_->stream, asio::buffer(wire_->out),
                          [this, life = life_, kept = wire_](error_code ec, std::size_t) {
                              if (ec && life == life_)
                                  end(kind_of(ec));
                          });
    }

    void look(moment now) override {
        if (now >= limit_)
            end("timed out");
    }

    void hurry(moment limit) override {
        if (limit_ != never)
            limit_ = std::min(limit_, limit);
    }

    void close() override {
        ++life_;
        limit_ = never;
        pause_.cancel();
        error_code ignored;
        if (wire_)
            wire_->stream.next_layer().close(ignored);
    }

private:
    void connect() {
        wire_ = std::make_shared<wire>(io_, peer_->tls);
        tls_stream* const stream = &wire_->stream;
        if (!peer_->to.trusted && peer_->to.fingerprint.empty())
            stream->set_verify_callback(asio::ssl::host_name_verification(peer_->to.host));
        SSL_set_tlsext_host_name(stream->native_handle(), peer_->to.host.c_str());
        asio::async_connect(stream->next_layer(), peer_->endpoints, guarded([this, stream] {
                                error_code ignored;
                                stream->next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
                                stream->async_handshake(asio::ssl::stream_base::client, guarded([this] { shaken(); }));
                            }));
    }

    void shaken() {
        const auto& expected = peer_->to.fingerprint;
        if (!peer_->to.trusted && !expected.empty() && fingerprint_of(wire_->stream.native_handle()) != expected)
            return end("tls: not the certificate that was trusted at login");
        limit_ = never;
        read();
        tells_.ready(number_);
    }

    void read() {
        std::vector<char>& in = wire_->in;
        wire_->stream.async_read_some(asio::buffer(in.data() + have_, in.size() - have_),
                                      [this, life = life_, kept = wire_](error_code ec, std::size_t got) {
                                          if (life != life_)
                                              return;
                                          if (ec)
                                              return end(kind_of(ec));
                                          have_ += got;
                                          arrived();
                                      });
    }

    void arrived() {
        if (!asking_)
            return end("an answer that nobody asked for");
        const std::string_view text(wire_->in.data(), have_);
        http_answer answer;
        if (head_ == 0) {
            const auto end_of_head = text.find("\r\n\r\n");
            if (end_of_head == std::string_view::npos)
                return more(have_ + 1);
            head_ = end_of_head + 4;
            answer.head = text.substr(0, head_);
            std::size_t length = 0;
            const auto value = answer.header("Content-Length");
            if (std::from_chars(value.data(), value.data() + value.size(), length).ec != std::errc())
                return end("an answer without a length");
            whole_ = head_ + std::min(length, answer_bytes_max);
        }
        if (have_ < whole_)
            return more(whole_);
        answer.head = text.substr(0, head_);
        answer.body = text.substr(head_, whole_ - head_);
        std::from_chars(text.data() + 9, text.data() + 12, answer.status);
        const bool closes = answer.header("Connection") == "close";
        asking_ = false;
        limit_ = never;
        const auto life = life_;
        tells_.answered(number_, answer);
        if (life != life_)
            return;
        if (closes)
            return end("closed");
        have_ = head_ = whole_ = 0;
        read();
        tells_.ready(number_);
    }

    void more(std::size_t wanted) {
        if (wanted > answer_bytes_max)
            return end("an answer of more than 4 MiB");
        std::vector<char>& in = wire_->in;
        if (wanted > in.size())
            in.resize(std::min(answer_bytes_max, std::max(wanted, 2 * in.size())));
        read();
    }

    void end(const std::string& what) {
        close();
        tells_.broke(number_, what);
    }

    asio::io_context& io_;
    const std::shared_ptr<load_peer> peer_;
    connection_events& tells_;
    const std::size_t number_;
    asio::steady_timer pause_;
    std::shared_ptr<wire> wire_;
    std::size_t have_ = 0, head_ = 0, whole_ = 0;
    bool asking_ = false;
    unsigned life_ = 0;  // handlers of an earlier one do nothing
    moment limit_ = never;
};

}  // namespace

std::shared_ptr<load_peer> resolve_peer(asio::io_context& io, const load_target& to, std::string& trouble) {
    auto peer = std::make_shared<load_peer>();
    peer->to = to;
    error_code failed;
    asio::ip::tcp::resolver resolver(io);
    for (const auto& one : resolver.resolve(to.host, std::to_string(to.port), failed))
        peer->endpoints.push_back(one.endpoint());
    if (failed) {
        trouble = to.host + ": " + failed.message();
        return nullptr;
    }
    if (!to.trusted && to.fingerprint.empty()) {
        peer->tls.set_verify_mode(asio::ssl::verify_peer);
        if (to.ca_file.empty())
            peer->tls.set_default_verify_paths(failed);
        else
            peer->tls.load_verify_file(to.ca_file, failed);
        if (failed) {
            trouble = "cannot read the authorities to trust: " + failed.message();
            return nullptr;
        }
    }
    return peer;
}

bool is_loopback(const std::string& host) {
    asio::io_context io;
    error_code failed;
    const auto found = asio::ip::tcp::resolver(io).resolve(host, "", failed);
    return !failed && !found.empty() &&
           std::ranges::all_of(found, [](const auto& one) { return one.endpoint().address().is_loopback(); });
}

std::unique_ptr<load_connection> make_connection(asio::io_context& io, std::shared_ptr<load_peer> to,
                                                 connection_events& tells, std::size_t number) {
    return std::make_unique<connection>(io, std::move(to), tells, number);
}

}  // namespace westerly
