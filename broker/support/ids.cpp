#include "broker/support/ids.hpp"

#include "broker/support/bytes.hpp"

#include <algorithm>

namespace westerly {

uuid_bytes make_uuid_v7(instant now, random_source& random) {
    const auto since = std::max<std::int64_t>(0, now.time_since_epoch().count());
    const auto time = static_cast<std::uint64_t>(since);
    const std::uint64_t high = random.next();
    const std::uint64_t low = random.next();
    uuid_bytes bytes{};
    for (std::size_t i = 0; i < 6; ++i)
        bytes[i] = static_cast<std::uint8_t>(time >> (40 - 8 * i));
    bytes[6] = static_cast<std::uint8_t>(0x70 | (high >> 8 & 0x0F));  // version 7
    bytes[7] = static_cast<std::uint8_t>(high);
    for (std::size_t i = 0; i < 8; ++i)
        bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3F));  // variant 10
    return bytes;
}

std::string format_uuid(const uuid_bytes& bytes) {
    std::string text = to_hex(bytes);
    for (const std::size_t at : {20u, 16u, 12u, 8u})
        text.insert(at, 1, '-');
    return text;
}

std::optional<uuid_bytes> parse_uuid(std::string_view text) noexcept {
    if (text.size() != 36)
        return std::nullopt;
    uuid_bytes bytes{};
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-')
                return std::nullopt;
            continue;
        }
        const bool decimal = c >= '0' && c <= '9';
        if (!decimal && !(c >= 'a' && c <= 'f'))
            return std::nullopt;
        const int value = decimal ? c - '0' : c - 'a' + 10;
        auto& byte = bytes[digits++ / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
    }
    return bytes;
}

}  // namespace westerly
