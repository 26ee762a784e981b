#include "broker/api/listener.hpp"

#include "broker/support/log.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace westerly {
namespace {

constexpr int backlog = 1024;
constexpr int rest_without_descriptors_ms = 100;

union socket_address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

/// An IPv4 address, or the /64 of an IPv6 one: what one host can have at will.
std::string address_key(const socket_address& from) {
    if (from.any.sa_family == AF_INET)
        return {reinterpret_cast<const char*>(&from.v4.sin_addr), 4};
    const auto* bytes = reinterpret_cast<const char*>(&from.v6.sin6_addr);
    if (IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr))
        return {bytes + 12, 4};
    return {bytes, 8};
}

bool is_loopback(const socket_address& from) {
    if (from.any.sa_family == AF_INET)
        return (ntohl(from.v4.sin_addr.s_addr) >> 24) == 127;
    if (IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr))
        return from.v6.sin6_addr.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&from.v6.sin6_addr);
}

result<socklen_t> parse_address(const std::string& text, std::uint16_t port, socket_address& out) {
    std::memset(&out, 0, sizeof out);
    if (inet_pton(AF_INET, text.c_str(), &out.v4.sin_addr) == 1) {
        out.v4.sin_family = AF_INET;
        out.v4.sin_port = htons(port);
        return socklen_t{sizeof out.v4};
    }
    if (inet_pton(AF_INET6, text.c_str(), &out.v6.sin6_addr) == 1) {
        out.v6.sin6_family = AF_INET6;
        out.v6.sin6_port = htons(port);
        return socklen_t{sizeof out.v6};
    }
    return fail(errc::invalid, "\"" + text + "\" is not an address to listen at",
                "use for example 127.0.0.1, 0.0.0.0 or ::");
}

error cannot_bind(const std::string& where, int why) {
    if (why == EADDRINUSE)
        return fail(errc::conflict, where + " is in use by another program",
                    "stop that program, or listen at another port");
    if (why == EACCES)
        return fail(errc::forbidden, where + " may not be used by this user", "listen at a port from 1024 on");
    return fail(errc::invalid, "cannot listen at " + where + ": " + std::strerror(why), "check address and port");
}

}  // namespace

/// How many connections are open, in all and by address.
struct api_listener::places : std::enable_shared_from_this<places> {
    std::mutex lock;
    std::unordered_map<std::string, std::uint32_t> by_address;
    std::uint32_t all = 0;

    /// nullptr when there is no place; `why` says which limit.
    std::shared_ptr<void> enter(const std::string& address, const api_options& options, api_metrics::refusal& why) {
        const std::lock_guard guard(lock);
        auto& mine = by_address[address];
        if (all >= options.connections_max || mine >= options.connections_per_address_max) {
            why =
                all >= options.connections_max ? api_metrics::refusal::connections : api_metrics::refusal::per_address;
            if (mine == 0)
                by_address.erase(address);
            return nullptr;
        }
        ++mine;
        ++all;
        return std::shared_ptr<void>(this, [self = shared_from_this(), address](void*) {
            const std::lock_guard inside(self->lock);
            --self->all;
            if (--self->by_address[address] == 0)
                self->by_address.erase(address);
        });
    }
};

api_listener::api_listener(const api_options& options, api_metrics& metrics, taker take)
    : options_(options), metrics_(metrics), take_(std::move(take)), places_(std::make_shared<places>()) {}

api_listener::~api_listener() {
    stop();
}

result<void> api_listener::open() {
    socket_address at;
    const auto size = parse_address(options_.address, options_.port, at);
    if (!size)
        return size.error();
    v6_ = at.any.sa_family == AF_INET6;
    const std::string where =
        (v6_ ? "[" + options_.address + "]" : options_.address) + ":" + std::to_string(options_.port);
    socket_ = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (socket_ < 0 || setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(socket_, &at.any, *size) != 0 || listen(socket_, backlog) != 0)
        return cannot_bind(where, errno);
    socklen_t bound_size = sizeof at;
    getsockname(socket_, &at.any, &bound_size);
    port_ = ntohs(v6_ ? at.v6.sin6_port : at.v4.sin_port);
    wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0)
        return cannot_bind(where, errno);
    return {};
}

void api_listener::start() {
    thread_ = std::thread([this] { accept_all(); });
}

void api_listener::stop() {
    if (thread_.joinable()) {
        eventfd_write(wake_, 1);
        thread_.join();
    }
    for (int* one : {&socket_, &wake_})
        if (*one >= 0)
            close(std::exchange(*one, -1));
}

void api_listener::accept_all() {
    while (true) {
        pollfd ready[] = {{socket_, POLLIN, 0}, {wake_, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            return;
        if (ready[1].revents != 0)
            return;
        if (ready[0].revents != 0)
            accept_one();
    }
}

void api_listener::accept_one() {
    socket_address from;
    socklen_t size = sizeof from;
    const int taken = accept4(socket_, &from.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (taken < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_event(log_level::warning, "api.no_descriptors", {{"what", std::string(std::strerror(errno))}});
            pollfd stop{wake_, POLLIN, 0};
            poll(&stop, 1, rest_without_descriptors_ms);
        }
        return;
    }
    auto why = api_metrics::refusal::connections;
    auto place = places_->enter(address_key(from), options_, why);
    if (!place) {
        metrics_.refused(why);
        close(taken);
        return;
    }
    const int yes = 1;
    setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    take_({taken, v6_, is_loopback(from), std::move(place)});
}

}  // namespace westerly
