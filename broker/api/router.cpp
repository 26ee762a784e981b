#include "broker/api/router.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// Fills `path` when the segments fit the pattern.
bool fits(std::string_view pattern, const std::vector<std::string>& segments, std::array<std::string, 2>& path) {
    std::size_t values = 0;
    std::size_t at = 0;
    pattern.remove_prefix(1);
    while (!pattern.empty()) {
        if (at == segments.size())
            return false;
        const auto slash = std::min(pattern.find('/'), pattern.size());
        const auto part = pattern.substr(0, slash);
        pattern.remove_prefix(std::min(slash + 1, pattern.size()));
        if (part == "{path}") {
            std::string rest = segments[at];
            while (++at < segments.size())
                rest.append("/").append(segments[at]);
            path[values] = std::move(rest);
            return true;
        }
        if (part.front() == '{')
            path[values++] = segments[at];
        else if (part != segments[at])
            return false;
        ++at;
    }
    return at == segments.size();
}

void allow(std::string& list, std::string_view method) {
    if (list.find(method) == std::string::npos)
        list.append(list.empty() ? "" : ", ").append(method);
}

}  // namespace

route_match match_route(std::span<const route> table, http_method method, const std::vector<std::string>& segments) {
    const auto wanted = method == http_method::head ? http_method::get : method;
    route_match match;
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (!fits(table[i].pattern, segments, match.path))
            continue;
        match.path_known = true;
        if (table[i].method == wanted) {
            match.found = &table[i];
            match.index = i;
            return match;
        }
    }
    if (!match.path_known)
        return match;
    for (const auto& row : table) {
        if (!fits(row.pattern, segments, match.path))
            continue;
        allow(match.allow, to_string(row.method));
        if (row.method == http_method::get)
            allow(match.allow, "HEAD");
    }
    allow(match.allow, "OPTIONS");
    return match;
}

bool word_listed(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const auto space = std::min(words.find(' '), words.size());
        if (words.substr(0, space) == word)
            return true;
        words.remove_prefix(std::min(space + 1, words.size()));
    }
    return false;
}

}  // namespace westerly
