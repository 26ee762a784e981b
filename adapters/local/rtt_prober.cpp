#include "adapters/local/rtt_prober.hpp"

#include "broker/support/log.hpp"
#include "broker/support/time.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace westerly {
namespace {

using std::chrono::steady_clock;

struct socket_address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

std::optional<socket_address> address_of(const rtt_probe& to) {
    socket_address made;
    auto& four = reinterpret_cast<sockaddr_in&>(made.bytes);
    auto& six = reinterpret_cast<sockaddr_in6&>(made.bytes);
    if (::inet_pton(AF_INET, to.address.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(to.port);
        made.size = sizeof four;
    } else if (::inet_pton(AF_INET6, to.address.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(to.port);
        made.size = sizeof six;
    } else {
        return std::nullopt;
    }
    return made;
}

bool connects(int socket, const socket_address& to) {
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to.bytes), to.size) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    pollfd ready{socket, POLLOUT, 0};
    int failure = 0;
    socklen_t size = sizeof failure;
    return ::poll(&ready, 1, static_cast<int>(rtt_connect_limit.count())) == 1 &&
           ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
}

std::optional<double> connect_ms(const socket_address& to) {
    const int socket = ::socket(to.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0)
        return std::nullopt;
    const auto begun = steady_clock::now();
    const bool done = connects(socket, to);
    const std::chrono::duration<double, std::milli> took = steady_clock::now() - begun;
    ::close(socket);
    return done ? std::optional(took.count()) : std::nullopt;
}

std::string endpoint_of(const rtt_probe& probe) {
    const bool six = probe.address.find(':') != std::string::npos;
    return (six ? "[" + probe.address + "]" : probe.address) + ":" + std::to_string(probe.port);
}

void log_turn(const rtt_probe& probe, bool reached) {
    log_event(reached ? log_level::info : log_level::warning, reached ? "local.probe_reached" : "local.probe_unreached",
              {{"region", probe.region},
               {"endpoint", endpoint_of(probe)},
               {"detail", reached ? "it takes connects again"
                                  : "fewer than three of five connects came to be, so nothing is measured; see that "
                                    "something listens there, or take the probe out"}});
}

}  // namespace

std::optional<measured_rtt> measure_rtt(const rtt_probe& to) {
    const auto address = address_of(to);
    std::vector<double> ms;
    for (int i = 0; address && i < rtt_connects; ++i)
        if (const auto one = connect_ms(*address))
            ms.push_back(*one);
    if (2 * ms.size() <= rtt_connects)
        return std::nullopt;
    std::ranges::sort(ms);
    return measured_rtt{.region = to.region,
                        .ms = ms[ms.size() / 2],
                        .measured_at = system_wall_clock().now(),
                        .samples = static_cast<std::uint32_t>(ms.size())};
}

void rtt_prober::begin(std::vector<rtt_probe> probes, seconds every, std::function<void()> changed) {
    if (probes.empty())
        return;
    last_.resize(probes.size());
    unreached_.resize(probes.size());
    std::thread([this, probes = std::move(probes), every, changed = std::move(changed)] {
        for (;;) {
            measure_all(probes);
            changed();
            std::this_thread::sleep_for(every);
        }
    }).detach();
}

void rtt_prober::measure_all(const std::vector<rtt_probe>& probes) {
    std::vector<std::string> troubles;
    for (std::size_t i = 0; i < probes.size(); ++i) {
        auto seen = measure_rtt(probes[i]);
        if (unreached_[i] == seen.has_value())
            log_turn(probes[i], seen.has_value());
        unreached_[i] = !seen;
        if (!seen)
            troubles.push_back("the RTT probe of " + probes[i].region + " (" + endpoint_of(probes[i]) +
                               ") reaches nobody");
        const std::lock_guard hold(lock_);
        if (seen)
            last_[i] = std::move(seen);
    }
    const std::lock_guard hold(lock_);
    troubles_ = std::move(troubles);
}

std::vector<std::string> rtt_prober::troubles() const {
    const std::lock_guard hold(lock_);
    return troubles_;
}

std::vector<measured_rtt> rtt_prober::known() const {
    const std::lock_guard hold(lock_);
    std::vector<measured_rtt> known;
    for (const auto& each : last_)
        if (each)
            known.push_back(*each);
    return known;
}

}  // namespace westerly
