#include "broker/domain/version_range.hpp"

#include <utility>

namespace westerly {
namespace {

constexpr std::size_t parts_max = 8;
constexpr std::size_t digits_max = 9;
constexpr std::size_t bounds_max = 4;

std::optional<std::uint32_t> number_of(std::string_view text) {
    if (text.empty() || text.size() > digits_max)
        return std::nullopt;
    std::uint32_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        number = number * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return number;
}

/// What stands before the separator; it and the separator are taken off. The last piece leaves nullopt behind.
std::string_view next_piece(std::optional<std::string_view>& rest, char separator) {
    const std::string_view all = *rest;
    const auto at = all.find(separator);
    rest = at == std::string_view::npos ? std::nullopt : std::optional(all.substr(at + 1));
    return all.substr(0, at);
}

std::string_view without_spaces_around(std::string_view text) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

std::optional<version_range::bound> bound_of(std::string_view text) {
    using enum version_range::comparison;
    constexpr std::pair<std::string_view, version_range::comparison> signs[] = {
        {">=", at_least}, {"<=", at_most}, {">", above}, {"<", below}, {"==", exactly}, {"=", exactly}};
    version_range::bound made;
    for (const auto& [sign, how] : signs)
        if (text.starts_with(sign)) {
            made.how = how;
            text.remove_prefix(sign.size());
            break;
        }
    auto than = parse_version(without_spaces_around(text));
    if (!than)
        return std::nullopt;
    made.than = std::move(*than);
    return made;
}

}  // namespace

std::optional<dotted_version> parse_version(std::string_view text) {
    dotted_version made;
    std::optional<std::string_view> rest = text;
    while (rest) {
        const auto number = number_of(next_piece(rest, '.'));
        if (!number || made.parts.size() == parts_max)
            return std::nullopt;
        made.parts.push_back(*number);
    }
    while (!made.parts.empty() && made.parts.back() == 0)
        made.parts.pop_back();
    return made;
}

bool version_range::contains(const dotted_version& version) const {
    return std::ranges::all_of(all, [&](const bound& each) {
        switch (each.how) {
            case comparison::at_least:
                return version >= each.than;
            case comparison::above:
                return version > each.than;
            case comparison::at_most:
                return version <= each.than;
            case comparison::below:
                return version < each.than;
            case comparison::exactly:
                break;
        }
        return version == each.than;
    });
}

std::optional<version_range> parse_version_range(std::string_view text) {
    version_range made;
    std::optional<std::string_view> rest = text;
    while (rest) {
        auto bound = bound_of(without_spaces_around(next_piece(rest, ',')));
        if (!bound || made.all.size() == bounds_max)
            return std::nullopt;
        made.all.push_back(std::move(*bound));
    }
    return made;
}

bool version_fits(std::string_view told, std::string_view range) {
    if (range.empty())
        return true;
    const auto asked = parse_version_range(range);
    const auto version = parse_version(told);
    return asked && version && asked->contains(*version);
}

}  // namespace westerly
