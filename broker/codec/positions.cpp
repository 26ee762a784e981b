#include "broker/codec/positions.hpp"

#include "broker/codec/json.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace westerly {
namespace {

/// Walks over JSON text that is known to be well formed.
class json_scanner {
public:
    json_scanner(std::string_view text, std::size_t at) : text_(text), at_(at) { skip_space(); }

    std::size_t offset() const noexcept { return at_; }

    /// Moves from a container to the value of one of its members or items; stays where it is when there is none.
    bool step_into(std::string_view token) {
        const std::size_t start = at_;
        std::optional<std::size_t> found;
        if (peek() == '{')
            found = find_member(token);
        else if (peek() == '[')
            found = find_item(token);
        at_ = found.value_or(start);
        return found.has_value();
    }

private:
    char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

    void skip_string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
            at_ += text_[at_] == '\\' ? 1 : 0;
        at_ = std::min(at_ + 1, text_.size());
    }

    void skip_value() {
        std::size_t depth = 0;
        do {
            const char c = peek();
            if (c == '"') {
                skip_string();
            } else if (c == '{' || c == '[') {
                ++depth, ++at_;
            } else if (c == '}' || c == ']') {
                --depth, ++at_;
            } else if (c == ',' || c == ':') {
                ++at_;
            } else {
                at_ = std::min(text_.find_first_of(",:]} \t\r\n", at_), text_.size());
            }
            skip_space();
        } while (depth > 0 && at_ < text_.size());
    }

    std::string read_name() {
        const std::size_t begin = at_;
        skip_string();
        const auto quoted = text_.substr(begin, at_ - begin);
        if (quoted.find('\\') == std::string_view::npos)
            return std::string(quoted.substr(1, quoted.size() - 2));
        rapidjson::Document name;
        name.Parse(quoted.data(), quoted.size());
        return name.IsString() ? std::string(name.GetString(), name.GetStringLength()) : std::string();
    }

    std::optional<std::size_t> find_member(std::string_view wanted) {
        std::optional<std::size_t> last;
        for (++at_, skip_space(); peek() == '"';) {
            const std::string name = read_name();
            skip_space();
            ++at_;  // the colon
            skip_space();
            if (name == wanted)
                last = at_;
            skip_value();
            if (peek() == ',')
                ++at_, skip_space();
        }
        return last;
    }

    std::optional<std::size_t> find_item(std::string_view wanted) {
        std::size_t index = 0;
        const auto [end, problem] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), index);
        if (problem != std::errc() || end != wanted.data() + wanted.size())
            return std::nullopt;
        ++at_;
        skip_space();
        for (; peek() != ']' && at_ < text_.size(); --index) {
            if (index == 0)
                return at_;
            skip_value();
            if (peek() == ',')
                ++at_, skip_space();
        }
        return std::nullopt;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string unescape(std::string_view token) {
    std::string plain;
    for (std::size_t i = 0; i < token.size(); ++i) {
        const bool escaped = token[i] == '~' && i + 1 < token.size();
        plain += !escaped ? token[i] : token[++i] == '1' ? '/' : '~';
    }
    return plain;
}

}  // namespace

std::string describe(text_place at) {
    return "line " + std::to_string(at.line) + ", column " + std::to_string(at.column);
}

text_place place_at(std::string_view text, std::size_t offset) noexcept {
    const auto before = text.substr(0, offset);
    const auto last_break = before.rfind('\n');
    return {static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1,
            before.size() - (last_break == std::string_view::npos ? 0 : last_break + 1) + 1};
}

text_place locate_json(std::string_view json, std::string_view pointer) {
    json_scanner scan(json, 0);
    while (!pointer.empty()) {
        pointer.remove_prefix(1);  // the slash
        const auto end = std::min(pointer.find('/'), pointer.size());
        if (!scan.step_into(unescape(pointer.substr(0, end))))
            break;
        pointer.remove_prefix(end);
    }
    return place_at(json, scan.offset());
}

error with_places(error refused, std::string_view json) {
    for (auto& each : refused.faults)
        each.message = describe(locate_json(json, each.pointer)) + ": " + each.message;
    return refused;
}

}  // namespace westerly
