#include "broker/codec/positions.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/codec/writer.hpp"
#include "broker/support/bytes.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace westerly {
namespace {

/// Leaves yaml-cpp's parser from inside an event; caught in yaml_to_json and nowhere else.
struct yaml_refusal {
    YAML::Mark mark;
    std::string message;
    std::string remedy;
};

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool in_base(std::string_view digits, int base) noexcept {
    constexpr std::string_view all = "0123456789abcdef";
    return !digits.empty() && std::ranges::all_of(digits, [&](char c) {
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        return all.substr(0, static_cast<std::size_t>(base)).find(lower) != std::string_view::npos;
    });
}

void skip_digits(std::string_view& text) {
    text.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin()));
}

/// The core schema's float: [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?, which contains its
/// decimal integer.
bool is_core_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+'))
        text.remove_prefix(1);
    const auto before_point = text;
    skip_digits(text);
    const bool whole = text.size() < before_point.size();
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        const auto after_point = text;
        skip_digits(text);
        if (!whole && text.size() == after_point.size())
            return false;
    } else if (!whole) {
        return false;
    }
    if (text.empty())
        return true;
    if (text.front() != 'e' && text.front() != 'E')
        return false;
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+'))
        text.remove_prefix(1);
    return in_base(text, 10);
}

/// Writes the events of one YAML document as JSON.
class json_of_yaml final : public YAML::EventHandler {
public:
    explicit json_of_yaml(json_writer& out) : out_(out) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0)
            throw yaml_refusal{mark, "a second document begins here", "put one document into a file"};
    }
    void OnDocumentEnd() override {}
    void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override { refuse_anchor(mark); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { refuse_anchor(mark); }

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        check(mark, {}, anchor);
        if (awaits_key())
            throw yaml_refusal{mark, "a key is missing or null", "give every entry a name"};
        out_.Null();
        value_done();
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check(mark, tag, anchor);
        if (!is_utf8(value))  // yaml-cpp makes one byte of \N and of \_
            throw yaml_refusal{mark, "an escape stands for a byte that is no text",
                               "write the character itself; \\N is \\u0085, and \\_ is \\u00a0"};
        if (awaits_key())
            return key(mark, value);
        if (tag == "?")
            plain(mark, value);
        else
            put_string(out_, value);
        value_done();
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        enter(mark, tag, anchor, false);
        out_.StartArray();
    }
    void OnSequenceEnd() override {
        out_.EndArray();
        leave();
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        enter(mark, tag, anchor, true);
        out_.StartObject();
    }
    void OnMapEnd() override {
        out_.EndObject();
        leave();
    }

    bool any_document() const noexcept { return documents_ > 0; }

private:
    struct level {
        bool is_map = false;
        bool has_key = false;
        std::set<std::string> keys;
    };

    [[noreturn]] static void refuse_anchor(const YAML::Mark& mark) {
        throw yaml_refusal{mark, "anchors and aliases are not accepted", "write the value out"};
    }

    static void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor)
            refuse_anchor(mark);
        // yaml-cpp's own marks for plain ("?") and quoted ("!") values.
        if (!tag.empty() && tag != "?" && tag != "!")
            throw yaml_refusal{mark, "tags are not accepted", "remove the tag; quote the value to make it a string"};
    }

    bool awaits_key() const noexcept { return !levels_.empty() && levels_.back().is_map && !levels_.back().has_key; }

    void key(const YAML::Mark& mark, const std::string& name) {
        if (!levels_.back().keys.insert(name).second)
            throw yaml_refusal{mark, "the name \"" + name + "\" stands twice in one map", "keep one of the two"};
        levels_.back().has_key = true;
        put_key(out_, name);
    }

    void value_done() {
        if (!levels_.empty())
            levels_.back().has_key = false;
    }

    void enter(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_map) {
        check(mark, tag, anchor);
        if (awaits_key())
            throw yaml_refusal{mark, "a map or list cannot be a key", "use a plain name"};
        if (levels_.size() == json_depth_max)
            throw yaml_refusal{mark, "nested deeper than " + std::to_string(json_depth_max) + " levels",
                               "flatten the document"};
        levels_.push_back({is_map, false, {}});
    }

    void leave() {
        levels_.pop_back();
        value_done();
    }

    void plain(const YAML::Mark& mark, const std::string& value) {
        if (value == "true" || value == "True" || value == "TRUE")
            out_.Bool(true);
        else if (value == "false" || value == "False" || value == "FALSE")
            out_.Bool(false);
        else if (is_core_number(value))
            number(mark, value, 10);
        else if (value.starts_with("0x") && in_base(std::string_view(value).substr(2), 16))
            number(mark, value.substr(2), 16);
        else if (value.starts_with("0o") && in_base(std::string_view(value).substr(2), 8))
            number(mark, value.substr(2), 8);
        else
            special_or_text(mark, value);
    }

    void special_or_text(const YAML::Mark& mark, const std::string& value) {
        std::string_view bare = value;
        if (bare.starts_with('-') || bare.starts_with('+'))
            bare.remove_prefix(1);
        for (const std::string_view special : {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"})
            if (bare == special)
                throw yaml_refusal{mark, "infinity and NaN are not accepted", "give a finite number"};
        put_string(out_, value);
    }

    void number(const YAML::Mark& mark, std::string_view text, int base) {
        if (text.starts_with('+'))
            text.remove_prefix(1);
        std::int64_t whole = 0;
        const auto* const end = text.data() + text.size();
        if (const auto read = std::from_chars(text.data(), end, whole, base);
            read.ptr == end && read.ec == std::errc()) {
            out_.Int64(whole);
            return;
        }
        double wide = 0;
        const auto read = base == 10 ? std::from_chars(text.data(), end, wide)
                                     : std::from_chars_result{end, std::errc::result_out_of_range};
        if (read.ec != std::errc() || read.ptr != end)
            throw yaml_refusal{mark, "the number is too large or too small", "give a number within range"};
        out_.Double(wide);
    }

    json_writer& out_;
    std::vector<level> levels_;
    std::size_t documents_ = 0;
};

error refuse(text_place at, const std::string& message, std::string remedy) {
    const std::string full = describe(at) + ": " + message;
    error refused = fail(errc::invalid, "not acceptable YAML: " + full, remedy);
    refused.faults.push_back({"", full, std::move(remedy)});
    return refused;
}

text_place place_of(const YAML::Mark& mark) {
    if (mark.is_null())
        return {};
    return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

result<std::string> convert(std::string_view text) {
    std::istringstream in{std::string(text)};
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    json_of_yaml handler(out);
    try {
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(handler)) {
        }
    } catch (const yaml_refusal& why) {
        return refuse(place_of(why.mark), why.message, why.remedy);
    } catch (const YAML::Exception& why) {
        return refuse(place_of(why.mark), why.msg, "see the YAML 1.2 rules for indentation and quoting");
    }
    if (!handler.any_document())
        return refuse({}, "the file is empty", "describe a workload; see the tenant guide");
    return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace

result<std::string> yaml_to_json(std::string_view text) {
    if (text.size() > workload_json_max)
        return fail(errc::too_large,
                    "the document has " + std::to_string(text.size()) + " bytes; the limit is " +
                        std::to_string(workload_json_max),
                    "send a smaller document");
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && text[first] == '{') {
        if (const auto checked = parse_json(text, workload_json_max); !checked)
            return checked.error();
        return std::string(text);
    }
    // yaml-cpp guesses other encodings from NUL bytes and replaces what it cannot read.
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
        return refuse({}, "the file is not UTF-8 text", "save it as UTF-8");
    return convert(text);
}

}  // namespace westerly
