#include "broker/ledger/correction.hpp"

#include <gtest/gtest.h>

#include <random>

namespace westerly {
namespace {

constexpr std::chrono::hours hour{1};
const instant start = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

/// 1 000 kWh over ten hours at 500 g/kWh, 600 of them by the grid's average in the market-based number.
usage ten_hours() {
    usage row;
    row.id.bytes[0] = 7;
    row.project = "p";
    row.grid_zone = "Z";
    row.start_at = start;
    row.end_at = start + 10 * hour;
    row.units = 8;
    row.energy_microkwh = 1'000'000'000;
    row.non_green_microkwh = 600'000'000;
    row.carbon_mg = 500'000'000;
    row.pue = 1.2;
    row.carbon_source = "yearbook";
    row.carbon_quality = quality_class::annual_provincial;
    row.carbon_market_mg = 300'000'000;
    row.by_grid_microkwh = 600'000'000;
    return row;
}

carbon_publication told(double g_per_kwh, int from_hour = -1000, int until_hour = 1000,
                        quality_class quality = quality_class::annual_provincial) {
    carbon_publication made;
    made.zone = "Z";
    made.source = "ministry";
    made.year = 2026;
    made.quality = quality;
    made.reason = "published late";
    made.factors = {{start + from_hour * hour, start + until_hour * hour, g_per_kwh, false}};
    return made;
}

/// What has been made of one metered row.
struct ledger_of_row {
    usage metered = ten_hours();
    std::vector<usage> rows = {};

    correction_outcome count(const carbon_publication& publication) {
        corrected_row made = correct(metered, rows, publication, signal_curve(publication.factors));
        if (made.outcome == correction_outcome::corrected)
            rows.push_back(made.row);
        return made.outcome;
    }
    double kg() const {
        std::int64_t sum = *metered.carbon_mg;
        for (const usage& row : rows)
            sum += *row.carbon_mg;
        return static_cast<double>(sum) / 1e6;
    }
    double market_kg() const {
        std::int64_t sum = metered.carbon_market_mg.value_or(0);
        for (const usage& row : rows)
            sum += row.carbon_market_mg.value_or(0);
        return static_cast<double>(sum) / 1e6;
    }
};

using enum correction_outcome;

TEST(correction, holds_the_difference_and_nothing_else) {
    ledger_of_row of;
    ASSERT_EQ(of.count(told(600)), corrected);
    const usage& row = of.rows.front();
    EXPECT_EQ(row.carbon_mg, 100'000'000) << "1 000 kWh x 100 g";
    EXPECT_EQ(row.carbon_market_mg, 60'000'000) << "600 kWh of it";
    EXPECT_EQ(row.energy_microkwh, 0);
    EXPECT_EQ(row.non_green_microkwh, 0);
    EXPECT_EQ(row.units, 0u);
    EXPECT_EQ(row.start_at, of.metered.start_at) << "the same times, so that every filter takes both or neither";
    EXPECT_EQ(row.end_at, of.metered.end_at);
    EXPECT_EQ(row.project, "p");
    EXPECT_EQ(row.carbon_source, "ministry (2026)");
    EXPECT_EQ(row.carbon_quality, quality_class::annual_provincial);
    ASSERT_TRUE(row.correction);
    EXPECT_EQ(row.correction->of, of.metered.id);
    EXPECT_EQ(row.correction->g_per_kwh, 600);
    EXPECT_EQ(row.correction->reason, "published late");
    EXPECT_EQ(of.count(told(550)), corrected) << "down again, against the sum so far";
    EXPECT_EQ(of.rows.back().carbon_mg, -50'000'000);
}

TEST(correction, keeps_the_factor_as_it_was_told) {
    ledger_of_row of;
    of.metered.start_at += milliseconds(123'457);
    carbon_publication parts = told(571.2);
    parts.factors.push_back({parts.factors.front().end_at, parts.factors.front().end_at + hour, 571.2, false});
    ASSERT_EQ(of.count(parts), corrected);
    EXPECT_EQ(of.rows.back().correction->g_per_kwh, 571.2);
}

TEST(correction, counts_the_part_of_the_run_that_a_publication_covers) {
    ledger_of_row of;
    ASSERT_EQ(of.count(told(700, 8, 100)), corrected);  // the last 2 of 10 hours
    EXPECT_DOUBLE_EQ(of.kg(), 540);
    EXPECT_EQ(of.rows.back().correction->from_at, start + 8 * hour);
    EXPECT_EQ(of.rows.back().correction->until_at, start + 10 * hour);
    ASSERT_EQ(of.count(told(400, -5, 8)), corrected);  // the rest
    EXPECT_DOUBLE_EQ(of.kg(), 1000 * (0.2 * 700 + 0.8 * 400) / 1000);
    EXPECT_EQ(of.count(told(900, 10, 20)), unchanged) << "it begins when the run has ended";
}

TEST(correction, takes_the_mean_of_factors_that_change_within_the_run) {
    ledger_of_row of;
    carbon_publication hourly = told(0);
    hourly.factors.clear();
    for (int i = 0; i < 20; ++i)
        hourly.factors.push_back({start + i * hour, start + (i + 1) * hour, 100.0 * (i + 1), false});
    ASSERT_EQ(of.count(hourly), corrected);
    EXPECT_DOUBLE_EQ(of.kg(), 550);
}

TEST(correction, counts_no_publication_twice) {
    ledger_of_row of;
    ASSERT_EQ(of.count(told(600)), corrected);
    EXPECT_EQ(of.count(told(600)), repeated);
    ASSERT_EQ(of.count(told(650)), corrected);
    EXPECT_EQ(of.count(told(600)), repeated) << "what came since stays";
    carbon_publication same = told(650);
    same.source = "yearbook";
    EXPECT_EQ(of.count(same), unchanged);
    EXPECT_DOUBLE_EQ(of.kg(), 650);
    EXPECT_DOUBLE_EQ(of.market_kg(), 390);
}

TEST(correction, leaves_what_is_better_known) {
    ledger_of_row of;
    of.metered.carbon_quality = quality_class::measured_hourly;
    EXPECT_EQ(of.count(told(600)), better_known);
    EXPECT_EQ(of.count(told(600, -1, 5, quality_class::measured_hourly)), corrected);
    ledger_of_row half;
    ASSERT_EQ(half.count(told(600, 0, 5, quality_class::monthly)), corrected);
    EXPECT_EQ(half.count(told(700)), better_known);
    EXPECT_EQ(half.count(told(700, 5, 100)), corrected) << "beside it";
}

TEST(correction, needs_a_number_to_correct) {
    ledger_of_row of;
    of.metered.carbon_mg.reset();
    EXPECT_EQ(of.count(told(600)), without_number);
    of = {};
    of.metered.energy_microkwh.reset();
    EXPECT_EQ(of.count(told(600)), without_number);
    of = {};
    of.metered.energy_microkwh = of.metered.carbon_mg = 0;
    of.metered.end_at = start;
    EXPECT_EQ(of.count(told(600)), unchanged);
}

TEST(correction, leaves_the_market_based_number_that_the_grid_has_no_part_in) {
    ledger_of_row of;
    of.metered.by_grid_microkwh.reset();  // by the residual mix
    ASSERT_EQ(of.count(told(600)), corrected);
    EXPECT_FALSE(of.rows.back().carbon_market_mg);
    EXPECT_TRUE(of.rows.back().carbon_market_source.empty());
}

TEST(correction, says_that_the_pue_was_assumed) {
    ledger_of_row of;
    of.metered.pue.reset();
    of.metered.carbon_quality = quality_class::default_value;
    ASSERT_EQ(of.count(told(600)), corrected);
    EXPECT_EQ(of.rows.back().carbon_quality, quality_class::default_value);
    EXPECT_EQ(of.rows.back().carbon_source, "ministry (2026); PUE assumed");
}

/// However publications overlap, the rows sum to the energy times the mean of what was told last of each hour.
TEST(correction, sums_to_what_was_told_last_of_each_hour) {
    std::mt19937_64 chance(11);
    const auto pick = [&](int n) {
        return static_cast<int>(chance() % static_cast<unsigned>(n));
    };
    for (int world = 0; world < 2000; ++world) {
        ledger_of_row of;
        std::array<double, 10> hours{};
        hours.fill(500);
        for (int i = 1 + pick(8); i > 0; --i) {
            const int from = pick(12) - 2, until = from + 1 + pick(6);
            const double g = 100 + pick(100'000) * 0.01;
            const auto outcome = of.count(told(g, from, until));
            ASSERT_TRUE(outcome == corrected || outcome == unchanged);
            for (int h = std::max(from, 0); h < std::min(until, 10); ++h)
                hours[static_cast<std::size_t>(h)] = g;
            double sum = 0;
            for (const double one : hours)
                sum += one;
            ASSERT_NEAR(of.kg(), 1000 * sum / 10 / 1000, 1.1e-6);
            ASSERT_NEAR(of.market_kg(), 300 + 600 * (sum / 10 - 500) / 1000, 1.1e-6);
        }
    }
}

}  // namespace
}  // namespace westerly
