#include "tools/catalogue/arm.hpp"

#include <algorithm>
#include <array>

namespace westerly {
namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}

/// "m6gd.large": letters, the generation, and then 'g' for Graviton. "a1" is the first of them.
bool graviton(std::string_view type) noexcept {
    const auto family = type.substr(0, type.find('.'));
    const auto generation = std::ranges::find_if(family, is_digit);
    const auto rest = std::find_if_not(generation, family.end(), is_digit);
    return family == "a1" || (generation != family.begin() && rest != family.end() && *rest == 'g');
}

/// "Standard_D2pds_v5": family, size, and a 'p' among the small letters behind.
bool azure_arm(std::string_view type) noexcept {
    constexpr std::string_view head = "Standard_";
    if (!type.starts_with(head))
        return false;
    type.remove_prefix(head.size());
    const auto size = std::ranges::find_if(type, is_digit);
    const auto letters = std::find_if_not(size, type.end(), [](char c) { return is_digit(c) || c == '-'; });
    return std::find(letters, std::find_if_not(letters, type.end(), is_lower), 'p') !=
           std::find_if_not(letters, type.end(), is_lower);
}

bool google_arm(std::string_view type) noexcept {
    constexpr std::array<std::string_view, 4> families = {"t2a", "c4a", "n4a", "a4x"};
    return std::ranges::find(families, type.substr(0, type.find('-'))) != families.end();
}

}  // namespace

bool is_arm(std::string_view provider, std::string_view instance_type) noexcept {
    if (provider == "aws")
        return graviton(instance_type);
    if (provider == "azure")
        return azure_arm(instance_type);
    if (provider == "gcp")
        return google_arm(instance_type);
    return instance_type.find("gh200") != std::string_view::npos ||
           instance_type.find("GH200") != std::string_view::npos;
}

}  // namespace westerly
