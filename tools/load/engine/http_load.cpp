#include "tools/load/engine/http_load.hpp"

#include "tools/load/engine/connection.hpp"
#include "tools/load/engine/pacer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

namespace westerly {

namespace asio = boost::asio;

namespace {

using boost::system::error_code;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_every{50};     // at time limits
constexpr std::chrono::milliseconds reopen_after{100};  // a server that is down is not stormed
constexpr std::chrono::seconds catch_up_max{10};        // an open loop that is behind at its end
constexpr std::chrono::seconds cut_after{2};            // what is under way when a signal ends it

/// One run: deals intended starts out to connections, and keeps the count.
class load_run final : public connection_events {
public:
    load_run(const load_options& options, const make_request& make, const take_answer& take)
        : options_(options),
          make_(make),
          take_(take),
          pacer_(options.rate_per_s, options.length, options.requests_max, catch_up_max) {}

    load_result run() {
        const auto to = resolve_peer(io_, options_.at, result_.trouble);
        if (!to)
            return std::move(result_);
        shaking_ = open_ = options_.connections;
        for (std::size_t i = 0; i < options_.connections; ++i) {
            connections_.push_back(make_connection(io_, to, *this, i));
            connections_.back()->open({}, steady::now() + options_.answer_limit);
        }
        if (options_.ends_on_signals)
            await_signals();
        look();
        begun_ = steady::now();  // again when all are ready
        io_.run();
        result_.seconds = std::chrono::duration<double>(ended_ - begun_).count();
        return std::move(result_);
    }

private:
    struct slot {
        bool begun = false;  // has been ready once
        pacer::moment intended{}, sent{};
        bool asking = false;
    };

    void ready(std::size_t number) override {
        if (slots_[number].begun)
            return next(number);
        slots_[number].begun = true;
        if (--shaking_ > 0 || !result_.trouble.empty())
            return;
        begun_ = steady::now();
        pacer_.begin(begun_);
        started_ = true;
        for (std::size_t i = 0; i < connections_.size(); ++i)
            next(i);
    }

    /// The connection is free: its next request, a wait until one is due, or its end.
    void next(std::size_t number) {
        const auto now = steady::now();
        auto& mine = slots_[number];
        const auto due = pacer_.claim(now);
        if (due.what == pacer::verdict::over)
            return end(number);
        if (due.what == pacer::verdict::wait) {
            idle_.push_back(number);
            if (idle_.size() == 1)
                wake_at(due.at);
            return;
        }
        request_.clear();
        if (!make_(number, request_))
            return end(number);
        mine.intended = due.at;
        mine.sent = now;
        mine.asking = true;
        ++result_.sent;
        connections_[number]->ask(request_, now + options_.answer_limit);
    }

    void wake_at(pacer::moment at) {
        pace_.expires_at(at);
        pace_.async_wait([this](error_code ec) {
            if (!ec)
                wake();
        });
    }

    /// Idle connections begin what is due by now; the longest idle first, so that all are kept in use.
    void wake() {
        for (auto left = idle_.size(); left > 0 && !idle_.empty(); --left) {
            const auto due = pacer_.peek(steady::now());
            if (due.what == pacer::verdict::wait)
                return wake_at(due.at);
            const auto number = idle_.front();
            idle_.pop_front();
            next(number);
        }
    }

    void answered(std::size_t number, http_answer answer) override {
        const auto now = steady::now();
        auto& mine = slots_[number];
        mine.asking = false;
        answer.took = now - mine.intended;
        result_.latency.add(answer.took);
        result_.service.add(now - mine.sent);
        ++result_.answers;
        take_(number, answer);
    }

    void broke(std::size_t number, const std::string& what) override {
        auto& mine = slots_[number];
        // A connection that the server closes while nothing is asked is its right.
        if (mine.asking || !mine.begun)
            ++result_.failures[what];
        else if (what != "closed")
            ++result_.reopened[what];
        const bool asked = std::exchange(mine.asking, false);
        if (asked)
            result_.latency.add(steady::now() - mine.intended);  // it waited so long at least
        std::erase(idle_, number);
        if (!options_.reopens || !mine.begun) {
            if (result_.trouble.empty())
                result_.trouble = "connection " + std::to_string(number) + ": " + what;
            end(number);
            if (!mine.begun)
                finish();
            return;
        }
        if (pacer_.peek(steady::now()).what == pacer::verdict::over)
            return end(number);
        connections_[number]->open(reopen_after, steady::now() + options_.answer_limit);
    }

    void end(std::size_t number) {
        connections_[number]->close();
        if (--open_ == 0)
            finish();
    }

    /// Nothing begins any more and nothing is under way.
    void finish() {
        const auto now = steady::now();
        if (started_)
            pacer_.each_unsent(now, [&](pacer::moment intended) {
                result_.latency.add(now - intended);
                ++result_.unsent;
            });
        started_ = false;
        finished_ = true;
        ended_ = now;
        for (const auto& one : connections_)
            one->close();
        pace_.cancel();
        limits_.cancel();
        signals_.cancel();
    }

    void look() {
        limits_.expires_after(look_every);
        limits_.async_wait([this](error_code ec) {
            if (ec)
                return;
            const auto now = steady::now();
            for (const auto& one : connections_)
                one->look(now);
            if (!finished_)
                look();
        });
    }

    void await_signals() {
        signals_.add(SIGINT);
        signals_.add(SIGTERM);
        signals_.async_wait([this](error_code ec, int) {
            if (ec)
                return;
            signals_.clear();  // the next one ends the process
            result_.interrupted = true;
            if (!started_)
                return finish();
            pacer_.stop(steady::now());
            for (const auto& one : connections_)
                one->hurry(steady::now() + cut_after);
            for (const auto number : std::exchange(idle_, {}))
                end(number);
        });
    }

    const load_options& options_;
    const make_request& make_;
    const take_answer& take_;
    load_result result_;
    pacer pacer_;
    asio::io_context io_{1};
    asio::steady_timer pace_{io_}, limits_{io_};
    asio::signal_set signals_{io_};
    std::vector<std::unique_ptr<load_connection>> connections_;
    std::vector<slot> slots_{options_.connections};
    std::deque<std::size_t> idle_;
    std::string request_;
    pacer::moment begun_{}, ended_{};
    std::size_t shaking_ = 0, open_ = 0;
    bool started_ = false, finished_ = false;
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
    return load_run(options, make, take).run();
}

std::string format_request(std::string_view method, std::string_view target, std::string_view key,
                           std::string_view body, std::string_view idempotency_key, std::string_view host) {
    std::string out;
    out.reserve(320 + body.size());
    out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
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
    load_options once;
    once.at.port = port;
    once.connections = 1;
    const auto done = run_load(
        once,
        [&](std::size_t, std::string& out) {
            out = request;
            return !std::exchange(asked, true);
        },
        [&](std::size_t, const http_answer& answer) {
            got = {answer.status, std::string(answer.body)};
        });
    if (!done.trouble.empty() || got.status == 0)
        throw std::runtime_error("no answer from port " + std::to_string(port) + ": " + done.trouble);
    return got;
}

}  // namespace westerly
