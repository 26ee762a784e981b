#include "tools/simulate/core/chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace westerly {

namespace {

constexpr double width = 760, label_width = 190, row = 24, plot_height = 300;

__attribute__((format(printf, 1, 2))) std::string text(const char* format, ...) {
    char buffer[1024];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    return buffer;
}

std::string head(double height, std::string_view title) {
    return text("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height) + escaped(title) + "\">\n" +
           "<text x=\"0\" y=\"16\" class=\"title\">" + escaped(title) + "</text>\n";
}

/// 1, 2 or 5 times a power of ten, so that about `count` steps span the range.
double step_for(double range, int count) {
    const double raw = range / count, power = std::pow(10, std::floor(std::log10(raw)));
    for (const double nice : {1.0, 2.0, 5.0})
        if (raw <= nice * power)
            return nice * power;
    return 10 * power;
}

struct axis {
    double low, high, step;
    axis(double least, double most) {
        if (most - least <= 1e-12 * std::max(1.0, std::abs(most)))
            most = least + std::max(1.0, std::abs(least) * 0.01);
        step = step_for(most - least, 5);
        low = std::floor(least / step) * step;
        high = std::ceil(most / step) * step;
    }
    double at(double value, double from, double to) const { return from + (value - low) / (high - low) * (to - from); }
};

}  // namespace

std::string in_words(double value) {
    if (value == 0)
        return "0";
    const double size = std::abs(value);
    const int decimals = size >= 10'000 ? 0 : std::clamp(4 - static_cast<int>(std::floor(std::log10(size))), 0, 8);
    std::string digits = text("%.*f", decimals, value);
    if (digits.find('.') != std::string::npos) {
        while (digits.ends_with('0'))
            digits.pop_back();
        if (digits.ends_with('.'))
            digits.pop_back();
    }
    const std::size_t end = std::min(digits.find('.'), digits.size());
    for (std::size_t at = end; at > 3 + (digits[0] == '-' ? 1u : 0u); at -= 3)
        digits.insert(at - 3, " ");
    return digits;
}

std::string escaped(std::string_view raw) {
    std::string made;
    for (const char c : raw)
        switch (c) {
            case '&':
                made += "&amp;";
                break;
            case '<':
                made += "&lt;";
                break;
            case '>':
                made += "&gt;";
                break;
            case '"':
                made += "&quot;";
                break;
            default:
                made += c;
        }
    return made;
}

std::string bar_chart(std::string_view title, std::string_view unit, const std::vector<bar>& bars) {
    std::string made =
        head(30 + row * static_cast<double>(bars.size()), std::string(title) + " (" + std::string(unit) + ")");
    double most = 0;
    for (const bar& b : bars)
        most = std::max(most, b.value);
    double y = 28;
    for (const bar& b : bars) {
        const double length = most > 0 ? std::max(0.0, b.value) / most * (width - label_width - 190) : 0;
        made += text("<text x=\"%.0f\" y=\"%.1f\" class=\"label\">", label_width - 8, y + 15) + escaped(b.label) +
                "</text>";
        made +=
            text("<rect x=\"%.0f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/>", label_width, y + 3, length, row - 7);
        made += text("<text x=\"%.1f\" y=\"%.1f\">", label_width + length + 6, y + 15) + escaped(in_words(b.value)) +
                (b.note.empty() ? "" : " <tspan class=\"note\">" + escaped(b.note) + "</tspan>") + "</text>\n";
        y += row;
    }
    return made + "</svg>\n";
}

std::string dot_chart(std::string_view title, std::string_view x_unit, std::string_view y_unit,
                      const std::vector<dot>& dots, bool line) {
    constexpr double left = 90, right = width - 110, top = 34, bottom = top + plot_height;
    std::string made = head(bottom + 52, title);
    if (dots.empty())
        return made + "</svg>\n";
    const auto [least_x, most_x] = std::ranges::minmax(dots, {}, &dot::x);
    const auto [least_y, most_y] = std::ranges::minmax(dots, {}, &dot::y);
    const axis x(least_x.x, most_x.x), y(least_y.y, most_y.y);
    for (double v = x.low; v <= x.high + x.step / 2; v += x.step) {
        const double at = x.at(v, left, right);
        made += text("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", at, top, at, bottom);
        made += text("<text x=\"%.1f\" y=\"%.1f\" class=\"middle\">", at, bottom + 16) + in_words(v) + "</text>\n";
    }
    for (double v = y.low; v <= y.high + y.step / 2; v += y.step) {
        const double at = y.at(v, bottom, top);
        made += text("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", left, at, right, at);
        made += text("<text x=\"%.1f\" y=\"%.1f\" class=\"label\">", left - 6, at + 4) + in_words(v) + "</text>\n";
    }
    made += text("<text x=\"%.1f\" y=\"%.1f\" class=\"middle\">", (left + right) / 2, bottom + 36) + escaped(x_unit) +
            "</text>\n";
    made += text("<text x=\"0\" y=\"%.1f\">", top - 4) + escaped(y_unit) + "</text>\n";
    if (line) {
        made += "<polyline points=\"";
        for (const dot& d : dots)
            made += text("%.1f,%.1f ", x.at(d.x, left, right), y.at(d.y, bottom, top));
        made += "\"/>\n";
    }
    for (const dot& d : dots) {
        const double at_x = x.at(d.x, left, right), at_y = y.at(d.y, bottom, top);
        made += text("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", at_x, at_y);
        made += text("<text x=\"%.1f\" y=\"%.1f\">", at_x + 7, at_y - 5) + escaped(d.label) + "</text>\n";
    }
    return made + "</svg>\n";
}

}  // namespace westerly
