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

/// A number without needless zeros, three decimals at most: "0.1".
std::string shortest(double value);

/// "a, b and c".
std::string joined(const std::vector<std::string>& words, std::string_view between = ", ",
                   std::string_view before_last = " and ");

}  // namespace westerly
