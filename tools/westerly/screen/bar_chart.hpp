#pragma once

#include "tools/westerly/screen/terminal.hpp"

#include <string>
#include <vector>

namespace westerly {

/// Horizontal bars, each stacked of parts, with figures beside them.
struct bar_chart {
    struct row {
        std::string label;
        std::vector<double> parts;  // one for each of the chart's; what is negative or not finite is not drawn
        std::vector<std::string> figures;
    };
    std::string title;
    std::vector<std::string> parts;     // their names, for the legend; one part alone needs none
    std::vector<std::string> headings;  // of the figures
    std::vector<row> rows;
};

/// Lines no wider than the terminal: labels lose their middle, then figures from the right go, before bars get too
/// short to compare. All bars have one scale. Without UTF-8 it is plain ASCII, as far as the chart's own texts are.
std::string draw(const bar_chart& chart, const terminal& on);

}  // namespace westerly
