#include "broker/api/session.hpp"

#include "broker/api/answer_slot.hpp"
#include "broker/api/dispatch.hpp"
#include "broker/api/problem.hpp"
#include "broker/api/request_reader.hpp"
#include "broker/support/log.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

// g++ 12 takes Asio's recycled coroutine frames for a mismatched new and delete where it inlines only one of the two.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace westerly {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
using tls_stream = asio::ssl::stream<tcp_socket>;
using pause_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, executor>;
using asio::redirect_error;
template <class T>
using task = asio::awaitable<T, executor>;
constexpr asio::use_awaitable_t<executor> use_task;

constexpr std::size_t read_bytes = 16 * 1024;           // one TLS record
constexpr std::size_t buffer_bytes_max = 64 * 1024;     // what may lie read and not yet parsed
constexpr std::size_t body_discard_max = 64 * 1024;     // of a refused request, so that its connection can go on
constexpr std::size_t linger_bytes_max = 64 << 20;      // of a refused body, so that its sender reads the answer
constexpr std::size_t slowest_bytes_per_s = 64 * 1024;  // a longer body gets a second more for each of these
constexpr seconds handshake_timeout{10};
constexpr seconds head_timeout{10};
constexpr seconds close_timeout{2};
constexpr seconds heartbeat_after{15};
constexpr auto never = steady_moment::max();
constexpr unsigned char tls_handshake_record = 0x16;

enum class stage : std::uint8_t { handshake, idle, head, body, handling, writing, streaming, closing };

/// A request with the reader that owns its bytes.
struct wire_exchange : exchange {
    request_reader reader;
};

/// Waits for a value; the coroutine's frame is the handler.
template <class T>
auto wait_for(pending<T>& value) {
    return asio::async_initiate<const asio::use_awaitable_t<executor>, void()>(
        [](auto handler, pending<T>* waited) {
            auto kept = std::make_shared<decltype(handler)>(std::move(handler));
            waited->when_ready([kept] { std::move (*kept)(); });
        },
        use_task, &value);
}

/// A stream without last words breaks off, so that nobody takes what was given for the whole.
byte_source::piece farewell_of(const byte_source& source) {
    return {.bytes = std::string(source.farewell()), .end = true, .broken = source.farewell().empty()};
}

class tls_session final : public session, public std::enable_shared_from_this<tls_session> {
public:
    tls_session(session_host& host, accepted_socket from, const tls_context& tls, std::function<void(session*)> ended)
        : host_(host),
          house_(host.house),
          stream_(
              tcp_socket(host.io.get_executor(), from.v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), from.descriptor),
              SSL_new(tls.get())),
          pause_(host.io.get_executor()),
          buffer_(buffer_bytes_max),
          place_(std::move(from.place)),
          ended_(std::move(ended)),
          from_loopback_(from.from_loopback) {}

    ~tls_session() override { house_.metrics.connection_closed(); }

    void start() {
        house_.metrics.connection_opened();
        asio::co_spawn(host_.io, run(shared_from_this()),
                       [self = shared_from_this()](std::exception_ptr failed) { self->finished(failed); });
    }

    void tick(steady_moment now) override {
        if (now >= deadline_)
            return time_out(now);
        if (stage_ != stage::streaming || !piece_)
            return;
        if (peer_gone())
            piece_->give({.bytes = {}, .end = true, .broken = true});
        else if (!source_->heartbeat().empty() && now - written_at_ >= heartbeat_after)
            piece_->give({std::string(source_->heartbeat())});
    }

    void end_soon() override {
        draining_ = true;
        if (stage_ == stage::idle || stage_ == stage::handshake)
            stream_.next_layer().cancel(ignored_);
        if (stage_ == stage::streaming)
            end_stream(farewell_of(*source_));
    }

    void end_now() override {
        draining_ = true;
        if (answer_)
            answer_->give({problem(fail(errc::shutting_down, "the broker is shutting down", "ask again later")), {}});
        if (stage_ == stage::streaming)
            end_stream({.bytes = {}, .end = true, .broken = true});
        stream_.next_layer().close(ignored_);
    }

private:
    static task<void> run(std::shared_ptr<tls_session> self) {
        auto& s = *self;
        bool going = co_await s.greet();
        if (going) {
            while (going)
                going = co_await s.serve_one();
            co_await s.shut_down();
        }
    }

    void finished(std::exception_ptr failed) {
        stream_.next_layer().close(ignored_);
        try {
            if (failed)
                std::rethrow_exception(failed);
        } catch (const std::exception& e) {
            log_event(log_level::error, "api.session_failed", {{"what", std::string(e.what())}});
        }
        ended_(this);
    }

    void enter(stage next, seconds at_most) {
        stage_ = next;
        deadline_ = std::chrono::steady_clock::now() + at_most;
    }

    /// A deadline passed: whatever waits is ended so that the coroutine goes on to what fits its stage. The next tick
    /// does it again if that did not help: what completes at this moment cannot be cancelled, and reads on.
    void time_out(steady_moment now) {
        deadline_ = now;
        const bool again = std::exchange(timed_out_, true);
        switch (stage_) {
            case stage::handling:
                answer_->give({problem(fail(errc::timed_out, "the broker did not answer in time",
                                            "whether it was done is not known: look, or repeat with the same "
                                            "Idempotency-Key")),
                               {}});
                break;
            case stage::head:
            case stage::body:
                if (!again)
                    house_.metrics.refused(api_metrics::refusal::slow);
                stream_.next_layer().cancel(ignored_);
                break;
            case stage::idle:
                stream_.next_layer().cancel(ignored_);
                break;
            case stage::handshake:
                if (!again)
                    house_.metrics.refused(api_metrics::refusal::slow);
                stream_.next_layer().close(ignored_);
                break;
            case stage::writing:
            case stage::streaming:
            case stage::closing:
                stream_.next_layer().close(ignored_);
                break;
        }
    }

    void end_stream(byte_source::piece last) {
        stream_ending_ = true;
        farewell_ = last;
        source_->stop();
        pause_.cancel();
        if (piece_)
            piece_->give(std::move(last));
    }

    /// The peer has closed or lost its side. Nothing is read while a stream runs, so the kernel is asked.
    bool peer_gone() {
        pollfd one{stream_.next_layer().native_handle(), POLLRDHUP, 0};
        return poll(&one, 1, 0) == 1 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    }

    /// TLS, or a clear answer to one who speaks plain HTTP here.
    task<bool> greet() {
        enter(stage::handshake, std::min(handshake_timeout, house_.options.idle_timeout));
        error_code ec;
        auto& socket = stream_.next_layer();
        unsigned char first = 0;
        ssize_t got = 0;
        // Asio may say "ready" when it was another socket that was, one that had this one's place in its reactor
        // before.
        do {
            co_await socket.async_wait(tcp_socket::wait_read, redirect_error(use_task, ec));
            got = ec ? 0 : recv(socket.native_handle(), &first, 1, MSG_PEEK);
        } while (got < 0 && (errno == EAGAIN || errno == EINTR));
        if (got != 1)
            co_return false;
        if (first != tls_handshake_record) {
            house_.metrics.refused(api_metrics::refusal::plain_http);
            if (first >= 'A' && first <= 'Z')
                co_await refuse_plain_http();
            co_return false;
        }
        co_await stream_.async_handshake(asio::ssl::stream_base::server, redirect_error(use_task, ec));
        if (ec)
            house_.metrics.refused(api_metrics::refusal::handshake);
        co_return !ec;
    }

    task<void> refuse_plain_http() {
        auto answer = problem(400, fail(errc::invalid, "this port speaks HTTPS only", "use https:// in the address"));
        const std::string text = format_response(answer, {.keep_alive = false, .date = host_.date});
        error_code ec;
        auto& socket = stream_.next_layer();
        co_await asio::async_write(socket, asio::buffer(text), redirect_error(use_task, ec));
        enter(stage::closing, close_timeout);
        co_await linger();
    }

    /// Reads and throws away until the peer closes, so that it is not reset before it has read our last words.
    task<void> linger() {
        auto& socket = stream_.next_layer();
        socket.shutdown(tcp_socket::shutdown_send, ignored_);
        std::array<char, 4096> room;
        error_code ec;
        for (std::size_t read = 0; !ec && read < linger_bytes_max;)
            read += co_await socket.async_read_some(asio::buffer(room), redirect_error(use_task, ec));
    }

    task<void> shut_down() {
        enter(stage::closing, close_timeout);
        error_code ec;
        co_await stream_.async_shutdown(redirect_error(use_task, ec));
        if (linger_)
            co_await linger();
    }

    task<bool> read_some() {
        if (buffer_.size() == buffer_.max_size())
            co_return false;
        error_code ec;
        const auto room = buffer_.prepare(std::min(read_bytes, buffer_.max_size() - buffer_.size()));
        const std::size_t got = co_await stream_.async_read_some(room, redirect_error(use_task, ec));
        buffer_.commit(got);
        co_return !ec && !timed_out_;
    }

    /// One request and its answer; false: the connection ends.
    task<bool> serve_one() {
        timed_out_ = false;
        if (buffer_.size() == 0) {
            if (draining_)
                co_return false;
            enter(stage::idle, house_.options.idle_timeout);
            const bool more = co_await read_some();
            if (!more)
                co_return false;
        }
        auto x = std::make_shared<wire_exchange>();
        enter(stage::head, std::min(head_timeout, house_.options.idle_timeout));
        while (true) {
            auto refused = feed(x->reader);
            if (refused)
                co_return co_await refuse(*x, std::move(*refused));
            if (x->reader.head_done())
                break;
            const bool more = co_await read_some();
            if (!more && !timed_out_)
                co_return false;
            if (!more)
                co_return co_await refuse(*x, too_slow());
        }
        const auto began = std::chrono::steady_clock::now();
        x->reader.describe(x->http);
        x->http.from_loopback = from_loopback_;
        if (auto refused = admit(house_, *x, x->reader))
            co_return co_await answer_early(*x, std::move(*refused), began);
        if (auto refused = co_await read_body(*x))
            co_return co_await refuse(*x, std::move(*refused));
        const auto whole = std::chrono::steady_clock::now();
        auto answer = co_await ask_handler(x);
        house_.metrics.answered(x->match.index, answer.status, std::chrono::steady_clock::now() - whole);
        co_return co_await reply(*x, std::move(answer));
    }

    /// Gives the reader what lies in the buffer; an answer means that the request ends with it.
    std::optional<response> feed(request_reader& to) {
        if (buffer_.size() == 0 || to.done())
            return std::nullopt;
        auto fed = to.feed({static_cast<const char*>(buffer_.data().data()), buffer_.size()});
        buffer_.consume(fed.used);
        return std::move(fed.refused);
    }

    /// Reads the body; a response means that it is refused.
    task<std::optional<response>> read_body(wire_exchange& x) {
        const auto allowed = body_bytes_allowed(house_, x);
        const auto announced = x.reader.content_length().value_or(allowed);
        enter(stage::body, house_.options.request_timeout + seconds(announced / slowest_bytes_per_s));
        x.reader.allow_body(allowed);
        if (!x.reader.done() && buffer_.size() == 0 && !x.reader.expect().empty()) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            error_code ec;
            co_await asio::async_write(stream_, asio::buffer(go_on), redirect_error(use_task, ec));
        }
        while (true) {
            auto refused = feed(x.reader);
            if (refused)
                co_return std::move(refused);
            if (x.reader.done())
                break;
            const bool more = co_await read_some();
            if (!more)
                co_return timed_out_ ? too_slow() : not_http("the body ends early");
        }
        x.http.body = x.reader.body();
        co_return std::nullopt;
    }

    task<response> ask_handler(std::shared_ptr<wire_exchange> x) {
        enter(stage::handling, house_.options.request_timeout);
        answer_ = make_pending<given_answer>();
        run_handler(house_, x, responder(std::make_shared<pending_sink>(answer_)), host_.on_helper);
        answer_->started();
        if (!answer_->ready())
            co_await wait_for(*answer_);
        auto given = answer_->take();
        answer_.reset();
        co_return response_of(std::move(given), *x);
    }

    template <class T>
    std::shared_ptr<pending<T>> make_pending() {
        return std::make_shared<pending<T>>(host_.gate);
    }

    /// An answer before the body was read: a short body is thrown away so that the connection can go on.
    task<bool> answer_early(wire_exchange& x, response answer, steady_moment began) {
        house_.metrics.answered(x.match.found != nullptr ? x.match.index : routes().size(), answer.status,
                                std::chrono::steady_clock::now() - began);
        if (x.reader.done())
            co_return co_await reply(x, std::move(answer));
        if (x.reader.content_length().value_or(body_discard_max + 1) > body_discard_max || !x.reader.expect().empty())
            co_return co_await refuse(x, std::move(answer));
        enter(stage::body, std::min(head_timeout, house_.options.idle_timeout));
        x.reader.allow_body(body_discard_max);
        while (true) {
            auto refused = feed(x.reader);
            if (refused)
                co_return co_await refuse(x, std::move(*refused));
            if (x.reader.done())
                break;
            const bool more = co_await read_some();
            if (!more)
                co_return false;
        }
        co_return co_await reply(x, std::move(answer));
    }

    /// The last answer of this connection; what its sender still sends is thrown away.
    task<bool> refuse(wire_exchange& x, response answer) {
        house_.metrics.refused(api_metrics::refusal::malformed);
        answer.close = true;
        linger_ = true;
        co_return co_await reply(x, std::move(answer));
    }

    task<bool> reply(wire_exchange& x, response answer) {
        finish(x, answer);
        response_frame frame;
        frame.head_only = x.http.method == http_method::head;
        frame.http_1_0 = x.reader.head_done() && x.reader.http_1_0();
        frame.keep_alive = x.reader.head_done() && x.reader.keep_alive() && !answer.close && !draining_ &&
                           !(answer.stream && frame.http_1_0);
        frame.date = host_.date;
        const std::string text = format_response(answer, frame);
        const bool body_apart = !answer.stream && !frame.head_only && answer.body.size() > body_joined_max;
        enter(stage::writing,
              house_.options.idle_timeout + seconds((text.size() + answer.body.size()) / slowest_bytes_per_s));
        error_code ec;
        co_await asio::async_write(stream_, asio::buffer(text), redirect_error(use_task, ec));
        if (!ec && body_apart)
            co_await asio::async_write(stream_, asio::buffer(answer.body), redirect_error(use_task, ec));
        bool whole = !ec;
        if (whole && answer.stream && !frame.head_only)
            whole = co_await stream_body(answer.stream, !frame.http_1_0);
        co_return whole&& frame.keep_alive && !draining_;
    }

    /// Sends a source's pieces until its end; false: it broke off, or the peer is gone.
    task<bool> stream_body(std::shared_ptr<byte_source> source, bool chunked) {
        source_ = source;
        stream_ending_ = draining_;
        farewell_ = farewell_of(*source);
        written_at_ = std::chrono::steady_clock::now();
        bool whole = false;
        while (true) {
            stage_ = stage::streaming;
            deadline_ = never;
            auto piece = co_await next_piece(*source);
            if (piece.broken)
                break;
            const std::string text = format_chunk(piece.bytes, chunked, piece.end);
            if (!text.empty()) {
                enter(stage::streaming, house_.options.idle_timeout);
                error_code ec;
                co_await asio::async_write(stream_, asio::buffer(text), redirect_error(use_task, ec));
                written_at_ = std::chrono::steady_clock::now();
                if (ec)
                    break;
            }
            if (piece.end) {
                whole = true;
                break;
            }
            if (piece.pause.count() > 0 && !stream_ending_) {
                deadline_ = never;
                error_code ec;
                pause_.expires_after(piece.pause);
                co_await pause_.async_wait(redirect_error(use_task, ec));
            }
        }
        source->stop();
        stage_ = stage::writing;
        source_.reset();
        co_return whole;
    }

    task<byte_source::piece> next_piece(byte_source& source) {
        if (stream_ending_)
            co_return farewell_;
        piece_ = make_pending<byte_source::piece>();
        source.next([to = piece_](byte_source::piece given) { to->give(std::move(given)); });
        piece_->started();
        if (!piece_->ready())
            co_await wait_for(*piece_);
        auto piece = piece_->take();
        piece_.reset();
        co_return piece;
    }

    session_host& host_;
    api_house& house_;
    tls_stream stream_;
    pause_timer pause_;
    boost::beast::flat_buffer buffer_;
    const std::shared_ptr<void> place_;
    const std::function<void(session*)> ended_;
    const bool from_loopback_;

    stage stage_ = stage::handshake;
    steady_moment deadline_ = never;
    steady_moment written_at_{};
    bool timed_out_ = false;
    bool draining_ = false;
    bool linger_ = false;
    error_code ignored_;
    std::shared_ptr<pending<given_answer>> answer_;
    // While a stream runs:
    std::shared_ptr<byte_source> source_;
    std::shared_ptr<pending<byte_source::piece>> piece_;
    bool stream_ending_ = false;
    byte_source::piece farewell_;
};

}  // namespace

std::shared_ptr<session> start_session(session_host& host, accepted_socket from, const tls_context& tls,
                                       std::function<void(session*)> ended) {
    auto made = std::make_shared<tls_session>(host, std::move(from), tls, std::move(ended));
    made->start();
    return made;
}

}  // namespace westerly
