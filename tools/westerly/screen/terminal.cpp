#include "tools/westerly/screen/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <string>

namespace westerly {
namespace {

constexpr std::size_t usual_width = 80, width_min = 20, width_max = 1000;

const char* from_environment(const char* name) {
    return std::getenv(name);
}

/// The first of these that says anything.
std::string locale_of(const environment& variable, std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (const char* const value = variable(name); value != nullptr && *value != '\0')
            return value;
    return {};
}

bool names_utf8(std::string locale) {
    std::erase(locale, '-');
    std::ranges::transform(locale, locale.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return locale.find(".utf8") != std::string::npos;
}

}  // namespace

bool speaks_utf8(const environment& variable) {
    return names_utf8(locale_of(variable, {"LC_ALL", "LC_CTYPE", "LANG"}));
}

language preferred_language(const environment& variable) {
    const bool chinese = locale_of(variable, {"LC_ALL", "LC_MESSAGES", "LANG"}).starts_with("zh");
    return chinese && speaks_utf8(variable) ? language::zh : language::en;
}

std::size_t width_of(const environment& variable, std::size_t measured) {
    std::size_t told = 0;
    if (const char* const columns = variable("COLUMNS")) {
        const std::string_view text(columns);
        if (std::from_chars(text.data(), text.data() + text.size(), told).ptr != text.data() + text.size())
            told = 0;
    }
    for (const std::size_t width : {told, measured})
        if (width > 0)
            return std::clamp(width, width_min, width_max);
    return usual_width;
}

bool colourful(int descriptor) {
    return isatty(descriptor) == 1 && std::getenv("NO_COLOR") == nullptr;
}

terminal terminal_at(int descriptor) {
    winsize size{};
    const bool measured = isatty(descriptor) == 1 && ioctl(descriptor, TIOCGWINSZ, &size) == 0;
    return {.width = width_of(from_environment, measured ? size.ws_col : 0),
            .utf8 = speaks_utf8(from_environment),
            .colour = colourful(descriptor)};
}

}  // namespace westerly
