#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace westerly {

struct bar {
    std::string label;
    double value = 0;
    std::string note;  // behind the number; may be empty
};

/// Horizontal bars from 0, each with its number, as one <svg>.
std::string bar_chart(std::string_view title, std::string_view unit, const std::vector<bar>& bars);

struct dot {
    double x = 0, y = 0;
    std::string label;
};

/// Dots, joined in their order when `line`; axes with ticks and units, as one <svg>. Ranges are those of the dots.
std::string dot_chart(std::string_view title, std::string_view x_unit, std::string_view y_unit,
                      const std::vector<dot>& dots, bool line);

/// "12 345 678", "1 234.5", "0.0123": at most five digits that count.
std::string in_words(double value);
/// & < > " as entities.
std::string escaped(std::string_view text);

}  // namespace westerly
