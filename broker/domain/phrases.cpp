#include "broker/domain/phrases.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::array<std::string_view, languages.size()> language_names{"en", "zh"};

std::string_view word_for(std::string_view told, std::span<const std::pair<std::string_view, std::string_view>> words) {
    const auto known = std::ranges::find(words, told, [](const auto& w) { return w.first; });
    return known == words.end() ? told : known->second;
}

/// The first byte, in UTF-8, of a sign of U+3000 to U+9FFF or of a full-width one.
bool leads_chinese(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0xe3 && byte <= 0xe9) || byte == 0xef;
}
bool begins_chinese(std::string_view text) noexcept {
    return !text.empty() && leads_chinese(text.front());
}
bool ends_chinese(std::string_view text) noexcept {
    return text.size() >= 3 && leads_chinese(text[text.size() - 3]);
}

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
    return word_for(told, methods);
}

std::string_view phrases::unit(std::string_view told) const noexcept {
    return word_for(told, units);
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
        const std::string_view word = number < with.size() ? std::string_view(with[number]) : "?";
        if (begins_chinese(word) && filled.ends_with(' ') && ends_chinese({filled.data(), filled.size() - 1}))
            filled.pop_back();
        filled += word;
        i += 2;
        if (ends_chinese(word) && text.substr(i + 1).starts_with(' ') && begins_chinese(text.substr(i + 2)))
            ++i;
    }
    return filled;
}

}  // namespace westerly
