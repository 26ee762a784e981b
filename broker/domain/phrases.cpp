#include "broker/domain/phrases.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::array<std::string_view, languages.size()> language_names{"en", "zh"};

}  // namespace

std::string_view to_string(language spoken) {
    return language_names.at(static_cast<std::size_t>(spoken));
}

std::optional<language> parse_language(std::string_view text) noexcept {
    const auto found = std::ranges::find(language_names, text);
    if (found == language_names.end())
        return std::nullopt;
    return static_cast<language>(found - language_names.begin());
}

std::string_view in_words(rejection why) {
    return english()[why];
}

const phrases& phrases_of(language spoken) noexcept {
    return spoken == language::zh ? chinese() : english();
}

const term_words& phrases::term(std::string_view name) const noexcept {
    const auto others = terms.end() - 1;
    return *std::find_if(terms.begin(), others, [&](const term_words& t) { return t.name == name; });
}

std::string_view phrases::words_of(std::string_view term_name) const noexcept {
    const term_words& known = term(term_name);
    return known.name.empty() ? term_name : known.words;
}

std::string_view phrases::method(std::string_view told) const noexcept {
    const auto known = std::ranges::find(methods, told, [](const auto& m) { return m.first; });
    return known == methods.end() ? told : known->second;
}

std::string fill(std::string_view text, std::span<const std::string> with) {
    std::string filled;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool place = text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}';
        if (!place) {
            filled += text[i];
            continue;
        }
        const auto number = static_cast<std::size_t>(text[i + 1] - '1');
        filled += number < with.size() ? with[number] : "?";
        i += 2;
    }
    return filled;
}

}  // namespace westerly
