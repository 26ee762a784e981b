// Prices that change with the hour, in the choice of offer and start.
#include "broker/domain/explain.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace westerly::built {
namespace {

constexpr milliseconds hour{3'600'000};
constexpr int now_hour = 8;  // `now` is a Friday, 08:00 UTC

std::int64_t nanos_of(double price) {
    return static_cast<std::int64_t>(price * 1e9);
}

/// From `now` on one price an hour, and `rest` in the other hours of the day.
offer by_hour(const std::string& site, std::vector<double> prices, double rest) {
    offer o = plain(site, rest);
    for (std::size_t i = 0; i < prices.size(); ++i)
        o.schedule.windows.push_back({.from_min = static_cast<std::uint16_t>((now_hour + i) % 24 * 60),
                                      .to_min = static_cast<std::uint16_t>((now_hour + i + 1) % 24 * 60),
                                      .nanos = nanos_of(prices[i])});
    return o;
}

/// P3's shape in money: 4 2 2.1 1.9 3.8 5.
offer p3(const std::string& site = "a") {
    return by_hour(site, {4, 2, 2.1, 1.9, 3.8, 5}, 6);
}

workload_spec flexible(std::uint64_t run_hours, std::uint64_t slack_hours) {
    workload_spec spec = task();
    spec.work.runtime_s = run_hours * 3600;
    spec.when.max_delay_s = slack_hours * 3600;
    return spec;
}

const note* find_note(const decision& made, note_kind kind) {
    const auto at = std::ranges::find(made.notes, kind, &note::kind);
    return at == made.notes.end() ? nullptr : &*at;
}

/// Figures to the ninth decimal.
std::vector<double> rounded(const note& told) {
    std::vector<double> figures;
    for (const double each : told.figures)
        figures.push_back(std::round(each * 1e9) / 1e9);
    return figures;
}

signal_book grid(const std::string& zone, std::vector<double> values) {
    signal_series series;
    series.zone = zone;
    series.source = "grid";
    series.quality = quality_class::modelled_hourly;
    series.received_at = now;
    for (std::size_t i = 0; i < values.size(); ++i)
        series.intervals.push_back(
            {now + static_cast<int>(i) * hour, now + static_cast<int>(i + 1) * hour, values[i], true});
    signal_book book;
    book.receive("test", {series}, now);
    return book;
}

/// Sums of 2 h by start hour: 6, 4.1, 4.0, 5.7, 8.8. Hour 3 is the cheapest single one.
TEST(hourly_prices, p3_in_money) {
    const decision made = decide_on({p3()}, flexible(2, 12));
    ASSERT_EQ(made.ranked.size(), 1u);
    const appraisal& won = made.ranked.front();
    EXPECT_EQ(won.start_at, now + 2 * hour);
    EXPECT_EQ(won.cost.micros, 4'000'000);
    EXPECT_NEAR(won.cost_base, 4.0, 1e-12);
    EXPECT_EQ(won.price.nanos, 2'000'000'000) << "the mean over the run";
    ASSERT_TRUE(made.baseline);
    EXPECT_EQ(made.baseline->start_at, now);
    EXPECT_EQ(made.baseline->cost.micros, 6'000'000);
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.put_off->launch_at, now + 2 * hour);
    EXPECT_NEAR(made.put_off->saved_base, 2.0, 1e-12);
    const note* prices = find_note(made, note_kind::price_by_hour);
    ASSERT_TRUE(prices);
    EXPECT_EQ(rounded(*prices), (std::vector<double>{2.0, 1.9, 2.1}));
    const note* waits = find_note(made, note_kind::put_off_price);
    ASSERT_TRUE(waits);
    EXPECT_EQ(rounded(*waits), (std::vector<double>{2.0, 3.0}));
    const note* saves = find_note(made, note_kind::put_off_costs_less);
    ASSERT_TRUE(saves);
    EXPECT_NEAR(saves->figures.front(), 2.0, 1e-12);
    EXPECT_FALSE(find_note(made, note_kind::put_off)) << "the power is the same at every hour";
    EXPECT_NE(made.put_off->why.find("cost less then"), std::string::npos) << made.put_off->why;
}

/// 0.12 kWh at 900 g instead of 100 g: 0.108 - 0.012 kg more, for 4 - 1 CNY less.
TEST(hourly_prices, a_wait_that_emits_more_says_so) {
    offer o = by_hour("a", {4, 1}, 6);
    o.site.grid_zone = "Z";
    const signal_book signals = grid("Z", {100, 900, 900, 900});
    decision_world around = world();
    around.signals = &signals;
    const decision made = decide_on({o}, flexible(1, 2), {}, around);
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.ranked.front().start_at, now + hour);
    EXPECT_NEAR(*made.put_off->carbon_saved_kg, -0.096, 1e-12);
    EXPECT_FALSE(find_note(made, note_kind::put_off_saves_carbon));
    const note* adds = find_note(made, note_kind::put_off_adds_carbon);
    ASSERT_TRUE(adds);
    EXPECT_EQ(rounded(*adds), (std::vector<double>{0.096}));
    ASSERT_TRUE(find_note(made, note_kind::put_off_saves_money));
    EXPECT_EQ(rounded(*find_note(made, note_kind::put_off_saves_money)), (std::vector<double>{3}));
    EXPECT_NE(made.put_off->why.find("adds 0.096 kg CO2e"), std::string::npos) << made.put_off->why;
    EXPECT_EQ(made.put_off->why.find(" -"), std::string::npos) << made.put_off->why;
}

TEST(hourly_prices, nobody_waits_who_did_not_allow_it) {
    workload_spec rigid = task();
    rigid.work.runtime_s = 2 * 3600;
    const decision made = decide_on({p3()}, rigid);
    EXPECT_FALSE(made.put_off);
    EXPECT_EQ(made.ranked.front().cost.micros, 6'000'000) << "4 and 2";
    EXPECT_EQ(rounded(*find_note(made, note_kind::price_by_hour)), (std::vector<double>{3.0, 2.0, 4.0}));
}

TEST(hourly_prices, a_service_is_judged_by_the_mean_of_the_week_and_never_waits) {
    workload_spec service = flexible(2, 24);
    service.kind = workload_kind::service;
    const decision made = decide_on({p3()}, service);
    EXPECT_FALSE(made.put_off);
    // 18 hours at 6 and 18.8 for the six others.
    EXPECT_EQ(made.ranked.front().cost.micros, 5'283'333);
    EXPECT_EQ(made.ranked.front().price.nanos, 5'283'333'333);
    service.limits.max_price_per_hour = money{5'900'000, currency::cny};
    EXPECT_EQ(only_rejection(decide_on({p3()}, service)), rejection::max_price) << "some hours cost 6";
}

TEST(hourly_prices, offer_and_start_are_chosen_together) {
    const std::vector<offer> offers{p3("a"), plain("b", 2.2)};
    EXPECT_EQ(decide_on(offers, flexible(2, 0)).ranked.front().site, "b") << "4.4 against 6 at once";
    const decision made = decide_on(offers, flexible(2, 12));
    EXPECT_EQ(made.ranked.front().site, "a") << "4.0 in two hours";
    EXPECT_EQ(made.baseline->site, "b");
    EXPECT_NEAR(find_note(made, note_kind::put_off_costs_less)->figures.front(), 0.4, 1e-12);
    EXPECT_EQ(made.ranked[1].start_at, now) << "b has nothing to wait for";
}

TEST(hourly_prices, slack_deadline_and_the_price_of_time_bound_the_wait) {
    const auto start = [](const workload_spec& spec, const policy& rules = {}) {
        return (decide_on({p3()}, spec, rules).ranked.at(0).start_at - now) / hour;
    };
    EXPECT_EQ(start(flexible(2, 1)), 1);
    workload_spec due = flexible(2, 9);
    due.when.deadline_at = now + 3 * hour;
    EXPECT_EQ(start(due), 1);
    policy hurried;
    hurried.prices = {{.term = "time", .per_unit = 0.2}};
    EXPECT_EQ(start(flexible(2, 9), hurried), 1) << "0.1 saved by another hour is less than 0.2";
    policy impatient;
    impatient.max_delay_s = 3600;
    EXPECT_EQ(start(flexible(2, 9), impatient), 1);
}

TEST(hourly_prices, runs_start_where_their_end_meets_an_edge) {
    // 2.5 h: at 1 or 1.5, 2 or 2.5 …: 2, 2.1 and half of 1.9 are 5.05; half of 2, 2.1 and 1.9 are 5.
    const decision made = decide_on({p3()}, [] {
        workload_spec spec = flexible(2, 12);
        spec.work.runtime_s = 9000;
        return spec;
    }());
    EXPECT_EQ(made.ranked.front().start_at, now + hour + hour / 2);
    EXPECT_EQ(made.ranked.front().cost.micros, 5'000'000);
}

TEST(hourly_prices, what_is_billed_counts_and_not_what_runs) {
    offer o = p3();
    o.minimum_s = 2 * 3600;
    const decision made = decide_on({o}, flexible(1, 12));
    EXPECT_EQ(made.ranked.front().start_at, now + 2 * hour) << "two hours are paid: 2.1 and 1.9";
    EXPECT_EQ(made.ranked.front().cost.micros, 4'000'000);
    EXPECT_EQ(made.ranked.front().finish_at, now + 3 * hour);
}

TEST(hourly_prices, limits_may_be_met_by_waiting) {
    workload_spec poor = flexible(2, 1);
    poor.budget = money{4'100'000, currency::cny};
    EXPECT_EQ(decide_on({p3()}, poor).ranked.at(0).start_at, now + hour);
    poor.budget = money{4'099'999, currency::cny};
    EXPECT_EQ(only_rejection(decide_on({p3()}, poor)), rejection::budget);
    workload_spec frugal = flexible(2, 12);
    frugal.limits.max_price_per_hour = money{2'050'000, currency::cny};
    EXPECT_EQ(only_rejection(decide_on({p3()}, frugal)), rejection::max_price) << "no two hours without 2.1 or more";
    frugal.work.runtime_s = 3600;
    EXPECT_EQ(decide_on({p3()}, frugal).ranked.at(0).start_at, now + 3 * hour);
    frugal.when.max_delay_s = 2 * 3600;
    EXPECT_EQ(decide_on({p3()}, frugal).ranked.at(0).start_at, now + hour);
    // What starts at once is no baseline where a limit forbids it.
    EXPECT_EQ(decide_on({p3()}, frugal).baseline->start_at, now + hour);
}

/// A start f hours from now costs 1 + 2 f and emits 0.12 kWh x (900 - 800 f) g: 2.2 and 600 g allow 0.375 to 0.6, and
/// neither now nor the next hour.
TEST(hourly_prices, two_limits_may_be_met_between_two_hours) {
    offer o = by_hour("a", {1, 3, 3, 3}, 3);
    o.site.grid_zone = "Z";
    const auto signals = grid("Z", {900, 100, 100, 100});
    decision_world around = world();
    around.signals = &signals;
    workload_spec spec = flexible(1, 2);
    spec.budget = money{2'200'000, currency::cny};
    spec.limits.max_carbon_kg = 0.12 * 0.600;
    const decision cheap = decide_on({o}, spec, {}, around);
    ASSERT_EQ(cheap.ranked.size(), 1u);
    EXPECT_EQ(cheap.ranked.front().start_at, now + milliseconds(1'350'000)) << "0.375 h";
    EXPECT_NEAR(cheap.ranked.front().cost_base, 1.75, 1e-9);
    policy clean;
    clean.order_batch = clean.order_service = clean.order_interactive = {{"carbon", 0}, {"cost", 0}};
    const decision green = decide_on({o}, spec, clean, around);
    ASSERT_EQ(green.ranked.size(), 1u);
    EXPECT_EQ(green.ranked.front().start_at, now + milliseconds(2'160'000)) << "0.6 h";
    EXPECT_EQ(green.ranked.front().cost.micros, 2'200'000);
    EXPECT_NEAR(*green.ranked.front().carbon_kg, 0.12 * 0.420, 1e-9);
    spec.budget = money{1'740'000, currency::cny};  // until 0.37 h
    EXPECT_EQ(only_rejection(decide_on({o}, spec, clean, around)), rejection::max_carbon);
}

TEST(hourly_prices, carbon_and_price_are_weighed_over_the_same_run) {
    offer o = p3();
    o.site.grid_zone = "Z";
    // 0.12 kWh an hour; 2 h by start hour: 900, 700, 850, 700, 300 g x 0.12.
    const auto signals = grid("Z", {400, 500, 200, 650, 50, 250});
    decision_world around = world();
    around.signals = &signals;
    policy rules;
    const auto start = [&](double per_kg) {
        rules.prices = {{.term = "carbon", .per_unit = per_kg}};
        return (decide_on({o}, flexible(2, 12), rules, around).ranked.at(0).start_at - now) / hour;
    };
    EXPECT_EQ(start(0.1), 2) << "the price decides";
    EXPECT_EQ(start(10), 1) << "4.1 + 0.84 against 4.0 + 1.02";
    EXPECT_EQ(start(200), 4) << "the grid decides: 8.8 + 7.2 against 4.1 + 16.8";
}

TEST(hourly_prices, an_order_takes_the_start_whose_keys_are_least) {
    policy nearest;
    nearest.name = "nearest";
    nearest.order_batch = nearest.order_service = nearest.order_interactive = {{"data_movement", 60}, {"cost", 0}};
    EXPECT_EQ(decide_on({p3()}, flexible(2, 12), nearest).ranked.at(0).start_at, now + 2 * hour);
    nearest.order_batch.back().step = 0.45;
    EXPECT_EQ(decide_on({p3()}, flexible(2, 12), nearest).ranked.at(0).start_at, now + hour + hour / 2)
        << "4.1 is a step more than 4.05 and 4.0";
    nearest.order_batch.back().step = 1.5;
    EXPECT_EQ(decide_on({p3()}, flexible(2, 12), nearest).ranked.at(0).start_at, now + milliseconds(2'842'106))
        << "the first of the least: 6 - 1.9 f is 4.5 at 0.789474 h";
}

/// Runs of an hour cost 4 - 2 f: the first step of 1.75 h ends with the start at 0.75.
TEST(hourly_prices, the_last_start_of_a_step_of_the_finish_is_tried) {
    policy soon;
    soon.order_batch = soon.order_service = soon.order_interactive = {{"finish", 1.75}, {"cost", 0}};
    const decision made = decide_on({p3()}, flexible(1, 12), soon);
    EXPECT_EQ(made.ranked.at(0).start_at, now + hour * 3 / 4);
    EXPECT_NEAR(made.ranked.at(0).cost_base, 2.5, 1e-9);
}

TEST(hourly_prices, the_limit_over_the_cheapest_holds_for_the_start) {
    offer o = p3();
    o.site.grid_zone = "Z";
    const auto signals = grid("Z", {400, 300, 200, 100, 50, 40});
    decision_world around = world();
    around.signals = &signals;
    policy greener;
    greener.order_batch = greener.order_service = greener.order_interactive = {{"carbon", 0}, {"cost", 0}};
    const auto start = [&](std::optional<double> within) {
        greener.within_of_cheapest = within;
        const decision made = decide_on({o, plain("b", 2.2)}, flexible(2, 12), greener, around);
        EXPECT_EQ(made.ranked.at(0).site, "a");
        return made.ranked.at(0).start_at - now;
    };
    EXPECT_EQ(start(std::nullopt), 4 * hour) << "cleanest, at 8.8";
    EXPECT_EQ(start(0.5), 3 * hour + milliseconds(1'045'161)) << "at most 6.6: 5.7 + 3.1 x 0.290323";
    EXPECT_EQ(start(0.2), 2 * hour + milliseconds(2'710'588)) << "at most 5.28: 4.0 + 1.7 x 0.752941";
}

TEST(hourly_prices, are_in_their_own_currency_and_for_all_units) {
    offer o = p3();
    o.price->unit = currency::usd;
    workload_spec spec = flexible(2, 12);
    spec.tasks = 16;  // two units
    const decision made = decide_on({o}, spec);
    EXPECT_EQ(made.ranked.front().cost, (money{8'000'000, currency::usd}));
    EXPECT_NEAR(made.ranked.front().cost_base, 8 * 7.1, 1e-9);
    EXPECT_NEAR(find_note(made, note_kind::price_by_hour)->figures.front(), 2 * 7.1, 1e-9);
}

TEST(hourly_prices, what_is_owned_has_figures_of_its_own) {
    offer o = p3();
    o.mode = billing_mode::reserved;
    o.supply.owned = true;
    const decision made = decide_on({o}, flexible(2, 12));
    EXPECT_EQ(made.ranked.at(0).cost.micros, 0);
    EXPECT_FALSE(made.put_off);
    EXPECT_FALSE(find_note(made, note_kind::price_by_hour));
}

/// As many hours at one price as the plain offer has: to the bit the same decision but for what tells of hours.
TEST(hourly_prices, a_flat_schedule_costs_what_the_plain_price_does) {
    offer flat = plain("a", 1.7);
    flat.schedule.windows = {{.from_min = 0, .to_min = 720, .nanos = nanos_of(1.7)}};
    const auto with = decide_on({flat}, flexible(3, 12)), without = decide_on({plain("a", 1.7)}, flexible(3, 12));
    EXPECT_EQ(with.ranked.at(0).cost, without.ranked.at(0).cost);
    EXPECT_EQ(with.ranked.at(0).price, without.ranked.at(0).price);
    EXPECT_FALSE(with.put_off);
    EXPECT_EQ(with.ranked.at(0).cost_base, without.ranked.at(0).cost_base);
}

TEST(hourly_prices, new_hours_are_another_offer) {
    offer_book book = book_of({p3()});
    offer dearer = p3();
    dearer.schedule.windows[2].nanos = nanos_of(9);
    const std::vector<offer_list::shared> now_offered{std::make_shared<const offer>(dearer)};
    EXPECT_EQ(book.replace_part("p", now_offered, nullptr, nullptr).changed.size(), 1u);
    const decision made = decide(book, {}, built_in_terms(), flexible(2, 12), world());
    EXPECT_EQ(made.ranked.at(0).start_at, now + 3 * hour) << "5.7";
}

}  // namespace
}  // namespace westerly::built
