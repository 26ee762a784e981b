#include "broker/codec/shapes.hpp"

#include "broker/domain/version_range.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_letter_or_digit(char c) noexcept {
    return is_digit(c) || is_lower(c) || is_upper(c);
}
constexpr bool is_slug_char(char c) noexcept {
    return is_lower(c) || is_digit(c) || c == '-';
}

bool digits(std::string_view text, std::size_t at_most) noexcept {
    return !text.empty() && text.size() <= at_most && std::ranges::all_of(text, is_digit);
}

bool is_decimal(std::string_view text, std::size_t whole_digits, std::size_t decimals) noexcept {
    const auto point = text.find('.');
    const auto whole = text.substr(0, point);
    return digits(whole, whole_digits) && (whole.size() == 1 || whole.front() != '0') &&
           (point == std::string_view::npos || digits(text.substr(point + 1), decimals));
}

constexpr text_rule amount_rule{1, 19, is_amount, "a decimal text such as \"7.80\", not negative, at most 6 decimals"};
constexpr text_rule price_rule{1, 19, is_price_amount,
                               "a decimal text such as \"0.045\", not negative, at most 9 decimals"};

/// {"amount", "currency"} as the two texts' values; nullopt when either is missing or wrong.
std::optional<std::pair<std::string, currency>> read_amount(object_reader& o, std::string_view name,
                                                            const text_rule& rule) {
    std::string amount;
    std::optional<currency> unit;
    o.object(name, [&](object_reader& inner) {
        inner.require({"amount", "currency"});
        inner.text("amount", amount, rule);
        inner.choice("currency", unit);
    });
    if (amount.empty() || !unit)
        return std::nullopt;
    return std::pair(amount, *unit);
}

}  // namespace

bool is_slug(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_slug_char) && text.front() != '-' && text.back() != '-';
}
bool is_policy_name(std::string_view text) noexcept {
    const auto may_end = [](char c) {
        return is_lower(c) || is_digit(c);
    };
    return !text.empty() && may_end(text.front()) && may_end(text.back()) &&
           std::ranges::all_of(text, [](char c) { return is_slug_char(c) || c == '_'; });
}
bool is_workload_name(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_slug_char);
}
bool is_provider_id(std::string_view text) noexcept {
    return !text.empty() && is_lower(text.front()) && std::ranges::all_of(text, is_slug_char);
}
bool is_term_name(std::string_view text) noexcept {
    return !text.empty() && text.front() >= 'a' && text.front() <= 'z' && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}
bool is_label_key(std::string_view text) noexcept {
    return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
           std::ranges::all_of(
               text, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '/' || c == '-'; });
}
bool is_model_name(std::string_view text) noexcept {
    return !text.empty() && is_letter_or_digit(text.front()) && std::ranges::all_of(text, [](char c) {
        return is_letter_or_digit(c) || c == ' ' || c == '.' || c == '_' || c == '+' || c == '-';
    });
}
bool is_country_code(std::string_view text) noexcept {
    return text.size() == 2 && std::ranges::all_of(text, is_upper);
}
bool is_bundle_digest(std::string_view text) noexcept {
    constexpr std::string_view head = "sha256:";
    return text.size() == head.size() + 64 && text.starts_with(head) &&
           std::ranges::all_of(text.substr(head.size()), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}
bool is_variable_name(std::string_view text) noexcept {
    return !text.empty() && !is_digit(text.front()) && !text.starts_with("WESTERLY_") &&
           std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '_'; });
}
bool is_version(std::string_view text) noexcept {
    return parse_version(text).has_value();
}
bool is_version_range(std::string_view text) noexcept {
    return parse_version_range(text).has_value();
}
bool is_amount(std::string_view text) noexcept {
    return is_decimal(text, 12, 6);
}
bool is_price_amount(std::string_view text) noexcept {
    return is_decimal(text, 9, 9);
}

bool is_architecture(std::string_view text) noexcept {
    return std::ranges::find(architectures, text) != std::end(architectures);
}

bool read_money(object_reader& o, std::string_view name, std::optional<money>& target) {
    const auto read = read_amount(o, name, amount_rule);
    if (!read)
        return false;
    target = money{*parse_micros(read->first), read->second};  // the rule lets nothing else through
    return true;
}

bool read_price(object_reader& o, std::string_view name, std::optional<unit_price>& target) {
    const auto read = read_amount(o, name, price_rule);
    if (!read)
        return false;
    target = unit_price{*parse_nanos(read->first), read->second};
    return true;
}

void read_software(object_reader& o, software_facts& into) {
    o.text_map("stack_versions", into.stack_versions, 16, stack_rule, version_rule);
    o.text("driver_version", into.driver_version, version_rule);
}

bool read_sourced(object_reader& o, std::string_view name, std::optional<sourced>& target, number_range range) {
    std::optional<double> value;
    sourced read;
    o.object(name, [&](object_reader& inner) {
        inner.require({"value", "source", "quality"});
        inner.number("value", value, range);
        inner.text("source", read.source, note_rule);
        inner.choice("quality", read.quality);
    });
    if (!value)
        return false;
    read.value = *value;
    target = std::move(read);
    return true;
}

void read_place(object_reader& o, std::optional<std::pair<double, double>>& target) {
    std::optional<double> latitude;
    std::optional<double> longitude;
    o.number("latitude", latitude, {-90, 90});
    o.number("longitude", longitude, {-180, 180});
    if (o.has("latitude") != o.has("longitude"))
        o.require({"latitude", "longitude"});
    if (latitude && longitude)
        target = std::pair(*latitude, *longitude);
}

}  // namespace westerly
