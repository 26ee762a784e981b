#pragma once

#include "broker/support/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace westerly {

/// A place in a text file, both counted from 1; columns count bytes.
struct text_place {
    std::size_t line = 1;
    std::size_t column = 1;
    friend bool operator==(const text_place&, const text_place&) = default;
};

/// "line 3, column 17".
std::string describe(text_place at);

/// The place of a byte offset; past the end it is the end.
text_place place_at(std::string_view text, std::size_t offset) noexcept;

/// Where the value at a JSON Pointer begins in `json`, which parse_json has accepted (or refused for repeated names
/// only: the last one of a name counts). When the pointer leads further than the document, as it does for a missing
/// field, the place of the deepest value on the way.
text_place locate_json(std::string_view json, std::string_view pointer);

/// Puts "line L, column C: " before the message of every fault, for files that people edit.
error with_places(error refused, std::string_view json);

}  // namespace westerly
