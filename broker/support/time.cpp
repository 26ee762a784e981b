#include "broker/support/time.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace westerly {
namespace {

constexpr int year_first = 1970;
constexpr int year_last = 2262;
constexpr std::size_t fraction_digits_max = 9;

error not_a_time(std::string_view text) {
    constexpr std::size_t shown_max = 64;
    return fail(errc::invalid, "\"" + std::string(text.substr(0, shown_max)) + "\" is not an RFC 3339 time",
                "write it like 2026-01-31T08:00:00.000Z, with a year from 1970 to 2262");
}

/// Takes exactly `digits` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits)
        return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take_char(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos)
        return false;
    text.remove_prefix(1);
    return true;
}

/// ".1234" as milliseconds, cut; 0 when there is no fraction.
std::optional<milliseconds> take_fraction(std::string_view& text) {
    if (!take_char(text, "."))
        return milliseconds(0);
    std::size_t digits = 0;
    int value = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits, text.remove_prefix(1))
        if (digits < 3)
            value = value * 10 + (text.front() - '0');
    if (digits == 0 || digits > fraction_digits_max)
        return std::nullopt;
    for (std::size_t i = digits; i < 3; ++i)
        value *= 10;
    return milliseconds(value);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
    if (take_char(text, "Zz"))
        return std::chrono::minutes(0);
    const bool west = !text.empty() && text.front() == '-';
    if (!take_char(text, "+-"))
        return std::nullopt;
    const auto hours = take_number(text, 2);
    const bool colon = take_char(text, ":");
    const auto minutes = take_number(text, 2);
    if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59)
        return std::nullopt;
    const std::chrono::minutes offset(*hours * 60 + *minutes);
    return west ? -offset : offset;
}

class machine_clock final : public wall_clock {
public:
    instant now() const override {
        return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    }
};

}  // namespace

std::string format_rfc3339(instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss<milliseconds> time(at - day);
    std::array<char, 64> text;
    const int size =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(size));
}

result<instant> parse_rfc3339(std::string_view text) {
    std::string_view rest = text;
    const auto year = take_number(rest, 4);
    const bool dash1 = take_char(rest, "-");
    const auto month = take_number(rest, 2);
    const bool dash2 = take_char(rest, "-");
    const auto day = take_number(rest, 2);
    const bool letter = take_char(rest, "Tt");
    const auto hour = take_number(rest, 2);
    const bool colon1 = take_char(rest, ":");
    const auto minute = take_number(rest, 2);
    const bool colon2 = take_char(rest, ":");
    const auto second = take_number(rest, 2);
    const auto fraction = take_fraction(rest);
    const auto offset = take_offset(rest);
    if (!year || !dash1 || !month || !dash2 || !day || !letter || !hour || !colon1 || !minute || !colon2 || !second ||
        !fraction || !offset || !rest.empty())
        return not_a_time(text);

    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59)
        return not_a_time(text);
    const instant at = std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                       seconds(*second) + *fraction - *offset;
    const auto utc_year =
        static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(at)).year());
    if (utc_year < year_first || utc_year > year_last)
        return not_a_time(text);
    return at;
}

const wall_clock& system_wall_clock() {
    static const machine_clock clock;
    return clock;
}

}  // namespace westerly
