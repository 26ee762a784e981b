#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

inline constexpr std::size_t csv_line_bytes_max = 64 * 1024;
inline constexpr std::size_t csv_fields_max = 256;

enum class csv_damage : std::uint8_t {
    none,
    open_quote,  // a quote that its line does not close, or text behind a closing quote
    too_long     // more bytes or fields than a line may have
};

struct csv_row {
    std::uint64_t line = 0;  // counted from 1
    std::vector<std::string> fields;
    csv_damage damage = csv_damage::none;  // then `fields` is what could be read
};

/// Comma-separated lines: quotes as in RFC 4180, LF or CRLF, a byte order mark is passed over, empty lines too. Unlike
/// there, a field never spans lines: in a table of prices a quote left open would swallow every row that follows, and
/// here it costs its own line only.
class csv_reader {
public:
    /// `text` must outlive the reader.
    explicit csv_reader(std::string_view text);
    /// False at the end.
    bool next(csv_row& row);

private:
    std::string_view rest_;
    std::uint64_t line_ = 0;
};

}  // namespace westerly
