#include "broker/domain/wording.hpp"

#include <charconv>

namespace westerly {
namespace {

constexpr int money_decimals_min = 2;
constexpr int money_decimals_max = 4;

std::string with_few_zeros(std::string digits) {
    const auto point = digits.find('.');
    while (digits.size() > point + 1 + money_decimals_min && digits.back() == '0')
        digits.pop_back();
    return digits;
}

}  // namespace

std::string fixed(double value, int decimals) {
    char text[512];  // the largest double has 309 digits before the point
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals);
    return end.ec == std::errc() ? std::string(text, end.ptr) : "?";
}

std::string in_words(money amount) {
    return with_few_zeros(format_micros(amount.micros)) + " " + std::string(to_string(amount.unit));
}

std::string in_words(double amount, currency unit) {
    return with_few_zeros(fixed(amount, money_decimals_max)) + " " + std::string(to_string(unit));
}

std::string rounded(double value, int decimals_max) {
    std::string text = fixed(value, decimals_max);
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.')
            text.pop_back();
    }
    return text == "-0" ? "0" : text;
}

std::string shortest(double value) {
    return rounded(value, 3);
}

std::string per_cent(double share) {
    constexpr int decimals_max = 3;
    const bool partly = share > 0 && share < 1;
    for (int decimals = 0; decimals <= decimals_max; ++decimals) {
        std::string text = fixed(share * 100, decimals);
        if (!partly || (rounded(share * 100, decimals) != "0" && rounded(share * 100, decimals) != "100"))
            return text;
    }
    return share < 0.5 ? "0.001" : "99.999";
}

std::string joined(const std::vector<std::string>& words, std::string_view between, std::string_view before_last) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0)
            text += i + 1 == words.size() ? before_last : between;
        text += words[i];
    }
    return text;
}

}  // namespace westerly
