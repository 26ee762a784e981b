#include "tools/catalogue/csv.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// Reads one field from the front of `line`; false when a quote is wrong.
bool take_field(std::string_view& line, std::string& field) {
    field.clear();
    if (!line.starts_with('"')) {
        const auto end = std::min(line.find(','), line.size());
        field.assign(line.substr(0, end));
        line.remove_prefix(end);
        return true;
    }
    line.remove_prefix(1);
    for (;;) {
        const auto quote = line.find('"');
        if (quote == std::string_view::npos)
            return false;
        field.append(line.substr(0, quote));
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"'))
            return line.empty() || line.front() == ',';
        field += '"';
        line.remove_prefix(1);
    }
}

csv_damage split(std::string_view line, std::vector<std::string>& fields) {
    fields.clear();
    if (line.size() > csv_line_bytes_max)
        return csv_damage::too_long;
    for (;;) {
        if (fields.size() == csv_fields_max)
            return csv_damage::too_long;
        if (!take_field(line, fields.emplace_back()))
            return csv_damage::open_quote;
        if (line.empty())
            return csv_damage::none;
        line.remove_prefix(1);  // the comma
    }
}

}  // namespace

csv_reader::csv_reader(std::string_view text) : rest_(text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (rest_.starts_with(byte_order_mark))
        rest_.remove_prefix(byte_order_mark.size());
}

bool csv_reader::next(csv_row& row) {
    while (!rest_.empty()) {
        const auto end = std::min(rest_.find('\n'), rest_.size());
        std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        ++line_;
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.empty())
            continue;
        row.line = line_;
        row.damage = split(line, row.fields);
        return true;
    }
    return false;
}

}  // namespace westerly
