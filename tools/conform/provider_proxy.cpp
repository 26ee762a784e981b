#include "tools/conform/provider_proxy.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace westerly {
namespace {

constexpr std::size_t read_bytes = 64 << 10;
constexpr std::size_t waiting_max = 1 << 20;  // of one direction; then it is not read any more
constexpr std::size_t connections_max = 256;

steady_time now() {
    return std::chrono::steady_clock::now();
}

bool would_wait() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// Sends what it takes now; false when the other side is gone.
bool send_some(int fd, std::string& bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0)
            return would_wait();
        bytes.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
}

/// What came; nullopt: nothing for now. Empty: nothing ever again.
std::optional<std::string> receive_some(int fd) {
    std::string bytes(read_bytes, '\0');
    const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got < 0 && would_wait())
        return std::nullopt;
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

/// Its close sends a reset instead of what waits.
void close_hard(unique_fd& fd) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd = unique_fd();
}

std::string refusal(wire_fault fault) {
    const std::string status = fault == wire_fault::answer_401 ? "401 Unauthorized" : "403 Forbidden";
    return "HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\nContent-Length: 20\r\nConnection: close\r\n\r\n" +
           "credentials expired\n";
}

bool answers_itself(wire_fault fault) {
    return fault == wire_fault::answer_401 || fault == wire_fault::answer_403;
}

/// Of an HTTP reply the headers stay, so that it looks like an answer.
void garble(std::string& bytes) {
    std::size_t from = 0;
    if (bytes.starts_with("HTTP/"))
        if (const auto end = bytes.find("\r\n\r\n"); end != std::string::npos)
            from = end + 4;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), '~');
}

}  // namespace

result<std::unique_ptr<provider_proxy>> provider_proxy::open(endpoint_parts to) {
    std::unique_ptr<provider_proxy> out(new provider_proxy(std::move(to)));
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    // The address structures of sockets are one family that C knows by casts only.
    auto* address = reinterpret_cast<sockaddr*>(&here);
    out->listener_ = unique_fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    out->wake_ = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (out->listener_.get() < 0 || out->wake_.get() < 0 || ::bind(out->listener_.get(), address, size) != 0 ||
        ::listen(out->listener_.get(), SOMAXCONN) != 0 || ::getsockname(out->listener_.get(), address, &size) != 0)
        return fail(errc::internal, std::string("no port for the proxy before the provider: ") + std::strerror(errno));
    out->port_ = ntohs(here.sin_port);
    try {
        out->thread_ = std::jthread([proxy = out.get()](const std::stop_token& stop) { proxy->relay(stop); });
    } catch (const std::system_error& e) {
        return fail(errc::internal, std::string("no thread for the proxy before the provider: ") + e.what());
    }
    return out;
}

provider_proxy::~provider_proxy() {
    thread_.request_stop();
    ::eventfd_write(wake_.get(), 1);
}

std::string provider_proxy::endpoint() const {
    return to_.scheme + "127.0.0.1:" + std::to_string(port_) + to_.rest;
}

void provider_proxy::play(wire_fault fault) {
    fault_ = fault;
    const auto mine = ++played_;
    ::eventfd_write(wake_.get(), 1);
    for (auto heard = heard_.load(); heard < mine; heard = heard_.load())
        heard_.wait(heard);
}

void provider_proxy::relay(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
        int wait_ms = -1;
        for (const auto& each : connections_) {
            const bool reads_adapter = !each.adapter_done && each.to_provider.size() < waiting_max;
            const bool reads_provider = !each.provider_done && each.to_adapter.size() < waiting_max;
            const auto watch = [&](const unique_fd& fd, bool reads, const std::string& waiting) {
                const auto events = static_cast<short>((reads ? POLLIN : 0) | (waiting.empty() ? 0 : POLLOUT));
                watched.push_back({events != 0 ? fd.get() : -1, events, 0});  // poll() passes over negative ones
            };
            watch(each.adapter, reads_adapter, each.to_adapter);
            watch(each.provider, reads_provider, each.ours ? std::string() : each.to_provider);
            if (!each.held.empty()) {
                const auto left = std::chrono::ceil<milliseconds>(each.held.front().due - now()).count();
                const int left_ms = static_cast<int>(std::max<std::int64_t>(left, 0));
                wait_ms = wait_ms < 0 ? left_ms : std::min(wait_ms, left_ms);
            }
        }
        ::poll(watched.data(), watched.size(), wait_ms);
        if (eventfd_t told = 0; ::eventfd_read(wake_.get(), &told) == 0) {
            for (auto& each : connections_)
                reset(each);
            connections_.clear();
            struck_ = 0;
            heard_ = played_.load();
            heard_.notify_all();
            continue;
        }
        for (std::size_t i = 0; i < connections_.size(); ++i)
            serve(connections_[i], watched[2 + 2 * i].revents, watched[3 + 2 * i].revents);
        std::erase_if(connections_, [](const connection& each) { return each.over; });
        if (watched[0].revents != 0)
            take_new();
    }
}

void provider_proxy::take_new() {
    for (int fd; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        connection made;
        made.adapter = unique_fd(fd);
        if (fault_ == wire_fault::refuse) {
            ++struck_;
            close_hard(made.adapter);
        } else if (connections_.size() < connections_max && (answers_itself(fault_) || reach_provider(made))) {
            made.ours = made.provider_done = answers_itself(fault_);
            connections_.push_back(std::move(made));
        }
    }
}

bool provider_proxy::reach_provider(connection& with) const {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(to_.host.c_str(), to_.port.c_str(), &hints, &found) != 0)
        return false;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    for (const auto* at = all.get(); at != nullptr; at = at->ai_next) {
        unique_fd fd(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval patience{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // of connect, too
        if (fd.get() < 0 || ::connect(fd.get(), at->ai_addr, at->ai_addrlen) != 0)
            continue;
        ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
        with.provider = std::move(fd);
        return true;
    }
    return false;
}

void provider_proxy::serve(connection& with, short adapter_events, short provider_events) {
    if ((adapter_events & (POLLIN | POLLHUP | POLLERR)) != 0 && !with.adapter_done)
        from_adapter(with);
    if (!with.over && (provider_events & (POLLIN | POLLHUP | POLLERR)) != 0 && !with.provider_done)
        from_provider(with);
    if (!with.over)
        move_on(with);
}

void provider_proxy::from_adapter(connection& with) {
    auto bytes = receive_some(with.adapter.get());
    if (!bytes)
        return;
    with.adapter_done = bytes->empty();
    if (!with.ours) {
        with.to_provider += *bytes;
        return;
    }
    // The whole request is waited for no longer than to the end of its headers: its body is read and dropped.
    const bool answered = with.to_provider.find("\r\n\r\n") != std::string::npos;
    if (answered)
        return;
    with.to_provider += *bytes;
    if (with.to_provider.find("\r\n\r\n") == std::string::npos) {
        with.over = with.adapter_done || with.to_provider.size() > waiting_max;
        return;
    }
    ++struck_;
    with.to_adapter = refusal(fault_);
}

void provider_proxy::from_provider(connection& with) {
    auto bytes = receive_some(with.provider.get());
    if (!bytes)
        return;
    if (bytes->empty())
        with.provider_done = true;
    else
        pass_reply(with, std::move(*bytes));
}

void provider_proxy::pass_reply(connection& with, std::string bytes) {
    const wire_fault fault = fault_;
    struck_ += fault == wire_fault::none ? 0 : 1;
    switch (fault) {
        case wire_fault::lose_reply:
            return reset(with);
        case wire_fault::cut_reply:
            bytes.resize(bytes.size() / 2);
            with.to_adapter += bytes;
            with.provider_done = true;
            return;
        case wire_fault::hold_reply:
            with.held.push_back({now() + held_for, std::move(bytes)});
            return;
        case wire_fault::garble_reply:
            garble(bytes);
            break;
        default:
            break;
    }
    with.to_adapter += bytes;
}

/// Sends what waits and is due; hands an end on when nothing of it waits any more.
void provider_proxy::move_on(connection& with) {
    for (; !with.held.empty() && with.held.front().due <= now(); with.held.pop_front())
        with.to_adapter += with.held.front().bytes;
    if (!send_some(with.adapter.get(), with.to_adapter) ||
        (!with.ours && !with.provider_done && !send_some(with.provider.get(), with.to_provider)))
        return reset(with);
    const bool all_told = with.provider_done && with.to_adapter.empty() && with.held.empty();
    with.over = with.ours ? with.adapter_done : all_told;
    if (with.over)
        return;
    const bool answered = with.ours && with.to_provider.find("\r\n\r\n") != std::string::npos;
    if (answered && with.to_adapter.empty())
        ::shutdown(with.adapter.get(), SHUT_WR);  // what comes yet is read, so that no reset overtakes the answer
    if (!with.ours && with.adapter_done && with.to_provider.empty())
        ::shutdown(with.provider.get(), SHUT_WR);
}

void provider_proxy::reset(connection& with) {
    close_hard(with.adapter);
    close_hard(with.provider);
    with.over = true;
}

}  // namespace westerly
