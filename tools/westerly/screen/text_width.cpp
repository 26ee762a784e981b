#include "tools/westerly/screen/text_width.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace westerly {
namespace {

using range = std::pair<std::uint32_t, std::uint32_t>;

// Wide and fullwidth (Unicode's EastAsianWidth W and F) of what names and sentences hold, in whole blocks.
constexpr range wide[] = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
                          {0xA000, 0xA4CF}, {0xA960, 0xA97C}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},  {0xFE30, 0xFE6F},
                          {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr range combining[] = {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

bool within(std::uint32_t c, const auto& ranges) noexcept {
    return std::ranges::any_of(ranges, [&](const range& r) { return c >= r.first && c <= r.second; });
}

struct character {
    std::size_t bytes;
    std::size_t columns;
};

/// The first character of non-empty text; a byte that begins none counts as one column.
character first_of(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length > text.size())
        return {1, 1};
    std::uint32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i)
        c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
    return {length, within(c, wide) ? 2u : within(c, combining) ? 0u : 1u};
}

}  // namespace

std::size_t columns_of(std::string_view text) noexcept {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto [bytes, taken] = first_of(text);
        columns += taken;
        text.remove_prefix(bytes);
    }
    return columns;
}

std::string padded(std::string text, std::size_t columns) {
    const auto taken = columns_of(text);
    return text.append(columns - std::min(taken, columns), ' ');
}

std::string right_aligned(std::string text, std::size_t columns) {
    const auto taken = columns_of(text);
    return text.insert(0, columns - std::min(taken, columns), ' ');
}

std::string shortened(std::string_view text, std::size_t columns, std::string_view gap) {
    if (columns_of(text) <= columns)
        return std::string(text);
    const auto kept = columns - std::min(columns_of(gap), columns);
    std::vector<std::size_t> starts;  // where each character begins
    for (std::size_t at = 0; at < text.size(); at += first_of(text.substr(at)).bytes)
        starts.push_back(at);
    std::size_t head = 0, tail = text.size(), used = 0;
    std::size_t left = 0, right = starts.size();
    while (left < right) {  // by turns from both ends, as long as there is room
        const bool front = left <= starts.size() - right;
        const auto begin = front ? starts[left] : starts[right - 1];
        const auto next = first_of(text.substr(begin));
        if (used + next.columns > kept)
            break;
        used += next.columns;
        if (front) {
            head = begin + next.bytes;
            ++left;
        } else {
            tail = begin;
            --right;
        }
    }
    return std::string(text.substr(0, head)) + std::string(gap) + std::string(text.substr(tail));
}

}  // namespace westerly
