#pragma once

#include "broker/support/result.hpp"
#include "broker/support/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace westerly {

/// ISO 4217 code, three upper-case letters; this version rates CNY and USD.
enum class currency : std::uint8_t { cny, usd };
std::string_view to_string(currency code);
std::optional<currency> parse_currency(std::string_view code) noexcept;

/// An exact amount: micros are 10^-6 of one unit of the currency. May be negative (credits).
struct money {
    std::int64_t micros = 0;
    currency unit = currency::cny;
    friend bool operator==(const money&, const money&) = default;
};

/// A price per unit-hour: nanos are 10^-9 of one unit of the currency; >= 0.
struct unit_price {
    std::int64_t nanos = 0;
    currency unit = currency::cny;
    friend bool operator==(const unit_price&, const unit_price&) = default;
};

/// "7.800000": six decimals, '-' in front when negative.
std::string format_micros(std::int64_t micros);
/// "0.045000000": nine decimals.
std::string format_nanos(std::int64_t nanos);
/// Decimal text with at most 6 (9) decimals, no exponent, no leading zeros, within int64. Errors: invalid.
result<std::int64_t> parse_micros(std::string_view text);
result<std::int64_t> parse_nanos(std::string_view text);

/// numerator / denominator rounded half to even. denominator > 0.
__extension__ using wide = __int128;
wide divide_half_even(wide numerator, wide denominator) noexcept;

/// The cumulative charge in micros for `units` units over `billed` at `price`, rounded half-even once. A row for
/// [a, b) is cumulative(b) - cumulative(a), so rows sum exactly. Saturates at the int64 limits.
std::int64_t cumulative_micros(unit_price price, std::uint64_t units, milliseconds billed) noexcept;

/// Exchange rates to one base currency: how many base units one unit of the currency buys, in 10^-9. Base itself is
/// 10^9.
struct exchange_rates {
    currency base = currency::cny;
    std::int64_t usd_nanos = 7'100'000'000;  // CNY for one USD, > 0; an operator's setting, the default is an example
    std::string source = "built-in example";
    friend bool operator==(const exchange_rates&, const exchange_rates&) = default;
};
/// nanos of one unit of `from` in the base currency.
std::int64_t rate_nanos(const exchange_rates& rates, currency from) noexcept;
/// An amount in the base currency, as a double for ranking only: it never enters a charge.
double to_base(const exchange_rates& rates, money amount) noexcept;

}  // namespace westerly
