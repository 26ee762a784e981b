#pragma once

#include "broker/support/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace westerly {

inline std::string bytes_of(const sha256_digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Bytes with their SHA-256 in front, so that a changed row is told.
inline std::string sealed(std::string_view bytes) {
    return bytes_of(sha256(bytes)).append(bytes);
}
/// The bytes; nullopt: they are not those that were sealed.
inline std::optional<std::string_view> unsealed(std::string_view row) {
    constexpr std::size_t seal = sizeof(sha256_digest);
    if (row.size() < seal || bytes_of(sha256(row.substr(seal))) != row.substr(0, seal))
        return std::nullopt;
    return row.substr(seal);
}

}  // namespace westerly
