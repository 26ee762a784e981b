#include "broker/runtime/term_host.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace westerly {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::uint64_t host_memory_max = std::uint64_t{4} << 30;
constexpr std::size_t last_words_max = 500;

std::string text_of(const term_protocol::text& from) {
    return {from.data(), ::strnlen(from.data(), from.size())};
}

void wait_for_end(int pidfd) {
    pollfd ends{pidfd, POLLIN, 0};
    while (::poll(&ends, 1, -1) < 0 && errno == EINTR) {
    }
}

}  // namespace

result<term_description> term_host::start() {
    end();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return fail(errc::provider_unavailable, std::string("cannot make a socket pair: ") + std::strerror(errno));
    channel_ = unique_fd(ends[0]);
    unique_fd theirs(ends[1]);
    spawn_request request{.helper = libexec_ / "westerly-spawn",
                          .command = {(libexec_ / "westerly-termhost").string(), of_.library.string()},
                          .input = theirs.get(),
                          .memory_max = host_memory_max};
    for (const auto& [key, value] : of_.options)
        request.command.push_back(key + "=" + value);
    auto started = spawn(request);
    theirs = unique_fd();  // else its end could not be heard
    if (!started)
        return started.error();
    process_ = std::move(*started);
    ::fcntl(process_.errors.get(), F_SETFL, O_NONBLOCK);
    memory_ = std::make_unique<term_memory>();
    last_words_.clear();

    term_protocol::greeting said;
    if (auto heard = hear(&said, sizeof said, load_max); !heard) {
        end();
        return heard.error().code == errc::timed_out
                   ? fail(errc::provider_unavailable,
                          "its library took longer than " + std::to_string(load_max.count()) + " ms to load")
                   : heard.error();
    }
    auto judged = judge(said);
    if (!judged)
        end();
    return judged;
}

result<term_description> term_host::judge(const term_protocol::greeting& said) const {
    using enum term_protocol::greeting_outcome;
    if (said.magic_number != term_protocol::magic)
        return fail(errc::invalid, "its host speaks another language",
                    "install westerlyd and westerly-termhost together");
    switch (said.outcome) {
        case fine:
            break;
        case not_loaded:
            return fail(errc::invalid, "its library cannot be loaded: " + text_of(said.fault),
                        "see docs/guides/terms.md for how one is built");
        case not_a_term:
            return fail(errc::invalid, "its library is no term: " + text_of(said.fault),
                        "define the functions of westerly_term.h, with C linkage");
        case wrong_abi:
            return fail(errc::invalid, "its library was built for version " + std::to_string(said.abi) + " of the ABI",
                        "build it with the westerly_term.h of this broker");
        case options_refused:
            return fail(errc::invalid, "its library refuses the options: " + text_of(said.fault),
                        "correct them in the settings file");
        default:
            return fail(errc::invalid, "its host speaks another language");
    }
    term_description made{text_of(said.unit), text_of(said.meaning)};
    constexpr std::size_t unit_max = 63;
    if (made.unit.empty() || made.unit.size() > unit_max)
        return fail(errc::invalid, "its library states no unit, or one of more than 63 bytes",
                    "let westerly_term_describe state it");
    return made;
}

result<std::vector<double>> term_host::evaluate(const std::shared_ptr<const score_table>& table,
                                                const score_request& request) {
    const auto fresh = memory_->write(table, request);
    if (!fresh)
        return fresh.error();
    term_protocol::question question;
    question.service = request.service;
    question.interactive = request.interactive;
    question.tasks = request.tasks;
    question.number = ++number_;
    question.table = memory_->table_number();
    question.have = memory_->have();
    term_protocol::reply answer;
    auto done = ask(question, *fresh);
    if (done)
        done = hear(&answer, sizeof answer, milliseconds(of_.deadline_ms));
    if (done && (answer.magic_number != term_protocol::magic || answer.number != number_))
        done = fail(errc::provider_unavailable, "its host spoke out of turn");
    if (!done) {
        end();
        return done.error();
    }
    if (answer.result != 0)
        return fail(errc::invalid, "its library gave up with " + std::to_string(answer.result));
    const auto quantities = memory_->read();
    return std::vector<double>(quantities.begin(), quantities.end());
}

result<void> term_host::ask(const term_protocol::question& question, bool with_memory) {
    term_protocol::question copy = question;
    iovec from{&copy, sizeof copy};
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
    msghdr packet{};
    packet.msg_iov = &from;
    packet.msg_iovlen = 1;
    if (with_memory) {
        packet.msg_control = control;
        packet.msg_controllen = sizeof control;
        cmsghdr* const passed = CMSG_FIRSTHDR(&packet);
        passed->cmsg_level = SOL_SOCKET;
        passed->cmsg_type = SCM_RIGHTS;
        const int fds[2] = {memory_->columns(), memory_->quantities()};
        passed->cmsg_len = CMSG_LEN(sizeof fds);
        std::memcpy(CMSG_DATA(passed), fds, sizeof fds);
    }
    ssize_t sent;
    do
        sent = ::sendmsg(channel_.get(), &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent != static_cast<ssize_t>(sizeof copy))
        return ended();
    return {};
}

result<void> term_host::hear(void* into, std::size_t size, milliseconds at_most) {
    const auto until = steady::now() + at_most;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - steady::now());
        if (left.count() <= 0)
            return fail(errc::timed_out,
                        "its library did not answer within " + std::to_string(at_most.count()) + " ms");
        pollfd watched[2] = {{channel_.get(), POLLIN, 0}, {process_.errors.get(), POLLIN, 0}};
        const timespec rest{static_cast<time_t>(left.count() / 1'000'000'000), left.count() % 1'000'000'000};
        if (::ppoll(watched, 2, &rest, nullptr) < 0 && errno != EINTR)
            return fail(errc::provider_unavailable, std::string("cannot wait for its host: ") + std::strerror(errno));
        if (watched[1].revents)
            drain_errors();
        if (!watched[0].revents)
            continue;
        const ssize_t got = ::recv(channel_.get(), into, size, MSG_DONTWAIT | MSG_TRUNC);
        if (got == static_cast<ssize_t>(size))
            return {};
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        return got > 0 ? fail(errc::provider_unavailable, "its host spoke out of turn") : ended();
    }
}

void term_host::drain_errors() {
    char bytes[4096];
    for (ssize_t got; (got = ::read(process_.errors.get(), bytes, sizeof bytes)) > 0;) {
        last_words_.append(bytes, static_cast<std::size_t>(got));
        if (last_words_.size() > last_words_max)
            last_words_.erase(0, last_words_.size() - last_words_max);
    }
}

/// Its socket has ended: so has it, or it will.
error term_host::ended() {
    send_signal(process_.pidfd.get(), SIGKILL);
    wait_for_end(process_.pidfd.get());
    drain_errors();
    const auto how = reap(process_.pidfd.get());
    process_ = spawned();
    channel_ = unique_fd();
    while (!last_words_.empty() && last_words_.back() == '\n')
        last_words_.pop_back();
    return fail(errc::provider_unavailable, "its host ended: " + how.value_or("unknown status") +
                                                (last_words_.empty() ? "" : "; it said: " + last_words_));
}

void term_host::end() {
    if (runs())
        static_cast<void>(ended());
}

}  // namespace westerly
