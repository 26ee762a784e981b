#include "tools/westerly/screen/output.hpp"

#include "tools/westerly/screen/text_width.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace westerly {

namespace {

/// Three significant digits below a thousand, never an exponent; what is under a thousandth says so.
std::string in_unit(double thousands, const char* large, const char* small) {
    if (std::isnan(thousands))
        return "-";
    const double value = std::fabs(thousands) >= 1 ? thousands : thousands * 1000;
    const char* unit = std::fabs(thousands) >= 1 ? large : small;
    if (value != 0 && std::fabs(value) < 0.001)
        return std::string("< 0.001 ") + unit;
    const double size = std::fabs(value);
    const int decimals = size >= 100 || value == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    char text[64];
    std::snprintf(text, sizeof text, "%.*f %s", decimals, value, unit);
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
    auto amount = text_at(v, std::string(path) + ".amount");
    if (amount.empty())
        return {};
    const auto point = amount.find('.');
    while (point != std::string::npos && amount.size() > point + 3 && amount.back() == '0')
        amount.pop_back();
    return amount + " " + text_at(v, std::string(path) + ".currency");
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
