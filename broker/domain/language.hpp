#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace westerly {

/// The languages that explanations are told in. Ids, units and numbers are the same in all of them.
enum class language : std::uint8_t { en, zh };
inline constexpr std::array languages{language::en, language::zh};

std::string_view to_string(language spoken);  // "en", "zh"
std::optional<language> parse_language(std::string_view text) noexcept;

}  // namespace westerly
