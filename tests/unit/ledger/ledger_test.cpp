#include "broker/ledger/ledger.hpp"

#include "broker/support/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace westerly {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

instant at_ms(std::int64_t ms) {
    return instant(milliseconds(1'750'000'000'000 + ms));
}

lease lease_at(std::int64_t nanos, std::uint64_t units, std::uint32_t increment_s = 1, std::uint32_t minimum_s = 0) {
    lease terms;
    terms.price.nanos = nanos;
    terms.units = units;
    terms.increment_s = increment_s;
    terms.minimum_s = minimum_s;
    return terms;
}

/// Eight cards of 400 W idle and 6 500 W full: the node of decision-model §3.
lease powered_lease() {
    lease terms = lease_at(7'800'000'000, 2);
    terms.idle_w = 1'500;
    terms.max_w = 6'500;
    terms.pue = sourced{1.2, "operator", quality_class::declared};
    terms.green_power_share = sourced{0.25, "contract", quality_class::declared};
    terms.carbon_g_per_kwh = sourced{500, "ministry 2022", quality_class::annual_provincial};
    return terms;
}

attempt run_of(const lease& terms, milliseconds length, attempt_outcome outcome = attempt_outcome::succeeded) {
    attempt made;
    made.id.bytes.fill(1);
    made.workload.bytes.fill(2);
    made.tenant.bytes.fill(3);
    made.provider = "p";
    made.site = "s";
    made.offer = "p/s/n/on_demand";
    made.terms = terms;
    made.state = attempt_state::ended;
    made.outcome = outcome;
    made.started_at = at_ms(0);
    made.ended_at = at_ms(0) + length;
    return made;
}

usage metered(const attempt& ended) {
    workload_spec spec;
    spec.project = "weather";
    usage_id id;
    id.bytes.fill(4);
    return meter(ended, spec, "cn-ningxia", id).value();
}

charge charged(const lease& terms, milliseconds length) {
    return rate(metered(run_of(terms, length)), terms);
}

// ---- billed time -----------------------------------------------------------------------------------------------

struct billed_case {
    std::uint32_t increment_s;
    std::uint32_t minimum_s;
    std::int64_t run_ms;
    std::int64_t billed_ms;
};

TEST(billed_time, rounds_up_to_the_increment_and_never_below_the_minimum) {
    for (const auto& [increment_s, minimum_s, run_ms, billed_ms] : {billed_case{1, 0, 0, 0},
                                                                    {1, 0, 1, 1'000},
                                                                    {1, 0, 999, 1'000},
                                                                    {1, 0, 1'000, 1'000},
                                                                    {1, 0, 1'001, 2'000},
                                                                    {60, 0, 60'000, 60'000},
                                                                    {60, 0, 60'001, 120'000},
                                                                    {3'600, 0, 1, 3'600'000},
                                                                    {1, 60, 0, 60'000},
                                                                    {1, 60, 59'999, 60'000},
                                                                    {1, 60, 60'001, 61'000},
                                                                    {60, 90, 10'000, 90'000},
                                                                    {60, 90, 61'000, 120'000},
                                                                    {0, 0, 1'500, 2'000},
                                                                    {1, 0, -5'000, 0},
                                                                    {1, 60, -5'000, 60'000}})
        EXPECT_EQ(billed_time(lease_at(0, 1, increment_s, minimum_s), milliseconds(run_ms)).count(), billed_ms)
            << increment_s << " " << minimum_s << " " << run_ms;
}

TEST(billed_time, never_falls_and_exceeds_the_run_by_less_than_an_increment_or_the_minimum) {
    random_source random(41);
    for (int i = 0; i < 20'000; ++i) {
        const lease terms = lease_at(0, 1, static_cast<std::uint32_t>(random.next() % 7'200 + 1),
                                     static_cast<std::uint32_t>(random.next() % 600));
        const milliseconds run(static_cast<std::int64_t>(random.next() % 100'000'000));
        const milliseconds billed = billed_time(terms, run);
        EXPECT_GE(billed, run);
        EXPECT_GE(billed, seconds(terms.minimum_s));
        EXPECT_LE(billed, billed_time(terms, run + milliseconds(1)));
        EXPECT_TRUE(billed - run < seconds(terms.increment_s) || billed == seconds(terms.minimum_s));
    }
}

TEST(billed_time, saturates_at_the_extremes) {
    constexpr auto u32_most = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(billed_time(lease_at(0, 1, u32_most, u32_most), milliseconds::max()), milliseconds::max());
    EXPECT_EQ(billed_time(lease_at(0, 1), milliseconds::max()), milliseconds::max());
    EXPECT_EQ(billed_time(lease_at(0, 1), milliseconds::min()), milliseconds(0));
    EXPECT_EQ(billed_time(lease_at(0, 1, u32_most, 0), milliseconds(1)), seconds(u32_most));
}

// ---- energy ----------------------------------------------------------------------------------------------------

TEST(energy, follows_from_power_time_pue_share_and_factor) {
    const auto full = estimate_energy(powered_lease(), 3, 1.0);
    ASSERT_TRUE(full && full->carbon_kg);
    EXPECT_DOUBLE_EQ(full->facility_kwh, 2 * 6.5 * 3 * 1.2);
    EXPECT_DOUBLE_EQ(full->non_green_kwh, 2 * 6.5 * 3 * 1.2 * 0.75);
    EXPECT_DOUBLE_EQ(*full->carbon_kg, 2 * 6.5 * 3 * 1.2 * 0.5);  // location-based: the share does not lower it
    EXPECT_DOUBLE_EQ(estimate_energy(powered_lease(), 3, 0.0)->facility_kwh, 2 * 1.5 * 3 * 1.2);
    EXPECT_DOUBLE_EQ(estimate_energy(powered_lease(), 3, 0.5)->facility_kwh, 2 * 4.0 * 3 * 1.2);
}

TEST(energy, what_is_unknown_is_not_zero) {
    lease terms = powered_lease();
    terms.pue = terms.green_power_share = terms.carbon_g_per_kwh = std::nullopt;
    const auto partly = estimate_energy(terms, 1, 1.0);
    ASSERT_TRUE(partly);
    EXPECT_DOUBLE_EQ(partly->facility_kwh, 2 * 6.5 * default_pue);
    EXPECT_DOUBLE_EQ(partly->non_green_kwh, partly->facility_kwh);
    EXPECT_EQ(partly->carbon_kg, std::nullopt);
    terms.max_w = std::nullopt;
    EXPECT_FALSE(estimate_energy(terms, 1, 1.0));
}

TEST(energy, scales_with_time_and_units_and_rises_with_use) {
    random_source random(42);
    for (int i = 0; i < 2'000; ++i) {
        lease terms = powered_lease();
        terms.units = random.next() % 1'000 + 1;
        terms.max_w = *terms.idle_w + random.unit() * 10'000;
        const double hours = random.unit() * 1'000;
        const double use = random.unit();
        const double base = estimate_energy(terms, hours, use)->facility_kwh;
        EXPECT_DOUBLE_EQ(estimate_energy(terms, hours * 2, use)->facility_kwh, base * 2);
        EXPECT_LE(base, estimate_energy(terms, hours, 1.0)->facility_kwh * (1 + 1e-12));
        EXPECT_GE(base, estimate_energy(terms, hours, 0.0)->facility_kwh * (1 - 1e-12));
        terms.units *= 4;
        EXPECT_DOUBLE_EQ(estimate_energy(terms, hours, use)->facility_kwh, base * 4);
    }
}

// ---- metering --------------------------------------------------------------------------------------------------

TEST(meter, is_the_providers_own_interval_with_everything_to_find_it_by) {
    const attempt ended = run_of(powered_lease(), milliseconds(1'234'567));
    const usage row = metered(ended);
    EXPECT_EQ(row.attempt, ended.id);
    EXPECT_EQ(row.workload, ended.workload);
    EXPECT_EQ(row.tenant, ended.tenant);
    EXPECT_EQ(row.project, "weather");
    EXPECT_EQ(row.provider, "p");
    EXPECT_EQ(row.site, "s");
    EXPECT_EQ(row.region, "cn-ningxia");
    EXPECT_EQ(row.offer, ended.offer);
    EXPECT_EQ(row.start_at, ended.started_at);
    EXPECT_EQ(row.end_at - row.start_at, milliseconds(1'234'567));
    EXPECT_EQ(row.units, 2u);
    EXPECT_TRUE(row.measured);
}

/// Half of the way from 1.5 kW to 6.5 kW: 4 kW x 2 x 1.2.
TEST(meter, takes_energy_at_the_utilisation_that_was_stated) {
    lease terms = powered_lease();
    terms.utilisation = 0.5;
    EXPECT_EQ(metered(run_of(terms, std::chrono::hours(1))).energy_microkwh, 9'600'000);
}

TEST(meter, carries_energy_and_carbon_with_their_source) {
    const usage row = metered(run_of(powered_lease(), std::chrono::hours(1)));
    EXPECT_EQ(row.energy_microkwh, 15'600'000);
    EXPECT_EQ(row.non_green_microkwh, 11'700'000);
    EXPECT_EQ(row.carbon_mg, 7'800'000);
    EXPECT_EQ(row.green_power_share, 0.25);
    EXPECT_EQ(row.pue, 1.2);
    EXPECT_EQ(row.carbon_source, "ministry 2022");
    EXPECT_EQ(row.carbon_quality, quality_class::annual_provincial);
}

TEST(meter, an_assumed_pue_is_labelled) {
    lease terms = powered_lease();
    terms.pue = std::nullopt;
    const usage row = metered(run_of(terms, std::chrono::hours(1)));
    EXPECT_EQ(row.energy_microkwh, 19'500'000);
    EXPECT_EQ(row.pue, std::nullopt);
    EXPECT_EQ(row.carbon_source, "ministry 2022; PUE 1.5 assumed");
    EXPECT_EQ(row.carbon_quality, quality_class::default_value);
}

TEST(meter, without_power_or_factor_the_row_says_nothing_of_them) {
    lease terms = powered_lease();
    terms.carbon_g_per_kwh = std::nullopt;
    EXPECT_TRUE(metered(run_of(terms, seconds(1))).energy_microkwh);
    EXPECT_FALSE(metered(run_of(terms, seconds(1))).carbon_mg);
    terms.max_w = std::nullopt;
    EXPECT_FALSE(metered(run_of(terms, seconds(1))).energy_microkwh);
    EXPECT_FALSE(metered(run_of(terms, seconds(1))).non_green_microkwh);
}

TEST(meter, what_never_started_or_has_not_ended_has_no_row) {
    attempt made = run_of(powered_lease(), seconds(1), attempt_outcome::never_started);
    made.started_at = std::nullopt;
    EXPECT_FALSE(meter(made, {}, "r", {}));
    made.started_at = at_ms(0);
    made.ended_at = std::nullopt;
    EXPECT_FALSE(meter(made, {}, "r", {}));
}

TEST(meter, every_outcome_that_ran_is_metered_and_only_a_vanished_one_is_not_measured) {
    for (const auto outcome : {attempt_outcome::succeeded, attempt_outcome::failed, attempt_outcome::cancelled,
                               attempt_outcome::preempted, attempt_outcome::timed_out, attempt_outcome::vanished})
        EXPECT_EQ(metered(run_of(powered_lease(), seconds(1), outcome)).measured, outcome != attempt_outcome::vanished);
}

TEST(meter, an_end_before_the_start_counts_as_no_time) {
    const usage row = metered(run_of(powered_lease(), seconds(-5)));
    EXPECT_EQ(row.end_at, row.start_at);
    EXPECT_EQ(row.energy_microkwh, 0);
}

TEST(meter, senseless_power_figures_neither_overflow_nor_become_a_number) {
    lease terms = powered_lease();
    terms.units = std::numeric_limits<std::uint64_t>::max();
    terms.max_w = 1e280;
    usage row = metered(run_of(terms, std::chrono::hours(1)));
    EXPECT_EQ(row.energy_microkwh, most);
    terms.max_w = std::numeric_limits<double>::infinity();
    row = metered(run_of(terms, std::chrono::hours(1)));
    EXPECT_FALSE(row.energy_microkwh);
    terms.max_w = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(metered(run_of(terms, std::chrono::hours(1))).energy_microkwh);
}

// ---- rating ----------------------------------------------------------------------------------------------------

TEST(rate, published_figures_come_out) {
    // 200 cards for two months at 7.80 a card-hour are 2 246 400.
    const charge weather = charged(lease_at(7'800'000'000, 200), std::chrono::hours(24 * 60));
    EXPECT_EQ(format_micros(weather.billed_micros), "2246400.000000");
    // A node of 8 cards at the monthly price, by the hour: 50 000 within a millionth per card-hour of rounding.
    const auto card_hour = static_cast<std::int64_t>(divide_half_even(wide(50'000) * 1'000'000'000, 8 * 24 * 30));
    EXPECT_EQ(format_nanos(card_hour), "8.680555556");
    EXPECT_EQ(format_micros(charged(lease_at(card_hour, 8), std::chrono::hours(24 * 30)).billed_micros),
              "50000.000003");
    // At the upper end of what an A100 server rents for, and DGX Cloud's 8 x H100 at 37 000 USD: the node's share of
    // the fee for each hour of a month.
    EXPECT_EQ(format_micros(charged(lease_at(97'222'222'222, 1), std::chrono::hours(720)).billed_micros),
              "70000.000000");
    EXPECT_EQ(format_micros(charged(lease_at(51'388'888'889, 1), std::chrono::hours(720)).billed_micros),
              "37000.000000");
}

TEST(rate, is_the_cumulative_at_the_billed_time_in_all_four_costs) {
    const lease terms = lease_at(5'200'000'000, 8, 60, 120);
    const charge row = charged(terms, seconds(61));
    EXPECT_EQ(row.billed_ms, 120'000u);
    EXPECT_EQ(row.units, 8u);
    EXPECT_EQ(row.price, terms.price);
    EXPECT_EQ(row.billed_micros, cumulative_micros(terms.price, 8, seconds(120)));
    EXPECT_EQ(row.list_micros, row.billed_micros);
    EXPECT_EQ(row.contracted_micros, row.billed_micros);
    EXPECT_EQ(row.effective_micros, row.billed_micros);
}

TEST(rate, names_the_usage_it_is_for) {
    const usage used = metered(run_of(powered_lease(), seconds(5)));
    const charge row = rate(used, powered_lease());
    EXPECT_EQ(row.usage, used.id);
    EXPECT_EQ(row.attempt, used.attempt);
    EXPECT_EQ(row.workload, used.workload);
    EXPECT_EQ(row.tenant, used.tenant);
    EXPECT_EQ(row.project, used.project);
    EXPECT_EQ(row.provider, used.provider);
    EXPECT_EQ(row.site, used.site);
    EXPECT_EQ(row.offer, used.offer);
    EXPECT_EQ(row.start_at, used.start_at);
    EXPECT_EQ(row.end_at, used.end_at);
}

TEST(rate, keeps_the_currency_of_the_lease) {
    lease terms = lease_at(1'000'000'000, 1);
    terms.price.unit = currency::usd;
    EXPECT_EQ(charged(terms, seconds(3'600)).price.unit, currency::usd);
}

TEST(rate, is_within_half_a_micro_of_the_exact_price_and_even_on_a_tie) {
    random_source random(43);
    constexpr wide divisor = wide(1000) * 3'600'000;
    for (int i = 0; i < 20'000; ++i) {
        const lease terms = lease_at(static_cast<std::int64_t>(random.next() % 10'000'000'000),
                                     random.next() % 5'000 + 1, static_cast<std::uint32_t>(random.next() % 120 + 1));
        const charge row = charged(terms, milliseconds(static_cast<std::int64_t>(random.next() % 1'000'000'000)));
        const wide exact = wide(terms.price.nanos) * wide(row.units) * wide(row.billed_ms);
        const wide twice_error = (exact - wide(row.billed_micros) * divisor) * 2;
        EXPECT_TRUE(twice_error <= divisor && twice_error >= -divisor);
        EXPECT_TRUE((twice_error != divisor && twice_error != -divisor) || row.billed_micros % 2 == 0);
    }
}

TEST(rate, a_thousand_cards_at_a_thousandth_of_the_price_cost_the_same) {
    random_source random(44);
    for (int i = 0; i < 2'000; ++i) {
        const auto nanos = static_cast<std::int64_t>(random.next() % 1'000'000'000);
        const std::uint64_t units = random.next() % 100 + 1;
        const milliseconds run(static_cast<std::int64_t>(random.next() % 100'000'000));
        EXPECT_EQ(charged(lease_at(nanos * 1000, units), run).billed_micros,
                  charged(lease_at(nanos, units * 1000), run).billed_micros);
    }
}

TEST(rate, extremes_saturate) {
    constexpr auto units_most = std::numeric_limits<std::uint64_t>::max();
    constexpr auto u32_most = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(charged(lease_at(most, units_most, u32_most, u32_most), milliseconds(1)).billed_micros, most);
    EXPECT_EQ(charged(lease_at(0, units_most, u32_most, u32_most), milliseconds(1)).billed_micros, 0);
    usage forever = metered(run_of(lease_at(most, 1), seconds(1)));
    forever.start_at = instant(milliseconds(0));
    forever.end_at = instant(milliseconds(most));
    EXPECT_EQ(rate(forever, lease_at(most, 1)).billed_micros, most);
}

// ---- owned reservations -----------------------------------------------------------------------------------------

/// FOCUS: what a commitment covers is listed at the price by the hour, and its effective cost is the fee's share.
TEST(owned_lease, is_billed_its_fees_share_and_listed_at_the_hourly_price) {
    lease terms = lease_at(1'000'000'000, 2);  // 1 CNY an hour of the fee
    terms.list_price = unit_price{3'000'000'000, currency::cny};
    const charge made = charged(terms, milliseconds(3'600'000));
    EXPECT_EQ(made.list_micros, 6'000'000);
    EXPECT_EQ(made.contracted_micros, 6'000'000);
    EXPECT_EQ(made.billed_micros, 2'000'000);
    EXPECT_EQ(made.effective_micros, 2'000'000);
}

// ---- prices by the hour ----------------------------------------------------------------------------------------

/// 1.20 CNY an hour, 0.30 from 22:00 to 06:00 at +08:00.
lease night_lease(std::uint64_t units = 2, std::uint32_t increment_s = 1, std::uint32_t minimum_s = 0) {
    lease terms = lease_at(1'200'000'000, units, increment_s, minimum_s);
    terms.schedule = {480, {{price_window::every_day, 22 * 60, 6 * 60, 300'000'000}}};
    return terms;
}

/// So many minutes after 20:00 at +08:00 of some day.
charge charged_at_night(const lease& terms, std::int64_t from_min, std::int64_t to_min) {
    const instant eight = instant(std::chrono::hours(24 * 20'000 + 12));
    attempt run = run_of(terms, milliseconds(0));
    run.started_at = eight + std::chrono::minutes(from_min);
    run.ended_at = eight + std::chrono::minutes(to_min);
    return rate(metered(run), terms);
}

TEST(rate_by_hour, each_hour_counts_at_its_own_price) {
    EXPECT_EQ(charged_at_night(night_lease(), 0, 60).billed_micros, 2'400'000);
    EXPECT_EQ(charged_at_night(night_lease(), 120, 180).billed_micros, 600'000);
    const charge over = charged_at_night(night_lease(), 90, 150);  // half an hour of each, two units
    EXPECT_EQ(over.billed_micros, 1'500'000);
    EXPECT_EQ(over.price.nanos, 750'000'000) << "the mean";
    EXPECT_EQ(over.list_micros, over.billed_micros);
    EXPECT_EQ(over.contracted_micros, over.billed_micros);
    EXPECT_EQ(over.effective_micros, over.billed_micros);
    // Of 48 hours 16 are of the night.
    EXPECT_EQ(charged_at_night(night_lease(1), 0, 48 * 60).billed_micros, 32 * 1'200'000 + 16 * 300'000);
}

TEST(rate_by_hour, a_begun_increment_and_the_minimum_count_at_the_hours_that_follow) {
    EXPECT_EQ(charged_at_night(night_lease(1, 3600), 90, 91).billed_micros, 600'000 + 150'000);
    EXPECT_EQ(charged_at_night(night_lease(1, 1, 7200), 60, 61).billed_micros, 1'200'000 + 300'000);
}

TEST(rate_by_hour, rows_that_divide_a_run_sum_to_it) {
    // Cumulatives at the ends of arbitrary rows: what DESIGN.md says of money holds for an integral, too.
    const lease terms = night_lease(7);
    const price_curve prices(terms.price.nanos, terms.schedule);
    const std::int64_t from = instant(std::chrono::hours(24 * 20'000 + 12)).time_since_epoch().count();
    std::int64_t sum = 0, before = 0;
    for (const std::int64_t ms : {1'234'567, 7'200'001, 7'200'002, 30'000'000, 90'000'001}) {
        const std::int64_t until = charged_micros(prices.integral(from, from + ms), terms.units);
        sum += until - before;
        before = until;
    }
    EXPECT_EQ(sum, charged_micros(prices.integral(from, from + 90'000'001), terms.units));
}

TEST(rate_by_hour, a_flat_schedule_bills_as_the_price_does) {
    lease flat = lease_at(1'234'567'891, 3, 60);
    const lease plain = flat;
    flat.schedule = {0, {{price_window::every_day, 0, 0, 1'234'567'891}}};
    for (const std::int64_t minutes : {0, 1, 59, 1441, 100'000})
        EXPECT_EQ(charged_at_night(flat, 3, 3 + minutes).billed_micros,
                  charged_at_night(plain, 3, 3 + minutes).billed_micros);
}

}  // namespace
}  // namespace westerly
