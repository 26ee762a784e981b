#include "adapters/sdk/serve.hpp"

#include "adapters/sdk/dispatch.hpp"
#include "adapters/sdk/line_stream.hpp"
#include "adapters/sdk/worker_pool.hpp"
#include "broker/support/log.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace westerly {
namespace {

int moved_aside(int fd) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        throw std::system_error(errno, std::system_category(), "a standard stream is closed");
    return copy;
}

class line_notifier final : public notifier {
public:
    explicit line_notifier(line_writer& out) : out_(out) {}
    void attempt_changed(const observation& seen) override { send("attempt.changed", encode(seen)); }
    void offers_changed() override { send("offers.changed", "{}"); }
    void preemption(const preemption_notice& notice) override { send("preemption.notice", encode(notice)); }
    void open() noexcept { open_ = true; }

private:
    void send(std::string_view method, const std::string& params) {
        if (open_)
            out_.send(rpc_notification(method, params));
    }
    line_writer& out_;
    std::atomic<bool> open_ = false;
};

/// Which tokens a request changes or reads; what is malformed touches nothing and is refused later.
pool_call touched_by(const rpc_message& request) {
    pool_call call;
    call.id = request.id;
    call.kind = request.method;
    call.reads_all = request.method == "list";
    const bool mutation = request.method == "launch" || request.method == "cancel" || request.method == "put";
    auto& touched = mutation ? call.changes : call.reads;
    const auto& params = rpc_body(request);
    if (const auto token = params.FindMember("token"); token != params.MemberEnd() && token->value.IsString())
        touched.emplace_back(token->value.GetString(), token->value.GetStringLength());
    if (const auto tokens = params.FindMember("tokens"); tokens != params.MemberEnd() && tokens->value.IsArray())
        for (const auto& token : tokens->value.GetArray())
            if (token.IsString())
                touched.emplace_back(token.GetString(), token.GetStringLength());
    return call;
}

class server {
public:
    server(adapter& provider, int in, int out, const serve_options& options)
        : provider_(provider),
          reader_(in, protocol_line_max),
          out_(out),
          tell_(out_),
          pool_(options.workers_max, options.queue_max) {}

    /// The exit code.
    int run() {
        for (;;) {
            const auto line = reader_.next();
            if (!line)
                return refuse_line(line.error());
            if (!*line)
                return 0;
            auto message = decode_rpc(**line);
            if (!message)
                return refuse_line(message.error());
            take(std::move(*message));
        }
    }

    bool end_within(milliseconds limit) { return pool_.stop_within(limit); }

private:
    static int refuse_line(const error& why) {
        log_event(
            log_level::error, "adapter.bad_line",
            {{"detail", why.detail}, {"remedy", std::string("the broker and this adapter disagree on the protocol")}});
        return exit_bad_line;
    }

    void take(rpc_message message) {
        if (message.what == rpc_message::kind::notification && message.method == "$/cancel")
            if (const auto params = decode_cancel_call_params(rpc_body(message)))
                pool_.cancel(params->id);
        if (message.what != rpc_message::kind::request)
            return;
        if (!ready_)
            return begin(message);
        const auto id = message.id;
        auto request = std::make_shared<rpc_message>(std::move(message));
        pool_call call = touched_by(*request);
        call.run = [this, request](const call_state& state) {
            out_.send(answer_line(provider_, *request, state));
        };
        call.dropped = [this, id] {
            out_.send(rpc_error(id, failed(adapter_error::rate_limited, "the call was cancelled before it began")));
        };
        if (!pool_.take(std::move(call)))
            out_.send(rpc_error(id, failed(adapter_error::rate_limited, "too many calls wait at this adapter", 1)));
    }

    void begin(const rpc_message& message) {
        if (message.method != "initialize") {
            out_.send(rpc_error(message.id, failed(adapter_error::invalid, "initialize comes first")));
            return;
        }
        auto line = initialize_line(provider_, message, tell_, ready_);
        out_.send(std::move(line));
        if (ready_)
            tell_.open();
    }

    adapter& provider_;
    line_reader reader_;
    line_writer out_;
    line_notifier tell_;
    bool ready_ = false;
    worker_pool pool_;  // last: its threads use all of the above
};

}  // namespace

protocol_streams::protocol_streams() : in_(moved_aside(STDIN_FILENO)), out_(moved_aside(STDOUT_FILENO)) {
    const int empty = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const bool replaced = empty >= 0 && ::dup2(empty, STDIN_FILENO) >= 0 && ::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0;
    if (!replaced)
        throw std::system_error(errno, std::system_category(), "the standard streams cannot be moved aside");
    ::close(empty);
    ::signal(SIGPIPE, SIG_IGN);  // a broker that is gone shows as a failed write
}

protocol_streams::~protocol_streams() {
    ::close(in_);
    ::close(out_);
}

void serve_and_exit(adapter& provider, protocol_streams& streams, serve_options options) {
    server serving(provider, streams.in(), streams.out(), options);
    const int code = serving.run();
    if (!serving.end_within(options.end_wait))
        log_event(log_level::warning, "adapter.ended_under_calls");
    // Not exit(): a verb may still run and use what static destructors would take from it.
    ::_exit(code);
}

}  // namespace westerly
