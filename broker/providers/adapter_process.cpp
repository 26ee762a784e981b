#include "broker/providers/adapter_process.hpp"

#include "broker/providers/process_spawn.hpp"
#include "broker/support/bytes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>

namespace asio = boost::asio;

namespace westerly {
namespace {

constexpr std::size_t read_bytes = 64 << 10;
constexpr std::size_t last_bytes_max = 1 << 20;  // read after the end: what a pipe holds, and no endless grandchild

}  // namespace

struct adapter_process::impl : std::enable_shared_from_this<impl> {
    impl(asio::io_context& io, spawned made, process_events told)
        : events(std::move(told)),
          pid_watch(io, made.pidfd.release()),
          input(io, made.input.release()),
          output(io, made.output.release()),
          errors(io, made.errors.release()) {}

    process_events events;
    asio::posix::stream_descriptor pid_watch;
    asio::posix::stream_descriptor input;
    asio::posix::stream_descriptor output;
    asio::posix::stream_descriptor errors;
    std::array<char, read_bytes> output_buffer;
    std::array<char, read_bytes> error_buffer;
    std::string sent;
    bool sending = false;
    bool over = false;    // reaped
    bool silent = false;  // the owner is gone: no more events
    std::string error_line;
    std::deque<std::string> tail;
    std::size_t tail_bytes = 0;

    void begin() {
        watch();
        read_output();
        read_errors();
    }

    void watch() {
        pid_watch.async_wait(asio::posix::descriptor_base::wait_read,
                             [self = shared_from_this()](boost::system::error_code code) {
                                 if (!code)
                                     self->end();
                             });
    }

    void read_output() {
        output.async_read_some(asio::buffer(output_buffer),
                               [self = shared_from_this()](boost::system::error_code code, std::size_t got) {
                                   self->take_output({self->output_buffer.data(), got});
                                   if (!code)
                                       self->read_output();
                                   else if (code == asio::error::eof && !self->over && !self->silent)
                                       self->events.closed();
                               });
    }

    void read_errors() {
        errors.async_read_some(asio::buffer(error_buffer),
                               [self = shared_from_this()](boost::system::error_code code, std::size_t got) {
                                   self->take_errors({self->error_buffer.data(), got});
                                   if (!code)
                                       self->read_errors();
                               });
    }

    void take_output(std::string_view bytes) {
        if (!bytes.empty() && !over && !silent)
            events.output(bytes);
    }

    void take_errors(std::string_view bytes) {
        if (over)
            return;
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto room = error_line_max - error_line.size();
            const auto piece = bytes.substr(0, std::min(end, room));
            error_line.append(piece);
            bytes.remove_prefix(piece.size());
            if (!bytes.empty() && bytes.front() == '\n') {
                bytes.remove_prefix(1);
                keep_error_line();
            } else if (error_line.size() == error_line_max) {
                keep_error_line();
            }
        }
    }

    void keep_error_line() {
        std::string line = std::move(error_line);
        error_line.clear();
        if (line.empty())
            return;
        if (!is_utf8(line))  // it goes into logs and answers, which are JSON
            std::replace_if(
                line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
        tail_bytes += line.size();
        tail.push_back(line);
        for (; tail_bytes > error_tail_max; tail.pop_front())
            tail_bytes -= tail.front().size();
        if (!silent)
            events.said(line);
    }

    void end() {
        const auto how = reap(pid_watch.native_handle());
        if (!how)
            return watch();
        // Answers that it wrote before it died still count. A grandchild may hold the pipes open, so no waiting for
        // EOF.
        drain(output, [&](std::string_view bytes) { take_output(bytes); });
        drain(errors, [&](std::string_view bytes) { take_errors(bytes); });
        keep_error_line();
        over = true;
        close_all();
        if (!silent)
            events.ended(*how);
    }

    template <class Take>
    void drain(asio::posix::stream_descriptor& from, Take take) {
        boost::system::error_code ignored;
        from.non_blocking(true, ignored);
        std::array<char, 4096> buffer;
        for (std::size_t total = 0; total < last_bytes_max;) {
            const auto got = ::read(from.native_handle(), buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                return;
            take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
            total += static_cast<std::size_t>(got);
        }
    }

    void close_all() {
        boost::system::error_code ignored;
        for (auto* descriptor : {&pid_watch, &input, &output, &errors})
            descriptor->close(ignored);
    }

    void send(std::string bytes) {
        sent = std::move(bytes);
        sending = true;
        asio::async_write(input, asio::buffer(sent),
                          [self = shared_from_this()](boost::system::error_code code, std::size_t) {
                              self->sending = false;
                              self->sent.clear();
                              // After an error nobody reads any more: its end follows, or a stop is under way.
                              if (!code && !self->silent)
                                  self->events.drained();
                          });
    }

    void kill(int signal) {
        if (!over)
            send_signal(pid_watch.native_handle(), signal);
    }

    /// The owner goes away: what still runs must not.
    void abandon() {
        silent = true;
        if (over)
            return;
        kill(SIGKILL);
        siginfo_t info{};
        while (::waitid(P_PIDFD, static_cast<id_t>(pid_watch.native_handle()), &info, WEXITED) != 0 && errno == EINTR) {
        }
        over = true;
        close_all();
    }
};

result<std::unique_ptr<adapter_process>> adapter_process::start(asio::io_context& io, const spawn_request& request,
                                                                process_events events) {
    auto made = spawn(request);
    if (!made)
        return made.error();
    auto state = std::make_shared<impl>(io, std::move(*made), std::move(events));
    state->begin();
    return std::unique_ptr<adapter_process>(new adapter_process(std::move(state)));
}

adapter_process::~adapter_process() {
    impl_->abandon();
}

void adapter_process::send(std::string bytes) {
    impl_->send(std::move(bytes));
}
bool adapter_process::sending() const noexcept {
    return impl_->sending;
}
void adapter_process::close_input() {
    boost::system::error_code ignored;
    impl_->input.close(ignored);
}
void adapter_process::kill(int signal) {
    impl_->kill(signal);
}

std::string adapter_process::error_tail() const {
    std::string text;
    for (const auto& line : impl_->tail) {
        if (!text.empty())
            text += '\n';
        text += line;
    }
    return text;
}

}  // namespace westerly
