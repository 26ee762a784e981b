#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace westerly {

using sha256_digest = std::array<std::uint8_t, 32>;

sha256_digest sha256(std::string_view data);

std::string to_hex(std::span<const std::uint8_t> bytes);
/// Lower- or upper-case, even length; nullopt otherwise.
std::optional<std::string> from_hex(std::string_view text);

std::string to_base64(std::string_view bytes);
/// RFC 4648 §4 with padding, no white space; nullopt otherwise.
std::optional<std::string> from_base64(std::string_view text);

/// True for well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

}  // namespace westerly
