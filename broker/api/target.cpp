#include "broker/api/target.hpp"

#include "broker/support/bytes.hpp"

#include <algorithm>
#include <charconv>

namespace westerly {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
                return std::nullopt;
            c = static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return std::nullopt;
        out += c;
    }
    if (!is_utf8(out))
        return std::nullopt;
    return out;
}

error bad_target(std::string detail) {
    return fail(errc::invalid, std::move(detail),
                "send an absolute path with well-formed percent escapes of UTF-8 text");
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

/// Calls `f` with each element of a comma-separated list until it says stop (true).
template <class F>
bool any_element(std::string_view list, F f) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (f(trim(list.substr(0, comma))))
            return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

/// True for "…;q=0", "…; q=0.0": the range is refused.
bool refused(std::string_view parameters) {
    const auto q = parameters.find("q=");
    if (q == std::string_view::npos)
        return false;
    const auto value = parameters.substr(q + 2, 5);
    return !value.empty() && value.front() == '0' && value.find_first_of("123456789") == std::string_view::npos;
}

bool range_admits(std::string_view range, std::string_view type, bool wildcards) {
    const auto semicolon = std::min(range.find(';'), range.size());
    const auto name = trim(range.substr(0, semicolon));
    if (refused(range.substr(semicolon)))
        return false;
    if (same_ignoring_case(name, type))
        return true;
    if (!wildcards)
        return false;
    const auto slash = type.find('/');
    return name == "*/*" || (name.size() == slash + 2 && name.ends_with("/*") &&
                             same_ignoring_case(name.substr(0, slash), type.substr(0, slash)));
}

}  // namespace

result<target_parts> parse_target(std::string_view target) {
    if (target.empty() || target.front() != '/' || target.size() > target_bytes_max)
        return bad_target(target.size() > target_bytes_max ? "the target is longer than 8 KiB"
                                                           : "the target is not an absolute path");
    target_parts parts;
    const auto mark = std::min(target.find('?'), target.size());
    for (auto path = target.substr(1, mark - 1); !path.empty();) {
        const auto slash = std::min(path.find('/'), path.size());
        auto segment = decode(path.substr(0, slash), false);
        if (!segment || segment->empty() || *segment == "." || *segment == ".." || segment->find('/') != segment->npos)
            return bad_target("the path has an empty, '.' or '..' segment, an escaped '/', or a bad percent escape");
        parts.segments.push_back(std::move(*segment));
        path.remove_prefix(slash);
        if (path == "/")
            return bad_target("the path ends in '/'");
        if (!path.empty())
            path.remove_prefix(1);
    }
    auto query = target.substr(std::min(mark + 1, target.size()));
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = decode(pair.substr(0, equals), true);
        auto value = decode(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value)
            return bad_target("the query has a bad percent escape or is not UTF-8");
        if (parts.query.size() == query_parameters_max)
            return bad_target("the query has more than 64 parameters");
        parts.query.emplace_back(std::move(*name), std::move(*value));
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return parts;
}

bool accepts(std::string_view accept, std::string_view type) {
    return accept.empty() || any_element(accept, [&](auto range) { return range_admits(range, type, true); });
}

bool accepts_exactly(std::string_view accept, std::string_view type) {
    return any_element(accept, [&](auto range) { return range_admits(range, type, false); });
}

bool is_media_type(std::string_view content_type, std::string_view type) {
    return same_ignoring_case(trim(content_type.substr(0, std::min(content_type.find(';'), content_type.size()))),
                              type);
}

bool etag_listed(std::string_view list, std::string_view etag) {
    return any_element(list, [&](std::string_view one) {
        if (one.starts_with("W/"))
            one.remove_prefix(2);
        return one == "*" || one == etag;
    });
}

std::optional<std::uint64_t> revision_of_etag(std::string_view etag) {
    etag = trim(etag);
    if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"')
        return std::nullopt;
    return parse_unsigned(etag.substr(1, etag.size() - 2));
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace westerly
