#include "adapters/local/shim/control.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace westerly {
namespace {
constexpr std::size_t word_bytes_max = 4096;
}

bool send_word(int fd, char what, const std::string& text) {
    const std::string packet = what + text.substr(0, word_bytes_max - 1);
    for (;;) {
        if (::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) >= 0)
            return true;
        if (errno != EINTR)
            return false;
    }
}

std::optional<control_word> receive_word(int fd) {
    std::string packet(word_bytes_max, '\0');
    for (;;) {
        const auto got = ::recv(fd, packet.data(), packet.size(), 0);
        if (got > 0)
            return control_word{packet[0], packet.substr(1, static_cast<std::size_t>(got) - 1)};
        if (got == 0 || errno != EINTR)
            return std::nullopt;
    }
}

}  // namespace westerly
