#include "tests/property/oracle_hours.hpp"

#include <algorithm>

namespace westerly::laws {
namespace {

constexpr std::int64_t quarter = 900'000, quarters_of_week = 672, week_ms = quarter * quarters_of_week;
constexpr std::int64_t first_monday = 4 * 86'400'000ll;

}  // namespace

plain_hours::plain_hours(const offer& of)
    : offset_ms_(of.schedule.utc_offset_min * 60'000ll), quarters_(quarters_of_week, of.price->nanos) {
    for (const auto& window : of.schedule.windows)
        for (int day = 0; day < 7; ++day) {
            if (!(window.days & (1 << day)))
                continue;
            int minute = window.from_min;
            do {
                quarters_[static_cast<std::size_t>((day * 1440 + minute) / 15 % quarters_of_week)] = window.nanos;
                minute += 15;
            } while (minute % 1440 != window.to_min);
        }
}

std::int64_t plain_hours::at(std::int64_t ms) const {
    return quarters_[static_cast<std::size_t>((ms - first_monday + offset_ms_) / quarter % quarters_of_week)];
}

wide plain_hours::week() const {
    wide all = 0;
    for (const std::int64_t nanos : quarters_)
        all += wide{nanos} * quarter;
    return all;
}

wide plain_hours::sum(std::int64_t from_ms, std::int64_t length_ms) const {
    wide all = week() * (length_ms / week_ms);
    const std::int64_t end = from_ms + length_ms % week_ms;
    for (std::int64_t t = from_ms; t < end;) {
        const std::int64_t next = std::min((t / quarter + 1) * quarter, end);
        all += wide{at(t)} * (next - t);
        t = next;
    }
    return all;
}

wide plain_hours::mean_hour() const {
    return (2 * week() / 168 + 1) / 2;  // never a half: the sum is whole quarters, and 168 has a 7
}

std::int64_t plain_hours::highest() const {
    return *std::ranges::max_element(quarters_);
}

std::int64_t plain_hours::highest(std::int64_t from_ms, std::int64_t length_ms) const {
    if (length_ms >= week_ms)
        return highest();
    std::int64_t most = at(from_ms);
    for (std::int64_t t = (from_ms / quarter + 1) * quarter; t < from_ms + length_ms; t += quarter)
        most = std::max(most, at(t));
    return most;
}

std::vector<std::int64_t> plain_hours::changes(std::int64_t from_ms, std::int64_t length_ms) const {
    std::vector<std::int64_t> all;
    for (std::int64_t t = (from_ms / quarter + 1) * quarter; t - from_ms <= length_ms; t += quarter)
        if (at(t) != at(t - 1))
            all.push_back(t);
    return all;
}

}  // namespace westerly::laws
