#include "broker/domain/price_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace westerly {
namespace {

constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour, week = 7 * day;
constexpr std::int64_t monday = 4 * day;  // 1970-01-05, 00:00 UTC
constexpr std::uint8_t weekdays = 0x1F;

/// 10 all day; nights from 22 to 6 cost 3 on weekdays, Sundays 1 from 12 on for 24 hours.
price_schedule nights(std::int16_t offset = 0) {
    return {offset, {{weekdays, 22 * 60, 6 * 60, 3}, {0x40, 12 * 60, 12 * 60, 1}}};
}

TEST(price_curve, holds_windows_over_midnight_and_the_turn_of_the_week) {
    const price_curve prices(10, nights());
    EXPECT_EQ(prices.at(monday + 13 * hour), 10);
    EXPECT_EQ(prices.at(monday + 22 * hour - 1), 10);
    EXPECT_EQ(prices.at(monday + 22 * hour), 3);
    EXPECT_EQ(prices.at(monday + day + 6 * hour - 1), 3);
    EXPECT_EQ(prices.at(monday + day + 6 * hour), 10);
    EXPECT_EQ(prices.at(monday + 5 * day), 3) << "Friday's night is on Saturday";
    EXPECT_EQ(prices.at(monday + 5 * day + 22 * hour), 10);
    EXPECT_EQ(prices.at(monday + 6 * day + 12 * hour), 1);
    EXPECT_EQ(prices.at(monday), 1) << "Sunday's window ends on Monday at noon";
    EXPECT_EQ(prices.at(monday + 12 * hour), 10);
    EXPECT_EQ(prices.at(monday + 52 * week + 11 * hour), 1);
    EXPECT_EQ(prices.at(monday - 1), 1) << "before 1970's first Monday, too";
}

TEST(price_curve, stands_at_the_clock_of_its_offset) {
    const price_curve east(10, nights(8 * 60)), west(10, nights(-210));
    EXPECT_EQ(east.at(monday + 14 * hour), 3) << "22:00 at +08:00";
    EXPECT_EQ(east.at(monday + 14 * hour - 1), 10);
    EXPECT_EQ(west.at(monday + 25 * hour + 30 * minute), 3) << "22:00 at -03:30";
    EXPECT_EQ(west.at(monday + 25 * hour + 30 * minute - 1), 10);
}

TEST(price_curve, a_flat_one_has_no_edges) {
    const price_curve flat(7, {}), same(7, {60, {{price_window::every_day, 60, 120, 7}}});
    EXPECT_EQ(flat, same);
    EXPECT_EQ(flat.next_edge(0), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(flat.integral(5, 1005), 7000);
    EXPECT_EQ(flat.mean_of_week(), 7);
    EXPECT_EQ(charged_micros(flat.integral(0, hour), 3), cumulative_micros({7}, 3, milliseconds(hour)));
}

TEST(price_curve, means_and_ranges_are_of_what_is_asked) {
    const price_curve prices(10, nights());
    const std::int64_t nine = monday + 21 * hour;
    EXPECT_EQ(prices.mean(nine, nine + 2 * hour), 6) << "6.5, half to even";
    EXPECT_EQ(prices.mean(nine, nine), 10);
    EXPECT_EQ(prices.range(nine, nine + hour), (std::pair<std::int64_t, std::int64_t>{10, 10}));
    EXPECT_EQ(prices.range(nine, nine + hour + 1), (std::pair<std::int64_t, std::int64_t>{3, 10}));
    EXPECT_EQ(prices.range(nine, nine + week), (std::pair<std::int64_t, std::int64_t>{1, 10}));
    // Five nights of 8 hours, 24 hours of Sunday and Monday; the rest.
    EXPECT_EQ(prices.integral(monday, monday + week), wide{hour} * (40 * 3 + 24 * 1 + 104 * 10));
}

/// Minute by minute, from the words of the schedule.
std::int64_t plain_price(const price_schedule& of, std::int64_t plain, std::int64_t ms) {
    const std::int64_t local = (((ms - monday) / minute + of.utc_offset_min) % 10'080 + 10'080) % 10'080;
    for (const auto& w : of.windows)
        for (std::int64_t d = 0; d < 7; ++d) {
            const std::int64_t since = ((local - d * 1440 - w.from_min) % 10'080 + 10'080) % 10'080;
            const std::int64_t length = (w.to_min - w.from_min + 1440 - 1) % 1440 + 1;
            if ((w.days >> d & 1) && since < length)
                return w.nanos;
        }
    return plain;
}

TEST(price_curve, agrees_with_looking_at_every_minute) {
    std::mt19937_64 chance(5);
    const auto below = [&](std::uint64_t n) {
        return static_cast<std::int64_t>(chance() % n);
    };
    int tried = 0;
    for (int seed = 0; seed < 3000; ++seed) {
        price_schedule hours{static_cast<std::int16_t>(below(1799) - 899), {}};
        for (auto n = 1 + below(3); n > 0; --n)
            hours.windows.push_back({static_cast<std::uint8_t>(1 + below(127)), static_cast<std::uint16_t>(below(1440)),
                                     static_cast<std::uint16_t>(below(1440)), below(5)});
        if (windows_overlap(hours))
            continue;
        ++tried;
        const price_curve prices(2, hours);
        const std::int64_t from = monday + below(20'000) * minute, to = from + below(3000) * minute;
        wide sum = 0;
        std::int64_t edge = std::numeric_limits<std::int64_t>::max();
        for (std::int64_t t = from; t < to; t += minute) {
            const std::int64_t price = plain_price(hours, 2, t);
            ASSERT_EQ(prices.at(t), price) << "seed " << seed;
            sum += wide{price} * minute;
            if (t > from && price != plain_price(hours, 2, t - minute))
                edge = std::min(edge, t);
        }
        ASSERT_EQ(prices.integral(from, to), sum) << "seed " << seed;
        ASSERT_EQ(prices.integral(from + 7, to + 7), sum - 7 * prices.at(from) + 7 * prices.at(to)) << "seed " << seed;
        if (edge != std::numeric_limits<std::int64_t>::max())
            ASSERT_EQ(prices.next_edge(from), edge) << "seed " << seed;
        else
            ASSERT_GE(prices.next_edge(from), to) << "seed " << seed;
    }
    EXPECT_GT(tried, 300);
}

TEST(price_schedule, windows_may_touch_but_not_overlap) {
    EXPECT_FALSE(windows_overlap(nights()));
    EXPECT_FALSE(windows_overlap({0, {{0x01, 0, 60, 1}, {0x01, 60, 120, 2}}}));
    EXPECT_TRUE(windows_overlap({0, {{0x01, 0, 61, 1}, {0x01, 60, 120, 2}}}));
    EXPECT_TRUE(windows_overlap({0, {{0x40, 1380, 60, 1}, {0x01, 30, 120, 2}}})) << "over the turn of the week";
    EXPECT_FALSE(windows_overlap({0, {{0x7F, 540, 540, 1}}})) << "the whole day, every day";
}

TEST(price_schedule, reads_and_writes_clocks) {
    EXPECT_EQ(parse_time_of_day("23:59"), 1439);
    EXPECT_EQ(format_time_of_day(1439), "23:59");
    EXPECT_EQ(parse_utc_offset("-03:30"), -210);
    EXPECT_EQ(format_utc_offset(-210), "-03:30");
    EXPECT_EQ(format_utc_offset(480), "+08:00");
    for (const char* text : {"", "24:00", "9:00", "09.00", "09:60", "09:0a", "+09:00"})
        EXPECT_FALSE(parse_time_of_day(text)) << text;
    for (const char* text : {"", "08:00", "+8:00", "+15:00", "+08:60", "Z"})
        EXPECT_FALSE(parse_utc_offset(text)) << text;
}

TEST(charged_micros, saturates) {
    EXPECT_EQ(charged_micros(wide{1} << 120, 1'000'000), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(charged_micros(wide{1} << 110, 1), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(charged_micros(1'800'000'000, 1), 0) << "half a micro, to even";
    EXPECT_EQ(charged_micros(5'400'000'000, 1), 2);
}

}  // namespace
}  // namespace westerly
