#pragma once

#include "broker/domain/money.hpp"

#include <vector>

namespace westerly {

/// Numbers for people: "12.50". Fixed notation, '.' in every locale.
std::string fixed(double value, int decimals);

/// "7.80 CNY": at least two decimals, at most six, no needless zeros.
std::string in_words(money amount);

/// A double amount for people, to four decimals at most: "3.1275 CNY".
std::string in_words(double amount, currency unit);

/// A number without needless zeros, so many decimals at most: "0.1", "24".
std::string rounded(double value, int decimals_max);
/// The same with three.
std::string shortest(double value);

/// A share in per cent, without its sign: "97". What is neither nothing nor all never reads "0" or "100": "99.96".
std::string per_cent(double share);

/// "a, b and c".
std::string joined(const std::vector<std::string>& words, std::string_view between = ", ",
                   std::string_view before_last = " and ");

}  // namespace westerly
