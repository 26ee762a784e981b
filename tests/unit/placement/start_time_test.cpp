#include "broker/placement/start_time.hpp"

#include "broker/placement/start_span.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace westerly {
namespace {

constexpr std::int64_t hour = 3'600'000;

signal_curve hourly(std::initializer_list<double> values, std::int64_t from = 0) {
    std::vector<signal_interval> intervals;
    for (const double value : values) {
        intervals.push_back({instant(milliseconds(from)), instant(milliseconds(from + hour)), value, true});
        from += hour;
    }
    return signal_curve(intervals);
}

start_choice over(const signal_curve& curve, start_window window, double per_hour_waited = 0) {
    const weighed_curve one{&curve, 1.0};
    return best_start({&one, 1}, window, per_hour_waited);
}

/// Scenario P3 of the decision model: hourly intensity 400 200 210 190 380 500, a run of 2 h at constant power.
/// Sums by start hour: 400+200 = 600, 200+210 = 410, 210+190 = 400, 190+380 = 570, 380+500 = 880.
TEST(best_start, p3_integrates_over_the_run_and_not_its_first_hour) {
    const signal_curve curve = hourly({400, 200, 210, 190, 380, 500});
    const start_choice best = over(curve, {0, 4 * hour, 2 * hour});
    EXPECT_EQ(best.start_ms, 2 * hour);
    EXPECT_DOUBLE_EQ(best.sum, 210 + 190);
    EXPECT_DOUBLE_EQ(best.at_once, 400 + 200);
    // The cheapest single hour is 3, and the run from there would give 190 + 380.
    EXPECT_DOUBLE_EQ(curve.integral(3 * hour, 5 * hour).sum / hour, 570);
}

TEST(best_start, finds_a_start_between_the_edges) {
    // A run of 90 min over 300 100 100 300 from 0:30 on: it ends with the cheap hours, 3:00 - 1:30 = 1:30.
    // 1:00 is as good (100 over the whole run): the earlier of equals.
    const signal_curve curve = hourly({300, 100, 100, 300});
    const start_choice best = over(curve, {hour / 2, 3 * hour, hour + hour / 2});
    EXPECT_EQ(best.start_ms, hour);
    EXPECT_DOUBLE_EQ(best.sum, 150);
    // 200 100 300 and a run of 90 min: half an hour of 200 before the hour of 100, from 0:30 to 2:00.
    EXPECT_EQ(over(hourly({200, 100, 300}), {0, 3 * hour, hour + hour / 2}).start_ms, hour / 2);
}

TEST(best_start, waiting_has_a_price) {
    // Waiting an hour saves 400 - 200 = 200.
    const signal_curve curve = hourly({400, 200, 500});
    EXPECT_EQ(over(curve, {0, hour, hour}, 199).start_ms, hour);
    EXPECT_EQ(over(curve, {0, hour, hour}, 201).start_ms, 0);
}

TEST(best_start, a_flat_curve_saves_nothing) {
    EXPECT_EQ(over(hourly({0.1, 0.1, 0.1, 0.1, 0.1, 0.1}), {7, 4 * hour, hour + 13}).start_ms, 7);
}

TEST(best_start, what_is_not_known_is_not_compared) {
    const signal_curve curve = hourly({400, 200});
    EXPECT_EQ(over(curve, {0, 9 * hour, 3 * hour}).start_ms, 0) << "longer than what is known";
    EXPECT_EQ(over(curve, {0, 9 * hour, hour}).start_ms, hour) << "as far as it is known, and no further";
    EXPECT_EQ(over(curve, {5 * hour, 9 * hour, hour}).start_ms, 5 * hour) << "beyond the series";
    EXPECT_EQ(over(curve, {0, -1, hour}).start_ms, 0) << "no slack";
}

TEST(best_start, price_and_intensity_are_weighed_together) {
    // Carbon alone says hour 2, price alone hour 0; 1 per kg at 1000 kWh: 400 380 100 kg against 100 90 450 of price.
    const signal_curve carbon = hourly({400, 380, 100}), price = hourly({100, 90, 450});
    const weighed_curve both[] = {{&carbon, 1.0}, {&price, 1.0}};
    EXPECT_EQ(best_start(both, {0, 2 * hour, hour}).start_ms, hour);  // 500, 470, 550
}

TEST(start_span, ends_at_the_millisecond_that_is_within) {
    const auto falls = [](std::int64_t ms) {
        return 700.5 - static_cast<double>(ms);
    };
    start_span of{0, 1000};
    EXPECT_TRUE(keep_within(of, falls));
    EXPECT_EQ(of.first_ms, 701) << "at 700 it is still 0.5 over";
    EXPECT_EQ(of.last_ms, 1000);
    const auto rises = [](std::int64_t ms) {
        return static_cast<double>(ms) - 800.5;
    };
    EXPECT_TRUE(keep_within(of, rises));
    EXPECT_EQ(of.first_ms, 701);
    EXPECT_EQ(of.last_ms, 800);
    const auto never = [](std::int64_t ms) {
        return static_cast<double>(ms) - 700;
    };
    EXPECT_FALSE(keep_within(of, never));
    EXPECT_EQ(of.first_ms, 701) << "left as it was";
    EXPECT_TRUE(keep_within(of, [](std::int64_t) { return 0.0; })) << "just met everywhere";
    EXPECT_EQ(of.last_ms, 800);
}

TEST(start_span, is_narrowed_by_one_key_after_the_other) {
    // The finish's first step ends at 600, the other quantity falls: its least step until then is 4,
    // which 600 itself is the first to reach; of the starts up to 550 it is 5, from 500 on.
    const start_rule::key finish{start_rule::quantity::finish, 600}, carbon{start_rule::quantity::carbon, 100};
    const start_rule::key keys[] = {finish, carbon};
    const auto quantity = [](const start_rule::key& key, std::int64_t ms) {
        const auto at = static_cast<double>(ms);
        return key.of == start_rule::quantity::finish ? at : 1000 - at;
    };
    EXPECT_EQ(least_in_order({100, 1000}, keys, quantity), 600) << "1000 - 600 is the fourth step";
    EXPECT_EQ(least_in_order({100, 550}, keys, quantity), 500);
}

TEST(signal_curve, counts_parts_of_intervals) {
    const signal_curve curve = hourly({400, 200});
    const auto part = curve.integral(hour / 2, hour + hour / 4);
    EXPECT_DOUBLE_EQ(part.sum / hour, 200 + 50);
    EXPECT_EQ(part.covered_ms, hour / 2 + hour / 4);
}

TEST(signal_curve, counts_what_it_does_not_cover_as_told) {
    const signal_curve curve = hourly({400});
    EXPECT_DOUBLE_EQ(curve.mean(0, 4 * hour, 600), (400 + 3 * 600) / 4.0);
    EXPECT_TRUE(std::isnan(curve.mean(0, 4 * hour, std::nan(""))));
    EXPECT_DOUBLE_EQ(curve.mean(0, hour, std::nan("")), 400);
}

TEST(signal_curve, knows_its_gaps) {
    std::vector<signal_interval> pieces;
    for (const std::int64_t at : {0, 1, 3})
        pieces.push_back({instant(milliseconds(at * hour)), instant(milliseconds((at + 1) * hour)), 100, false});
    const signal_curve curve(pieces);
    EXPECT_EQ(curve.covered_until(0), 2 * hour);
    EXPECT_EQ(curve.covered_until(2 * hour), 2 * hour);
    EXPECT_EQ(curve.covered_until(3 * hour), 4 * hour);
    EXPECT_EQ(curve.integral(0, 4 * hour).covered_ms, 3 * hour);
    EXPECT_EQ(signal_curve().integral(0, hour).covered_ms, 0);
}

}  // namespace
}  // namespace westerly
