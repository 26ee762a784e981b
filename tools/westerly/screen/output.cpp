#include "tools/westerly/screen/output.hpp"

#include "tools/westerly/screen/text_width.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>

namespace westerly {

namespace {

/// Three significant digits below a thousand, never an exponent; what is under a thousandth says so.
std::string in_unit(double thousands, const char* large, const char* small) {
    if (std::isnan(thousands))
        return "-";
    const double value = std::fabs(thousands) >= 1 ? thousands : thousands * 1000;
    const char* unit = std::fabs(thousands) >= 1 ? large : small;
    if (value != 0 && std::fabs(value) < 0.001)
        return std::string(value < 0 ? "> -0.001 " : "< 0.001 ") + unit;
    const double size = std::fabs(value);
    const int decimals = size >= 100 || value == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    char text[64];
    std::snprintf(text, sizeof text, "%.*f %s", decimals, value, unit);
    return text;
}

/// Zeros past the second decimal say nothing.
std::string without_zeros(std::string amount) {
    const auto point = amount.find('.');
    while (point != std::string::npos && amount.size() > point + 3 && amount.back() == '0')
        amount.pop_back();
    return amount;
}

/// "daily", "mon-fri", "mon,wed": runs of three days and more are a span.
std::string days_of(const json_value& window) {
    constexpr std::array<std::string_view, 7> names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    std::array<bool, 7> begins{};
    const auto* days = value_at(window, "days");
    for (std::size_t day = 0; day < names.size(); ++day)
        begins[day] = days == nullptr || std::ranges::any_of(days->GetArray(), [&](const json_value& name) {
                          return name.GetString() == names[day];
                      });
    if (std::ranges::all_of(begins, std::identity{}))
        return "daily";
    std::string text;
    for (std::size_t first = 0; first < names.size(); ++first) {
        if (!begins[first])
            continue;
        std::size_t last = first;
        while (last + 1 < names.size() && begins[last + 1])
            ++last;
        if (last < first + 2)
            last = first;
        text += (text.empty() ? "" : ",") + std::string(names[first]);
        if (last > first)
            text += "-" + std::string(names[last]);
        first = last;
    }
    return text;
}

}  // namespace

std::string text_table::render(bool colour) const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
            widths[i] = std::max(widths[i], columns_of(row[i]));
    std::string text;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        std::string line;
        for (std::size_t i = 0; i < rows_[r].size(); ++i) {
            line += i + 1 < rows_[r].size() ? padded(rows_[r][i], widths[i] + 2) : rows_[r][i];
        }
        text += r == 0 && colour ? "\x1b[1m" + line + "\x1b[0m\n" : line + "\n";
    }
    return text;
}

const json_value* value_at(const json_value& v, std::string_view path) {
    const json_value* at = &v;
    while (!path.empty()) {
        const auto dot = path.find('.');
        const auto name = path.substr(0, dot);
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
        if (at->IsArray()) {
            std::size_t index = 0;
            std::from_chars(name.data(), name.data() + name.size(), index);
            if (index >= at->Size())
                return nullptr;
            at = &(*at)[static_cast<rapidjson::SizeType>(index)];
        } else {
            if (!at->IsObject())
                return nullptr;
            const auto found = at->FindMember(std::string(name));
            if (found == at->MemberEnd())
                return nullptr;
            at = &found->value;
        }
    }
    return at;
}

std::string text_at(const json_value& v, std::string_view path) {
    const auto* at = value_at(v, path);
    if (at == nullptr)
        return {};
    if (at->IsString())
        return {at->GetString(), at->GetStringLength()};
    if (at->IsBool())
        return at->GetBool() ? "yes" : "no";
    if (at->IsInt64())
        return std::to_string(at->GetInt64());
    if (at->IsUint64())
        return std::to_string(at->GetUint64());
    return at->IsNumber() ? rounded_at(v, path) : std::string();
}

double number_at(const json_value& v, std::string_view path, double absent) {
    const auto* at = value_at(v, path);
    return at != nullptr && at->IsNumber() ? at->GetDouble() : absent;
}

std::string money_at(const json_value& v, std::string_view path) {
    const auto amount = text_at(v, std::string(path) + ".amount");
    if (amount.empty())
        return {};
    return without_zeros(amount) + " " + text_at(v, std::string(path) + ".currency");
}

std::vector<std::string> windows_of(const json_value& told) {
    std::vector<std::string> lines;
    const auto* windows = value_at(told, "price_schedule.windows");
    if (windows == nullptr || !windows->IsArray())
        return lines;
    for (const auto& window : windows->GetArray())
        lines.push_back(days_of(window) + " " + text_at(window, "from") + "-" + text_at(window, "to") + " " +
                        without_zeros(text_at(window, "amount")));
    return lines;
}

std::string hours_in_words(const json_value& told) {
    constexpr std::size_t shown_max = 3;
    const auto windows = windows_of(told);
    std::string text;
    for (std::size_t i = 0; i < std::min(windows.size(), shown_max); ++i)
        text += (i == 0 ? text_at(told, "price_schedule.utc_offset") + ": " : ", ") + windows[i];
    if (windows.size() > shown_max)
        text += " and " + std::to_string(windows.size() - shown_max) + " more";
    return text;
}

std::string price_range_of(const json_value& told) {
    return without_zeros(text_at(told, "hourly_price.least.amount")) + " to " + money_at(told, "hourly_price.highest");
}

std::string unit_price_of(const json_value& told) {
    if (value_at(told, "hourly_price") == nullptr)
        return money_at(told, "price");
    const auto now = money_at(told, "hourly_price.now");
    return now.empty() ? price_range_of(told) : now + " now, " + price_range_of(told);
}

std::string rounded_at(const json_value& v, std::string_view path, std::string_view unit) {
    const double value = number_at(v, path, NAN);
    if (std::isnan(value))
        return "-";
    char text[64];
    std::snprintf(text, sizeof text, std::fabs(value) >= 1000 ? "%.0f" : "%.4g", value);
    return unit.empty() ? std::string(text) : std::string(text) + " " + std::string(unit);
}

std::string energy_at(const json_value& v, std::string_view path) {
    return in_unit(number_at(v, path, NAN), "kWh", "Wh");
}

std::string carbon_at(const json_value& v, std::string_view path) {
    return in_unit(number_at(v, path, NAN), "kg", "g");
}

std::string percent_at(const json_value& v, std::string_view path) {
    const double value = number_at(v, path, NAN);
    if (std::isnan(value))
        return "-";
    char text[32];
    std::snprintf(text, sizeof text, "%.4g %%", value * 100);
    return text;
}

}  // namespace westerly
