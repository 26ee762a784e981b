#include "broker/domain/price_schedule.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace westerly {
namespace {

constexpr std::int64_t minutes_per_day = 1440;
constexpr std::int64_t minutes_per_week = 7 * minutes_per_day;
constexpr std::int64_t ms_per_minute = 60'000;
constexpr std::int64_t week_ms = minutes_per_week * ms_per_minute;
constexpr std::int64_t first_monday_ms = 4 * minutes_per_day * ms_per_minute;  // 1970 began on a Thursday

struct stretch {
    std::int64_t from_min, to_min;  // of the week in UTC
    std::int64_t nanos;
};

std::int64_t floor_mod(std::int64_t value, std::int64_t by) noexcept {
    const std::int64_t rest = value % by;
    return rest < 0 ? rest + by : rest;
}

/// The windows day by day and cut at the end of the week, sorted.
std::vector<stretch> stretches_of(const price_schedule& of) {
    std::vector<stretch> all;
    for (const price_window& w : of.windows)
        for (std::int64_t day = 0; day < 7; ++day) {
            if ((w.days >> day & 1) == 0)
                continue;
            const std::int64_t from =
                floor_mod(day * minutes_per_day + w.from_min - of.utc_offset_min, minutes_per_week);
            const std::int64_t length =
                w.to_min > w.from_min ? w.to_min - w.from_min : w.to_min - w.from_min + minutes_per_day;
            all.push_back({from, std::min(from + length, minutes_per_week), w.nanos});
            if (from + length > minutes_per_week)
                all.push_back({0, from + length - minutes_per_week, w.nanos});
        }
    std::ranges::sort(all, {}, &stretch::from_min);
    return all;
}

bool two_digits(std::string_view text) noexcept {
    return text.size() == 2 && text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';
}

/// "HH:MM" with at most `hours_max` hours, in minutes.
std::optional<int> parse_hours(std::string_view text, int hours_max) noexcept {
    if (text.size() != 5 || text[2] != ':' || !two_digits(text.substr(0, 2)) || !two_digits(text.substr(3)))
        return std::nullopt;
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > hours_max || minutes > 59)
        return std::nullopt;
    return hours * 60 + minutes;
}

}  // namespace

bool windows_overlap(const price_schedule& of) {
    const auto all = stretches_of(of);
    return std::ranges::adjacent_find(all, [](const stretch& a, const stretch& b) { return b.from_min < a.to_min; }) !=
           all.end();
}

std::optional<std::uint16_t> parse_time_of_day(std::string_view text) noexcept {
    const auto minutes = parse_hours(text, 23);
    return minutes ? std::optional(static_cast<std::uint16_t>(*minutes)) : std::nullopt;
}

std::optional<std::int16_t> parse_utc_offset(std::string_view text) noexcept {
    if (text.empty() || (text[0] != '+' && text[0] != '-'))
        return std::nullopt;
    const auto minutes = parse_hours(text.substr(1), 14);
    if (!minutes)
        return std::nullopt;
    return static_cast<std::int16_t>(text[0] == '-' ? -*minutes : *minutes);
}

std::string format_time_of_day(std::uint16_t minute) {
    std::string text = "00:00";
    text[0] = static_cast<char>('0' + minute / 600);
    text[1] = static_cast<char>('0' + minute / 60 % 10);
    text[3] = static_cast<char>('0' + minute % 60 / 10);
    text[4] = static_cast<char>('0' + minute % 10);
    return text;
}

std::string format_utc_offset(std::int16_t minutes) {
    return (minutes < 0 ? "-" : "+") + format_time_of_day(static_cast<std::uint16_t>(minutes < 0 ? -minutes : minutes));
}

price_curve::price_curve(std::int64_t plain_nanos, const price_schedule& hours) {
    const auto step = [this](std::int64_t from_min, std::int64_t nanos) {
        const std::int64_t from = from_min * ms_per_minute;
        if (!starts_.empty() && starts_.back() == from)
            nanos_.back() = nanos;
        else if (starts_.empty() || nanos_.back() != nanos) {
            starts_.push_back(from);
            nanos_.push_back(nanos);
        }
    };
    step(0, plain_nanos);
    for (const stretch& one : stretches_of(hours)) {
        step(one.from_min, one.nanos);
        if (one.to_min < minutes_per_week)
            step(one.to_min, plain_nanos);
    }
    for (std::size_t i = 1; i < starts_.size();)  // a step that another replaced at once may be like the one before
        if (nanos_[i] == nanos_[i - 1]) {
            starts_.erase(starts_.begin() + static_cast<std::ptrdiff_t>(i));
            nanos_.erase(nanos_.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    wide sum = 0;
    for (std::size_t i = 0; i < starts_.size(); ++i) {
        before_.push_back(sum);
        const std::int64_t end = i + 1 < starts_.size() ? starts_[i + 1] : week_ms;
        sum += wide(nanos_[i]) * (end - starts_[i]);
    }
    before_.push_back(sum);
}

std::size_t price_curve::step_at(std::int64_t in_week) const noexcept {
    return static_cast<std::size_t>(std::ranges::upper_bound(starts_, in_week) - starts_.begin()) - 1;
}

std::int64_t price_curve::at(std::int64_t ms) const noexcept {
    return nanos_[step_at(floor_mod(ms - first_monday_ms, week_ms))];
}

/// The integral from the first Monday on; below 0 before it.
wide price_curve::since_epoch_week(std::int64_t ms) const noexcept {
    const std::int64_t in_week = floor_mod(ms - first_monday_ms, week_ms);
    const std::int64_t weeks = (ms - first_monday_ms - in_week) / week_ms;
    const std::size_t i = step_at(in_week);
    return before_.back() * weeks + before_[i] + wide(nanos_[i]) * (in_week - starts_[i]);
}

wide price_curve::integral(std::int64_t from_ms, std::int64_t to_ms) const noexcept {
    return since_epoch_week(to_ms) - since_epoch_week(from_ms);
}

std::int64_t price_curve::mean(std::int64_t from_ms, std::int64_t to_ms) const noexcept {
    return to_ms > from_ms ? static_cast<std::int64_t>(divide_half_even(integral(from_ms, to_ms), to_ms - from_ms))
                           : at(from_ms);
}

std::int64_t price_curve::mean_of_week() const noexcept {
    return static_cast<std::int64_t>(divide_half_even(before_.back(), week_ms));
}

std::pair<std::int64_t, std::int64_t> price_curve::range(std::int64_t from_ms, std::int64_t to_ms) const noexcept {
    if (to_ms - from_ms >= week_ms) {
        const auto [least, most] = std::ranges::minmax_element(nanos_);
        return {*least, *most};
    }
    std::pair<std::int64_t, std::int64_t> found{at(from_ms), at(from_ms)};
    for (std::int64_t edge = next_edge(from_ms); edge < to_ms; edge = next_edge(edge))
        found = {std::min(found.first, at(edge)), std::max(found.second, at(edge))};
    return found;
}

std::int64_t price_curve::next_edge(std::int64_t ms) const noexcept {
    if (nanos_.size() == 1)
        return std::numeric_limits<std::int64_t>::max();
    const std::int64_t in_week = floor_mod(ms - first_monday_ms, week_ms);
    const std::int64_t week = ms - in_week;
    if (const std::size_t next = step_at(in_week) + 1; next < starts_.size())
        return week + starts_[next];
    // Nothing changes at the turn of the week where its last step is like its first.
    return nanos_.back() != nanos_.front() ? week + week_ms : week + week_ms + starts_[1];
}

std::int64_t charged_micros(wide nano_ms, std::uint64_t units) noexcept {
    constexpr wide nano_ms_per_micro = 3'600'000'000;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    wide product = 0;
    if (__builtin_mul_overflow(nano_ms, wide(units), &product))
        return nano_ms < 0 ? std::numeric_limits<std::int64_t>::min() : most;
    const wide micros = divide_half_even(product, nano_ms_per_micro);
    return micros > most ? most : static_cast<std::int64_t>(std::max(micros, -wide(most) - 1));
}

}  // namespace westerly
