#include "tests/bench/http_load.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <memory>
#include <stdexcept>

namespace westerly {

namespace asio = boost::asio;

namespace {

using boost::system::error_code;
using steady = std::chrono::steady_clock;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;

constexpr std::chrono::seconds patience{30};
constexpr std::size_t answer_bytes_max = 256 * 1024;

/// What all connections of one load share.
struct load {
    const load_options& options;
    const make_request& make;
    const take_answer& take;
    load_result result;
    steady::time_point begun{}, ends{};
    std::size_t shaking = 0;
    std::size_t open = 0;
    std::function<void()> all_ready{}, all_done{};
};

class connection {
public:
    connection(asio::io_context& io, asio::ssl::context& tls, load& of, std::size_t number)
        : load_(of), number_(number), stream_(tcp_socket(io.get_executor()), tls) {
        in_.resize(answer_bytes_max);
    }

    void open() {
        const asio::ip::tcp::endpoint to(asio::ip::address_v4::loopback(), load_.options.port);
        stream_.next_layer().async_connect(to, [this](error_code ec) {
            if (ec)
                return end(ec);
            stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ec);
            stream_.async_handshake(asio::ssl::stream_base::client, [this](error_code failed) {
                if (failed)
                    return end(failed);
                if (--load_.shaking == 0)
                    load_.all_ready();
            });
        });
    }

    void next() {
        out_.clear();
        sent_at_ = steady::now();
        if (sent_at_ >= load_.ends || !load_.make(number_, out_))
            return end({});
        asio::async_write(stream_, asio::buffer(out_), [this](error_code ec, std::size_t) {
            if (ec)
                return end(ec);
            have_ = head_ = whole_ = 0;
            read();
        });
    }

    void close() {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }

private:
    void read() {
        stream_.async_read_some(asio::buffer(in_.data() + have_, in_.size() - have_),
                                [this](error_code ec, std::size_t got) {
                                    if (ec)
                                        return end(ec);
                                    have_ += got;
                                    arrived();
                                });
    }

    void arrived() {
        const std::string_view text(in_.data(), have_);
        http_answer answer;
        if (head_ == 0) {
            const auto end_of_head = text.find("\r\n\r\n");
            if (end_of_head == std::string_view::npos)
                return read();
            head_ = end_of_head + 4;
            answer.head = text.substr(0, head_);
            std::size_t length = 0;
            const auto value = answer.header("Content-Length");
            std::from_chars(value.data(), value.data() + value.size(), length);
            whole_ = head_ + length;
        }
        if (whole_ > in_.size())
            return end(asio::error::message_size);
        if (have_ < whole_)
            return read();
        answer.head = text.substr(0, head_);
        answer.body = text.substr(head_, whole_ - head_);
        std::from_chars(text.data() + 9, text.data() + 12, answer.status);
        const std::chrono::duration<float, std::milli> took = steady::now() - sent_at_;
        load_.result.latency_ms.push_back(took.count());
        ++load_.result.answers;
        load_.take(number_, answer);
        next();
    }

    void end(error_code why) {
        if (why && load_.result.trouble.empty())
            load_.result.trouble = "connection " + std::to_string(number_) + ": " + why.message();
        close();
        if (--load_.open == 0)
            load_.all_done();
    }

    load& load_;
    const std::size_t number_;
    asio::ssl::stream<tcp_socket> stream_;
    std::string out_;
    std::vector<char> in_;
    std::size_t have_ = 0, head_ = 0, whole_ = 0;
    steady::time_point sent_at_{};
};

}  // namespace

std::string_view http_answer::header(std::string_view name) const {
    for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        const auto line = head.substr(at + 2);
        if (line.size() > name.size() + 2 && line.starts_with(name) && line[name.size()] == ':')
            return line.substr(name.size() + 2, line.find("\r\n") - name.size() - 2);
    }
    return {};
}

load_result run_load(const load_options& options, const make_request& make, const take_answer& take) {
    asio::io_context io{1};
    asio::ssl::context tls(asio::ssl::context::tls_client);
    load all{options, make, take, {}};
    all.result.latency_ms.reserve(1 << 20);
    asio::steady_timer limit(io);
    std::vector<std::unique_ptr<connection>> connections;
    all.shaking = all.open = options.connections;
    all.all_ready = [&] {
        all.begun = steady::now();
        all.ends = all.begun + std::chrono::duration_cast<steady::duration>(options.length);
        for (const auto& one : connections)
            one->next();
    };
    all.all_done = [&] {
        limit.cancel();
    };
    for (std::size_t i = 0; i < options.connections; ++i)
        connections.push_back(std::make_unique<connection>(io, tls, all, i));
    for (const auto& one : connections)
        one->open();
    limit.expires_after(patience + std::chrono::duration_cast<steady::duration>(options.length));
    limit.async_wait([&](error_code ec) {
        if (ec)
            return;
        all.result.trouble = "the server did not answer in time";
        for (const auto& one : connections)
            one->close();
    });
    io.run();
    all.result.seconds = std::chrono::duration<double>(steady::now() - all.begun).count();
    return std::move(all.result);
}

std::string format_request(std::string_view method, std::string_view target, std::string_view key,
                           std::string_view body, std::string_view idempotency_key) {
    std::string out;
    out.reserve(320 + body.size());
    out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    if (!key.empty())
        out.append("Authorization: Bearer ").append(key).append("\r\n");
    if (!idempotency_key.empty())
        out.append("Idempotency-Key: ").append(idempotency_key).append("\r\n");
    if (method == "POST")
        out.append("Content-Type: application/json\r\nContent-Length: ")
            .append(std::to_string(body.size()))
            .append("\r\n");
    return out.append("\r\n").append(body);
}

whole_answer ask_once(std::uint16_t port, const std::string& request) {
    whole_answer got;
    bool asked = false;
    const auto done = run_load(
        {.port = port, .connections = 1},
        [&](std::size_t, std::string& out) {
            out = request;
            return !std::exchange(asked, true);
        },
        [&](std::size_t, const http_answer& answer) {
            got = {answer.status, std::string(answer.body)};
        });
    if (!done.trouble.empty())
        throw std::runtime_error("no answer from port " + std::to_string(port) + ": " + done.trouble);
    return got;
}

}  // namespace westerly
