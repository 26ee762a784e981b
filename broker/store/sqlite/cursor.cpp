#include "broker/store/sqlite/cursor.hpp"

#include "broker/support/bytes.hpp"

#include <array>

namespace westerly {

namespace {

using cursor_bytes = std::array<std::uint8_t, 17>;  // kind, generation, place; numbers big-endian

void put_number(cursor_bytes& bytes, std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i)
        bytes[at + i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
}

std::uint64_t get_number(const std::string& bytes, std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    return value;
}

}  // namespace

std::string encode_cursor(cursor_kind kind, std::uint64_t generation, std::uint64_t place) {
    cursor_bytes bytes{};
    bytes[0] = static_cast<std::uint8_t>(kind);
    put_number(bytes, 1, generation);
    put_number(bytes, 9, place);
    return to_hex(bytes);
}

result<std::uint64_t> decode_cursor(cursor_kind kind, std::uint64_t generation, const std::string& text,
                                    std::uint64_t start) {
    if (text.empty())
        return start;
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != cursor_bytes{}.size() ||
        static_cast<std::uint8_t>((*bytes)[0]) != static_cast<std::uint8_t>(kind))
        return fail(errc::invalid, "the cursor is not one of this list",
                    "Use next_cursor of the page before, unchanged, or none to begin.");
    if (get_number(*bytes, 1) != generation)
        return fail(errc::invalid, "the cursor is from before a restore",
                    "Begin again without a cursor: the list has changed.");
    const std::uint64_t place = get_number(*bytes, 9);
    if (place > INT64_MAX)
        return fail(errc::invalid, "the cursor is not one of this list",
                    "Use next_cursor of the page before, unchanged, or none to begin.");
    return place;
}

}  // namespace westerly
