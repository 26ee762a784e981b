#include "tools/simulate/core/lines.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace westerly {

void line_reader::closer::operator()(void* file) const noexcept {
    gzclose(static_cast<gzFile>(file));
}

result<line_reader> line_reader::open(const std::string& path) {
    gzFile file = gzopen(path.c_str(), "rb");  // reads plain files as they are
    if (file == nullptr)
        return fail(errc::not_found, path + ": cannot be opened", "name a file that exists and can be read");
    gzbuffer(file, 1 << 17);
    return line_reader(path, file);
}

result<bool> line_reader::next(std::string& line) {
    const auto file = static_cast<gzFile>(file_.get());
    line.clear();
    char piece[8192];
    while (gzgets(file, piece, sizeof piece) != nullptr) {
        const std::size_t length = std::strlen(piece);
        if (line.size() + length > line_bytes_max) {
            ++number_;
            return fault("the line is longer than 1 MiB");
        }
        line.append(piece, length);
        if (line.ends_with('\n'))
            break;
    }
    int code = Z_OK;
    gzerror(file, &code);
    if (code != Z_OK && code != Z_STREAM_END) {
        ++number_;
        return fault("the file is damaged or was cut off");
    }
    if (line.empty())
        return false;
    ++number_;
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.pop_back();
    return true;
}

error line_reader::fault(std::string_view what) const {
    return fail(errc::invalid, path_ + ":" + std::to_string(number_) + ": " + std::string(what));
}

bool split_csv(std::string_view line, std::vector<std::string>& fields) {
    fields.clear();
    std::string field;
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quoted) {
            if (c != '"')
                field += c;
            else if (i + 1 < line.size() && line[i + 1] == '"')
                field += line[++i];
            else
                quoted = false;
        } else if (c == '"' && field.empty()) {
            quoted = true;
        } else if (c == ',') {
            fields.push_back(std::exchange(field, {}));
        } else {
            field += c;
        }
    }
    fields.push_back(std::move(field));
    return !quoted;
}

result<csv_reader> csv_reader::open(const std::string& path, const std::vector<std::string>& needed) {
    auto lines = line_reader::open(path);
    if (!lines)
        return lines.error();
    csv_reader made(std::move(*lines));
    const auto header = made.lines_.next(made.line_);
    if (!header)
        return header.error();
    if (made.line_.starts_with("\xEF\xBB\xBF"))
        made.line_.erase(0, 3);
    if (!*header || !split_csv(made.line_, made.columns_))
        return made.fault("no header of columns");
    for (const std::string& column : needed)
        if (std::ranges::find(made.columns_, column) == made.columns_.end())
            return made.fault("the column \"" + column + "\" is missing");
    return made;
}

result<bool> csv_reader::next() {
    do {
        const auto more = lines_.next(line_);
        if (!more || !*more)
            return more;
    } while (line_.empty());
    if (!split_csv(line_, fields_))
        return fault("a quote is not closed");
    if (fields_.size() < columns_.size())
        return fault(std::to_string(fields_.size()) + " fields where the header has " +
                     std::to_string(columns_.size()));
    return true;
}

bool csv_reader::has(std::string_view column) const noexcept {
    return std::ranges::find(columns_, column) != columns_.end();
}

std::string_view csv_reader::text(std::string_view column) const noexcept {
    const auto at = std::ranges::find(columns_, column);
    return at == columns_.end() ? std::string_view{} : fields_[static_cast<std::size_t>(at - columns_.begin())];
}

result<std::optional<double>> csv_reader::number(std::string_view column, double least) const {
    const std::string_view field = text(column);
    if (field.empty())
        return std::optional<double>{};
    const auto value = parse_number(field);
    if (!value || *value < least)
        return fault("\"" + std::string(field.substr(0, 64)) + "\" cannot be " + std::string(column));
    return value;
}

std::optional<double> parse_number(std::string_view text) noexcept {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

}  // namespace westerly
