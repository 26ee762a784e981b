#pragma once

#include "broker/domain/language.hpp"

#include <cstddef>
#include <functional>

namespace westerly {

/// What output goes to.
struct terminal {
    std::size_t width = 80;
    bool utf8 = false;
    bool colour = false;
};

/// A variable of the environment, nullptr when it is not set: std::getenv, or a test's.
using environment = std::function<const char*(const char*)>;

/// By the locale: LC_ALL over LC_CTYPE over LANG.
bool speaks_utf8(const environment& variable);
/// By the locale: LC_ALL over LC_MESSAGES over LANG. A locale that is not UTF-8 cannot show Chinese.
language preferred_language(const environment& variable);
/// COLUMNS where it is a sensible number, else `measured`, else 80.
std::size_t width_of(const environment& variable, std::size_t measured);

/// True when this stream is a terminal and NO_COLOR is not set.
bool colourful(int descriptor);
terminal terminal_at(int descriptor);

}  // namespace westerly
