#include "broker/support/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace westerly {

void fill_secure(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ::ssize_t got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            throw std::runtime_error("the kernel gives no random bytes");
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

std::uint64_t secure_seed() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill_secure(bytes);
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

}  // namespace westerly
