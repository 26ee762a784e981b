#pragma once

#include "broker/support/random.hpp"
#include "broker/support/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace westerly {

using uuid_bytes = std::array<std::uint8_t, 16>;

/// UUIDv7 (RFC 9562): milliseconds since 1970, then 74 bits of chance. Tells its creation time and nothing else.
uuid_bytes make_uuid_v7(instant now, random_source& random);

/// Lower-case 8-4-4-4-12 form.
std::string format_uuid(const uuid_bytes& bytes);

/// Accepts the lower-case 36-character form only; nullopt otherwise.
std::optional<uuid_bytes> parse_uuid(std::string_view text) noexcept;

/// A UUID that cannot be mistaken for one of another kind. The zero value means "none".
template <class Tag>
struct typed_id {
    uuid_bytes bytes{};
    friend auto operator<=>(const typed_id&, const typed_id&) = default;
    bool none() const noexcept { return bytes == uuid_bytes{}; }
    static typed_id make(instant now, random_source& random) { return {make_uuid_v7(now, random)}; }
    static std::optional<typed_id> parse(std::string_view text) noexcept {
        const auto bytes = parse_uuid(text);
        return bytes ? std::optional<typed_id>(typed_id{*bytes}) : std::nullopt;
    }
};

template <class Tag>
std::string to_string(const typed_id<Tag>& id) {
    return format_uuid(id.bytes);
}

}  // namespace westerly

template <class Tag>
struct std::hash<westerly::typed_id<Tag>> {
    std::size_t operator()(const westerly::typed_id<Tag>& id) const noexcept {
        std::uint64_t tail = 0;
        std::memcpy(&tail, id.bytes.data() + 8, sizeof tail);  // the random half
        return static_cast<std::size_t>(tail * 0x9E3779B97F4A7C15ull);
    }
};
