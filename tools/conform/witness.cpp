#include "tools/conform/witness.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace westerly {
namespace {

constexpr std::size_t said_max = 128;  // a token and a rank; longer is nobody of ours

}  // namespace

run_witness::~run_witness() {
    for (const auto& one : callers_)
        ::close(one.fd);
    if (listener_ >= 0)
        ::close(listener_);
}

result<void> run_witness::open() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    // The address structures of sockets are one family that C knows by casts only.
    auto* address = reinterpret_cast<sockaddr*>(&here);
    if (listener_ < 0 || ::bind(listener_, address, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
        ::getsockname(listener_, address, &size) != 0)
        return fail(errc::internal, std::string("no port for the tasks' reports: ") + std::strerror(errno));
    port_ = ntohs(here.sin_port);
    return {};
}

std::string run_witness::shell(const std::string& token) const {
    return "bash -c 'echo " + token + ".${WESTERLY_RANK:-0} >/dev/tcp/127.0.0.1/" + std::to_string(port_) +
           "' 2>/dev/null; ";
}

void run_witness::gather() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
        callers_.push_back({fd, {}});
    std::erase_if(callers_, [this](caller& from) {
        std::array<char, said_max> bytes;
        while (from.said.size() <= said_max) {
            const auto got = ::read(from.fd, bytes.data(), bytes.size());
            if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return false;  // more may come
            if (got <= 0)
                break;
            from.said.append(bytes.data(), static_cast<std::size_t>(got));
        }
        if (from.said.ends_with('\n')) {
            from.said.pop_back();
            ++runs_[from.said];
        }
        ::close(from.fd);
        return true;
    });
}

unsigned run_witness::runs(const std::string& token, unsigned rank) const {
    const auto found = runs_.find(token + '.' + std::to_string(rank));
    return found == runs_.end() ? 0 : found->second;
}

std::vector<std::string> run_witness::doubles() const {
    std::vector<std::string> out;
    for (const auto& [task, count] : runs_)
        if (count > 1)
            out.push_back(task + " ran " + std::to_string(count) + " times");
    return out;
}

}  // namespace westerly
