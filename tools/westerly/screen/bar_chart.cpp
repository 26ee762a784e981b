#include "tools/westerly/screen/bar_chart.hpp"

#include "tools/westerly/screen/text_width.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t bar_min = 10, bar_max = 60;
constexpr std::size_t label_min = 12;
constexpr std::size_t gap = 2;  // between columns

struct mark {
    std::string_view block, ascii, colour;
};
constexpr std::array<mark, 6> marks{{{"█", "#", "\x1b[34m"},
                                     {"▓", "+", "\x1b[32m"},
                                     {"▒", "=", "\x1b[33m"},
                                     {"░", ":", "\x1b[35m"},
                                     {"▚", "*", "\x1b[36m"},
                                     {"▞", "%", "\x1b[31m"}}};

struct layout {
    std::size_t label = 0, bar = 0;
    std::vector<std::size_t> figures;
};

constexpr double drawn_max = 1e300;  // so that sums stay finite

double drawable(double part) {
    return std::isfinite(part) ? std::clamp(part, 0.0, drawn_max) : 0.0;
}

double length_of(const bar_chart::row& row) {
    double sum = 0;
    for (const double part : row.parts)
        sum += drawable(part);
    return sum;
}

layout lay_out(const bar_chart& chart, std::size_t width) {
    layout made;
    for (const auto& row : chart.rows)
        made.label = std::max(made.label, columns_of(row.label));
    for (const auto& heading : chart.headings)
        made.figures.push_back(columns_of(heading));
    for (const auto& row : chart.rows)
        for (std::size_t i = 0; i < row.figures.size() && i < made.figures.size(); ++i)
            made.figures[i] = std::max(made.figures[i], columns_of(row.figures[i]));
    const auto room = [&](std::size_t label) {
        std::size_t taken = label + gap;
        for (const auto columns : made.figures)
            taken += gap + columns;
        return width - std::min(taken, width);
    };
    made.label = std::min(made.label, std::max(label_min, 2 * width / 5));
    while (made.label > label_min && room(made.label) < bar_min)
        --made.label;
    while (!made.figures.empty() && room(made.label) < bar_min)
        made.figures.pop_back();
    made.bar = std::clamp(room(made.label), std::size_t{1}, bar_max);
    return made;
}

std::string cells(std::size_t part, std::size_t count, const terminal& on) {
    if (count == 0)
        return {};
    const mark& as = marks[part % marks.size()];
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += on.utf8 ? as.block : as.ascii;
    return on.colour ? std::string(as.colour) + text + "\x1b[0m" : text;
}

/// The ends of parts are rounded and not their lengths, so that the bar as a whole is as long as it should be.
std::string bar_of(const bar_chart::row& row, double scale, std::size_t columns, const terminal& on) {
    std::string text;
    double sum = 0;
    std::size_t drawn = 0;
    for (std::size_t i = 0; i < row.parts.size(); ++i) {
        sum += drawable(row.parts[i]);
        const auto end = std::min(static_cast<std::size_t>(std::lround(sum * scale)), columns);
        text += cells(i, end - drawn, on);
        drawn = end;
    }
    return text + std::string(columns - drawn, ' ');
}

std::string line_of(std::string begin, const std::vector<std::string>& figures, const layout& by) {
    for (std::size_t i = 0; i < by.figures.size() && i < figures.size(); ++i)
        begin += std::string(gap, ' ') + right_aligned(figures[i], by.figures[i]);
    begin.erase(begin.find_last_not_of(' ') + 1);
    return begin + "\n";
}

}  // namespace

std::string draw(const bar_chart& chart, const terminal& on) {
    const layout by = lay_out(chart, on.width);
    double longest = 0;
    for (const auto& row : chart.rows)
        longest = std::max(longest, length_of(row));
    const double scale = longest > 0 ? static_cast<double>(by.bar) / longest : 0;

    std::string text = chart.title + "\n";
    if (chart.parts.size() > 1) {
        std::string legend;
        for (std::size_t i = 0; i < chart.parts.size(); ++i)
            legend += (i > 0 ? "  " : "") + cells(i, 1, on) + " " + chart.parts[i];
        text += legend + "\n";
    }
    text += line_of(std::string(by.label + gap + by.bar, ' '), chart.headings, by);
    for (const auto& row : chart.rows)
        text += line_of(padded(shortened(row.label, by.label, on.utf8 ? "…" : ".."), by.label + gap) +
                            bar_of(row, scale, by.bar, on),
                        row.figures, by);
    return text;
}

}  // namespace westerly
