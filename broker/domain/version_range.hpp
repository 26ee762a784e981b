#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace westerly {

/// A version as dotted numbers: "12.4" is 12.4.0. Anything else ("8.0.RC1") is no version that can be compared.
struct dotted_version {
    std::vector<std::uint32_t> parts;  // without zeros at the end
    friend bool operator==(const dotted_version&, const dotted_version&) = default;
    friend std::strong_ordering operator<=>(const dotted_version& a, const dotted_version& b) {
        return std::lexicographical_compare_three_way(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end());
    }
};
/// nullopt: it is no dotted number of at most 8 parts of at most 9 digits.
std::optional<dotted_version> parse_version(std::string_view text);

/// What a version has to be: comparisons that all hold, as in ">=12.1,<13"; a bare version asks for just that one.
struct version_range {
    enum class comparison : std::uint8_t { at_least, above, at_most, below, exactly };
    struct bound {
        comparison how = comparison::exactly;
        dotted_version than;
        friend bool operator==(const bound&, const bound&) = default;
    };
    std::vector<bound> all;
    bool contains(const dotted_version& version) const;
    friend bool operator==(const version_range&, const version_range&) = default;
};
/// nullopt: it is none, or has more than 4 comparisons.
std::optional<version_range> parse_version_range(std::string_view text);

/// Whether a version, as its provider tells it, is within a range as a workload writes it. An empty range asks
/// nothing; a version that is not told, or is no dotted number, meets no other.
bool version_fits(std::string_view told, std::string_view range);

}  // namespace westerly
