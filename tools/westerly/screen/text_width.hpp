#pragma once

#include <string>
#include <string_view>

namespace westerly {

/// Columns that UTF-8 text takes on a terminal: wide East Asian characters two, combining marks none.
std::size_t columns_of(std::string_view text) noexcept;

/// Spaces behind (or before) it up to that many columns; text that is wider stays as it is.
std::string padded(std::string text, std::size_t columns);
std::string right_aligned(std::string text, std::size_t columns);

/// At most that many columns: what is too long loses its middle to `gap`.
std::string shortened(std::string_view text, std::size_t columns, std::string_view gap);

}  // namespace westerly
