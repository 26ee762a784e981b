#include "broker/codec/json.hpp"

#include "broker/codec/positions.hpp"
#include "broker/codec/reader.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

namespace westerly {
namespace {

/// Numbers come as text: RapidJSON's own exact conversion counts the leading zeros of a zero (0.00…0 with 23 places).
constexpr unsigned strict_flags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

template <class T>
bool reads_as(std::string_view digits, T& v) {
    return std::from_chars(digits.data(), digits.data() + digits.size(), v).ec == std::errc();
}

/// The nearest double; what is too small for one is a zero. nullopt: too large for one.
std::optional<double> nearest_double(const char* digits, std::size_t size) {
    double v = 0;
    if (!reads_as({digits, size}, v))
        v = std::strtod(digits, nullptr);  // tells apart what from_chars calls out of range
    return std::isfinite(v) ? std::optional(v) : std::nullopt;
}

/// Hands the parser's events on to the document and stops at the first level too deep.
struct depth_guard {
    rapidjson::Document& to;
    std::size_t depth = 0;

    bool enter() { return ++depth <= json_depth_max; }
    bool Null() { return to.Null(); }
    bool Bool(bool v) { return to.Bool(v); }
    bool Int(int v) { return to.Int(v); }
    bool Uint(unsigned v) { return to.Uint(v); }
    bool Int64(std::int64_t v) { return to.Int64(v); }
    bool Uint64(std::uint64_t v) { return to.Uint64(v); }
    bool Double(double v) { return to.Double(v); }
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) {  // ends with a NUL
        const std::string_view digits(s, n);
        std::int64_t whole = 0;
        std::uint64_t large = 0;
        if (digits.find_first_of(".eE") == std::string_view::npos) {
            if (reads_as(digits, whole))
                return to.Int64(whole);
            if (digits[0] != '-' && reads_as(digits, large))
                return to.Uint64(large);
        }
        const auto v = nearest_double(s, n);
        return v && to.Double(*v);
    }
    bool String(const char* s, rapidjson::SizeType n, bool copy) { return to.String(s, n, copy); }
    bool Key(const char* s, rapidjson::SizeType n, bool copy) { return to.Key(s, n, copy); }
    bool StartObject() { return enter() && to.StartObject(); }
    bool EndObject(rapidjson::SizeType n) { return --depth, to.EndObject(n); }
    bool StartArray() { return enter() && to.StartArray(); }
    bool EndArray(rapidjson::SizeType n) { return --depth, to.EndArray(n); }
};

/// The parser as a generator for Document::Populate, which keeps the values in the document's own memory.
struct strict_parser {
    std::string_view text;
    rapidjson::ParseResult outcome;
    bool too_deep = false;

    bool operator()(rapidjson::Document& to) {
        rapidjson::MemoryStream in(text.data(), text.size());
        rapidjson::Reader reader;
        depth_guard guard{to};
        outcome = reader.Parse<strict_flags>(in, guard);
        too_deep = outcome.IsError() && guard.depth > json_depth_max;
        if (outcome.Code() == rapidjson::kParseErrorTermination && !too_deep)  // what else the guard stops at
            outcome = rapidjson::ParseResult(rapidjson::kParseErrorNumberTooBig, outcome.Offset());
        // RapidJSON takes a NUL byte for the end of its input.
        if (!outcome.IsError() && in.Tell() != text.size())
            outcome = rapidjson::ParseResult(rapidjson::kParseErrorDocumentRootNotSingular, in.Tell());
        return !outcome.IsError();
    }
};

std::optional<std::string_view> repeated_name(const json_value& object) {
    std::vector<std::string_view> names;
    names.reserve(object.MemberCount());
    for (const auto& member : object.GetObject())
        names.push_back(text_of(member.name));
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    return twice == names.end() ? std::nullopt : std::optional(*twice);
}

/// Recursion is bounded by json_depth_max: deeper documents were refused before.
void find_repeats(const json_value& value, const json_path& at, std::string_view text, fault_list& faults) {
    if (value.IsArray()) {
        std::size_t i = 0;
        for (const auto& item : value.GetArray())
            find_repeats(item, json_path(at, i++), text, faults);
    } else if (value.IsObject()) {
        if (const auto name = repeated_name(value)) {
            const json_path here(at, *name);
            faults.invalid(here,
                           describe(locate_json(text, here.pointer())) + ": the name \"" + std::string(*name) +
                               "\" stands twice in one object",
                           "keep one of the two");
        }
        for (const auto& member : value.GetObject())
            find_repeats(member.value, json_path(at, text_of(member.name)), text, faults);
    }
}

error syntax_error(std::string_view text, const strict_parser& parser) {
    const auto where = describe(place_at(text, parser.outcome.Offset()));
    const std::string what = parser.too_deep ? "nested deeper than " + std::to_string(json_depth_max) + " levels"
                                             : std::string(rapidjson::GetParseError_En(parser.outcome.Code()));
    error refused = fail(errc::invalid, "not acceptable JSON: " + where + ": " + what,
                         parser.too_deep ? "flatten the document" : "send one JSON value in UTF-8 (RFC 8259)");
    refused.faults.push_back({"", where + ": " + what, refused.remedy});
    return refused;
}

}  // namespace

result<rapidjson::Document> parse_json(std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max)
        return fail(
            errc::too_large,
            "the document has " + std::to_string(text.size()) + " bytes; the limit is " + std::to_string(bytes_max),
            "send a smaller document");
    rapidjson::Document document;
    strict_parser parser{text, {}, false};
    document.Populate(parser);
    if (parser.outcome.IsError())
        return syntax_error(text, parser);
    fault_list faults;
    find_repeats(document, {}, text, faults);
    if (!faults.empty())
        return faults.to_error("not acceptable JSON");
    return document;
}

}  // namespace westerly
