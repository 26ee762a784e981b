#include "tools/conform/adapter_link.hpp"

#include "tools/conform/interruption.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace westerly {
namespace {

constexpr std::size_t read_bytes = 64 << 10;

steady_time now() {
    return std::chrono::steady_clock::now();
}

void unblock(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

adapter_link::~adapter_link() {
    kill_9();
}

result<void> adapter_link::start() {
    auto made = spawn(how_);
    if (!made)
        return made.error();
    process_ = std::move(*made);
    for (const int fd : {process_.input.get(), process_.output.get(), process_.errors.get()})
        unblock(fd);
    lines_.emplace(protocol_line_max);
    sending_.clear();
    asked_.clear();
    replies_.clear();
    how_it_ended.clear();
    running_ = output_open_ = true;
    return {};
}

void adapter_link::kill_9() {
    if (!running_)
        return;
    send_signal(process_.pidfd.get(), SIGKILL);
    while (running_)
        reap_if_ended(-1);
    proxy_.cut();
}

bool adapter_link::end_input(milliseconds limit) {
    const auto deadline = now() + limit;
    while (running_ && !sending_.empty() && now() < deadline)
        serve(milliseconds(10));
    process_.input = unique_fd();
    while (running_ && now() < deadline)
        serve(milliseconds(50));
    if (!running_)
        return true;
    kill_9();
    return false;
}

std::uint64_t adapter_link::begin(std::string_view verb, const std::string& params, const line_faults& faults) {
    const auto id = ++last_id_;
    proxy_.request(id, verb, params, faults, now());
    asked_.insert(id);
    for (const auto copy : proxy_.copies_of(id))
        asked_.insert(copy);
    return id;
}

void adapter_link::begin_as(std::uint64_t id, std::string_view verb, const std::string& params) {
    replies_.erase(id);
    proxy_.request(id, verb, params, {}, now());
    asked_.insert(id);
}

void adapter_link::give_up(std::uint64_t id) {
    proxy_.notify("$/cancel", encode(cancel_call_params{id}), now());
}

std::optional<rpc_message> adapter_link::wait(std::uint64_t id, milliseconds limit) {
    for (const auto deadline = now() + limit;;) {
        if (auto found = replies_.extract(id); !found.empty())
            return std::move(found.mapped());
        const auto left = std::chrono::ceil<milliseconds>(deadline - now());
        // After its end, what it wrote before may still lie in the pipe.
        if (left.count() <= 0 || (!running_ && !output_open_))
            return std::nullopt;
        serve(left);
    }
}

void adapter_link::flush() {
    const auto deadline = now() + seconds(5);
    do
        write_some();
    while (!sending_.empty() && now() < deadline);
}

void adapter_link::serve(milliseconds limit) {
    check_interruption();
    write_some();
    auto deadline = now() + limit;
    if (const auto due = proxy_.next_due())
        deadline = std::min(deadline, *due);
    const auto wait_ms = std::clamp<std::int64_t>(std::chrono::ceil<milliseconds>(deadline - now()).count(), 0, 60'000);
    const auto fd_if = [](bool wanted, int fd) {
        return wanted ? fd : -1;
    };  // poll() passes over negative ones
    std::array<pollfd, 4> watched{{{fd_if(output_open_, process_.output.get()), POLLIN, 0},
                                   {fd_if(running_, process_.errors.get()), POLLIN, 0},
                                   {fd_if(running_, process_.pidfd.get()), POLLIN, 0},
                                   {fd_if(!sending_.empty(), process_.input.get()), POLLOUT, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(wait_ms));
    if (watched[1].revents != 0)
        read_errors();
    if (watched[0].revents != 0)
        read_output();
    if (watched[2].revents != 0)
        reap_if_ended(0);
    write_some();
    for (auto& message : proxy_.to_kit(now()))
        take_message(std::move(message));
}

void adapter_link::write_some() {
    sending_ += proxy_.to_adapter(now());
    if (process_.input.get() < 0)
        sending_.clear();
    while (!sending_.empty()) {
        const auto wrote = ::write(process_.input.get(), sending_.data(), sending_.size());
        if (wrote > 0)
            sending_.erase(0, static_cast<std::size_t>(wrote));
        else if (errno == EPIPE)
            sending_.clear();  // its end follows
        else if (errno != EINTR)
            return;
    }
}

void adapter_link::read_output() {
    std::array<char, read_bytes> bytes;
    const auto got = ::read(process_.output.get(), bytes.data(), bytes.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        output_open_ = false;
        if (lines_ && !lines_->rest().empty() && running_)
            breach("its standard output ended within a line");
        return;
    }
    auto lines = lines_->take({bytes.data(), static_cast<std::size_t>(got)});
    if (!lines) {
        breach("a line is longer than 1 MiB");
        output_open_ = false;
        return;
    }
    for (const auto& line : *lines)
        take_line(line);
}

void adapter_link::read_errors() {
    std::array<char, read_bytes> bytes;
    const auto got = ::read(process_.errors.get(), bytes.data(), bytes.size());
    if (got <= 0)
        return;
    error_tail.append(bytes.data(), static_cast<std::size_t>(got));
    if (error_tail.size() > error_tail_max)
        error_tail.erase(0, error_tail.size() - error_tail_max);
}

void adapter_link::take_line(const std::string& line) {
    auto message = decode_rpc(line);
    if (!message)
        return breach(message.error().detail + ": " + line.substr(0, 120));
    using kind = rpc_message::kind;
    if (message->what == kind::request)
        return breach("the adapter may not send requests: " + message->method);
    if (message->what == kind::notification)
        take_notification(*message);
    proxy_.reply(std::move(*message), now());
}

void adapter_link::take_notification(const rpc_message& message) {
    if (message.method == "attempt.changed") {
        auto seen = decode_observation(rpc_body(message));
        if (!seen)
            return breach("attempt.changed: " + seen.error().detail);
        if (changes.size() < changes_max)
            changes.push_back(std::move(*seen));
    } else if (message.method == "preemption.notice") {
        if (const auto notice = decode_preemption_notice(rpc_body(message)); !notice)
            breach("preemption.notice: " + notice.error().detail);
    } else if (message.method != "offers.changed") {
        breach("there is no notification \"" + message.method + '"');
    }
}

void adapter_link::take_message(rpc_message message) {
    using kind = rpc_message::kind;
    if (message.what == kind::notification)
        return;
    const auto id = message.id;
    if (asked_.erase(id) == 0)
        return breach("an answer to request " + std::to_string(id) + ", which is not open");
    replies_.insert_or_assign(id, std::move(message));
}

void adapter_link::reap_if_ended(int options) {
    pollfd watched{process_.pidfd.get(), POLLIN, 0};
    if (::poll(&watched, 1, options) <= 0)
        return;
    const auto how = reap(process_.pidfd.get());
    if (!how)
        return;
    // What it wrote before its end still counts. A child of it may hold the pipes open, so nobody waits for their end.
    for (std::size_t i = 0; i < 64 && output_open_; ++i)
        read_output();
    output_open_ = false;
    read_errors();
    how_it_ended = *how;
    running_ = false;
}

void adapter_link::breach(std::string what) {
    if (breaches.size() < breaches_max)
        breaches.push_back(std::move(what));
}

}  // namespace westerly
