#include "broker/domain/money.hpp"

#include <limits>

namespace westerly {
namespace {

constexpr std::array<std::string_view, 2> currency_names = {"CNY", "USD"};
constexpr std::int64_t nanos_per_unit = 1'000'000'000;
constexpr double micros_per_unit = 1e6;

/// nanos x unit-hours to micros: 10^3 nanos a micro, 3.6 x 10^6 milliseconds an hour.
constexpr wide nano_milliseconds_per_micro = wide(1000) * 3'600'000;

std::string format_decimal(std::int64_t value, std::size_t decimals) {
    const bool negative = value < 0;
    const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    std::string text = std::to_string(magnitude);
    if (text.size() <= decimals)
        text.insert(0, decimals + 1 - text.size(), '0');
    text.insert(text.size() - decimals, 1, '.');
    return negative ? "-" + text : text;
}

error not_an_amount(std::string_view text, std::size_t decimals) {
    constexpr std::size_t shown_max = 64;
    return fail(errc::invalid, "\"" + std::string(text.substr(0, shown_max)) + "\" is not a decimal amount",
                "write it like 7.80, with at most " + std::to_string(decimals) + " decimals and without an exponent");
}

result<std::int64_t> parse_decimal(std::string_view text, std::size_t decimals) {
    const bool negative = !text.empty() && text.front() == '-';
    const std::string_view number = text.substr(negative ? 1 : 0);
    const std::size_t point = number.find('.');
    const std::string_view whole = number.substr(0, point);
    const std::string_view part = point == std::string_view::npos ? std::string_view() : number.substr(point + 1);
    if (whole.empty() || (whole.size() > 1 && whole.front() == '0') || part.size() > decimals ||
        (point != std::string_view::npos && part.empty()))
        return not_an_amount(text, decimals);

    std::int64_t value = 0;
    const auto take = [&](char c) {
        const int digit = negative ? '0' - c : c - '0';
        return c >= '0' && c <= '9' && !__builtin_mul_overflow(value, std::int64_t{10}, &value) &&
               !__builtin_add_overflow(value, std::int64_t{digit}, &value);
    };
    for (const char c : whole)
        if (!take(c))
            return not_an_amount(text, decimals);
    for (std::size_t i = 0; i < decimals; ++i)
        if (!take(i < part.size() ? part[i] : '0'))
            return not_an_amount(text, decimals);
    return value;
}

std::int64_t saturate(wide value) noexcept {
    constexpr wide least = std::numeric_limits<std::int64_t>::min();
    constexpr wide most = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(value < least ? least : value > most ? most : value);
}

}  // namespace

std::string_view to_string(currency code) {
    return currency_names.at(static_cast<std::size_t>(code));
}

std::optional<currency> parse_currency(std::string_view code) noexcept {
    for (std::size_t i = 0; i < currency_names.size(); ++i)
        if (currency_names[i] == code)
            return static_cast<currency>(i);
    return std::nullopt;
}

std::string format_micros(std::int64_t micros) {
    return format_decimal(micros, 6);
}

std::string format_nanos(std::int64_t nanos) {
    return format_decimal(nanos, 9);
}

result<std::int64_t> parse_micros(std::string_view text) {
    return parse_decimal(text, 6);
}

result<std::int64_t> parse_nanos(std::string_view text) {
    return parse_decimal(text, 9);
}

wide divide_half_even(wide numerator, wide denominator) noexcept {
    wide quotient = numerator / denominator;
    const wide remainder = numerator % denominator;
    const wide magnitude = remainder < 0 ? -remainder : remainder;
    // magnitude against its complement instead of twice magnitude against the denominator: that could overflow.
    const wide complement = denominator - magnitude;
    if (magnitude > complement || (magnitude == complement && quotient % 2 != 0))
        quotient += numerator < 0 ? -1 : 1;
    return quotient;
}

std::int64_t cumulative_micros(unit_price price, std::uint64_t units, milliseconds billed) noexcept {
    // 63 bits by 64 bits always fit; what overflows 127 bits is far beyond int64 micros too.
    const wide per_hour = wide(price.nanos) * wide(units);
    wide product = 0;
    if (__builtin_mul_overflow(per_hour, wide(billed.count()), &product)) {
        const bool negative = (per_hour < 0) != (billed.count() < 0);
        return negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
    }
    return saturate(divide_half_even(product, nano_milliseconds_per_micro));
}

std::int64_t rate_nanos(const exchange_rates& rates, currency from) noexcept {
    if (from == rates.base)
        return nanos_per_unit;
    if (from == currency::usd)
        return rates.usd_nanos;
    if (rates.usd_nanos <= 0)
        return 0;
    return saturate(divide_half_even(wide(nanos_per_unit) * nanos_per_unit, rates.usd_nanos));
}

double to_base(const exchange_rates& rates, money amount) noexcept {
    return static_cast<double>(amount.micros) / micros_per_unit *
           (static_cast<double>(rate_nanos(rates, amount.unit)) / static_cast<double>(nanos_per_unit));
}

}  // namespace westerly
