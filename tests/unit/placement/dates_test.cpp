// Starts that dates forbid or put off: what is to be had later, rules that end, quotes.
#include "broker/placement/next_dates.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly::built {
namespace {

constexpr milliseconds hour{3'600'000};
constexpr milliseconds minute{60'000};

workload_spec with_slack(milliseconds slack) {
    workload_spec spec = task();
    if (slack > milliseconds(0))
        spec.when.max_delay_s = static_cast<std::uint64_t>(slack.count() / 1000);
    return spec;
}

bool told(const decision& made, note_kind kind) {
    return std::ranges::any_of(made.notes, [&](const note& n) { return n.kind == kind; });
}

/// Cheap, but not yet.
offer later(milliseconds after) {
    offer o = plain("later", 1.0);
    o.supply.available_from = now + after;
    return o;
}

TEST(available_from, who_may_not_wait_takes_what_starts_now) {
    const decision made = decide_on({later(3 * hour), plain("now", 2.0)}, task());
    ASSERT_EQ(sites_of(made), (std::vector<std::string>{"now"}));
    EXPECT_EQ(only_rejection(made), rejection::available_later);
    EXPECT_FALSE(made.put_off);
}

TEST(available_from, who_may_wait_is_put_off_until_then) {
    const decision made = decide_on({later(3 * hour), plain("now", 2.0)}, with_slack(3 * hour));
    ASSERT_EQ(sites_of(made), (std::vector<std::string>{"later", "now"}));
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.put_off->launch_at, now + 3 * hour);
    EXPECT_EQ(made.put_off->saved_base, 0);
    EXPECT_TRUE(told(made, note_kind::put_off_available));
    EXPECT_NE(made.put_off->why.find("not to be had before 2027-01-15T11:00:00"), std::string::npos)
        << made.put_off->why;
    EXPECT_EQ(sites_of(decide_on({later(3 * hour), plain("now", 2.0)}, with_slack(3 * hour - minute))),
              (std::vector<std::string>{"now"}));
}

TEST(available_from, the_queues_limit_and_the_deadline_bound_the_wait) {
    workload_spec spec = with_slack(24 * hour);
    spec.when.max_wait_s = 600;
    EXPECT_EQ(only_rejection(decide_on({later(3 * hour)}, spec)), rejection::available_later);
    spec.when.max_wait_s.reset();
    spec.when.deadline_at = now + 4 * hour - minute;
    EXPECT_EQ(only_rejection(decide_on({later(3 * hour)}, spec)), rejection::deadline);
}

TEST(available_from, the_queue_is_joined_then) {
    offer o = later(3 * hour);
    o.queue_wait_s = 600;
    const decision made = decide_on({o}, with_slack(3 * hour));
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.put_off->launch_at, now + 3 * hour);
    EXPECT_EQ(made.ranked.front().start_at, now + 3 * hour + seconds(600));
}

TEST(available_from, an_earliest_start_of_the_workload_is_no_wait) {
    workload_spec spec = task();
    spec.when.earliest_start_at = now + 3 * hour;
    const decision made = decide_on({later(3 * hour)}, spec);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_FALSE(made.put_off);
}

offer with_cards(const std::string& site, double price = 1.0) {
    offer o = plain(site, price);
    o.accelerators = accelerator_facts{
        .model = "x", .count = 8, .memory_gib = 80, .fp16_tflops = 312, .interconnect_gb_s = 600, .stack = "cuda"};
    return o;
}

compliance_rule links_below_600(std::optional<instant> from, std::optional<instant> until) {
    compliance_rule rule;
    rule.name = "links";
    rule.from_at = from;
    rule.until_at = until;
    rule.forbid.fact = offer_fact::interconnect_gb_s;
    rule.forbid.comparison = fact_comparison::at_least;
    rule.forbid.value = 600;
    return rule;
}

TEST(dated_rules, are_held_against_the_start_and_not_against_now) {
    offer o = with_cards("a");
    o.supply.available_from = now + 3 * hour;
    workload_spec spec = with_slack(3 * hour);
    spec.limits.compliance = {links_below_600(now + 2 * hour, {})};
    EXPECT_EQ(only_rejection(decide_on({o}, spec)), rejection::compliance);
    spec.limits.compliance = {links_below_600(now - hour, now + 2 * hour)};
    EXPECT_EQ(decide_on({o}, spec).ranked.size(), 1u);
}

TEST(dated_rules, count_from_the_launch_to_the_start) {
    offer o = with_cards("a");
    o.queue_wait_s = 600;
    workload_spec spec = task();
    spec.limits.compliance = {links_below_600(now + seconds(600), {})};
    EXPECT_EQ(only_rejection(decide_on({o}, spec)), rejection::compliance);
    spec.limits.compliance = {links_below_600(now + seconds(601), {})};
    EXPECT_EQ(decide_on({o}, spec).ranked.size(), 1u);
    spec.limits.compliance = {links_below_600({}, now + seconds(1))};
    EXPECT_EQ(only_rejection(decide_on({o}, spec)), rejection::compliance);
    spec.limits.compliance.clear();
    spec.inputs = {{1e6, "elsewhere"}};  // a day and more at 10 Gbit/s
    spec.limits.compliance = {links_below_600(now + 2 * hour, {})};
    EXPECT_EQ(only_rejection(decide_on({o}, spec)), rejection::compliance) << "the data comes first";
}

TEST(dated_rules, a_rule_that_ends_is_waited_for) {
    workload_spec spec = with_slack(hour);
    spec.limits.compliance = {links_below_600({}, now + seconds(10)), links_below_600(now + seconds(10), now + minute)};
    const decision made = decide_on({with_cards("a"), plain("b", 2.0)}, spec);
    ASSERT_EQ(sites_of(made), (std::vector<std::string>{"a", "b"}));
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.put_off->launch_at, now + minute);
    EXPECT_TRUE(told(made, note_kind::put_off_forbidden));
    spec.when.max_delay_s = 59;
    EXPECT_EQ(sites_of(decide_on({with_cards("a"), plain("b", 2.0)}, spec)), (std::vector<std::string>{"b"}));
}

/// Carbon of a zone by the hour from now on.
signal_book told_by_hour(std::vector<double> values) {
    signal_series made;
    made.zone = "Z";
    made.source = "grid";
    made.quality = quality_class::modelled_hourly;
    made.received_at = now;
    instant at = now;
    for (const double value : values) {
        made.intervals.push_back({at, at + hour, value, true});
        at += hour;
    }
    signal_book book;
    book.receive("test", {made}, now);
    return book;
}

struct dated_starts : testing::Test {
    signal_book signals = told_by_hour({900, 900, 900, 900, 900, 100, 100, 100, 100});
    policy carbon;
    offer o = with_cards("a");
    workload_spec spec = with_slack(7 * hour);

    void SetUp() override {
        carbon.prices = {{.term = "carbon", .per_unit = 10}};
        o.site.grid_zone = "Z";
    }
    decision decided(std::vector<offer> offers) {
        decision_world around = world();
        around.signals = &signals;
        return decide_on(offers, spec, carbon, around);
    }
};

TEST_F(dated_starts, a_cleaner_hour_that_a_rule_forbids_is_not_waited_for) {
    ASSERT_EQ(decided({o}).put_off->launch_at, now + 5 * hour);
    spec.limits.compliance = {links_below_600(now + 3 * hour, {})};
    const decision made = decided({o});
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_FALSE(made.put_off);
    EXPECT_EQ(made.ranked.front().start_at, now);
}

TEST_F(dated_starts, a_wait_keeps_a_minute_to_the_rule) {
    spec.limits.compliance = {links_below_600(now + 5 * hour, {})};
    const decision made = decided({o});
    ASSERT_TRUE(made.put_off) << "the run's end is cleaner then";
    EXPECT_EQ(made.put_off->launch_at, now + 5 * hour - minute - milliseconds(1));
}

TEST_F(dated_starts, a_wait_goes_on_past_a_rule_that_ends) {
    spec.limits.compliance = {links_below_600(now - hour, now + 2 * hour)};
    const decision made = decided({o});
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.put_off->launch_at, now + 5 * hour);
    EXPECT_EQ(made.put_off->at_once_at, now + 2 * hour);
    EXPECT_NEAR(*made.put_off->carbon_saved_kg, 0.12 * 0.8, 1e-9);
}

TEST_F(dated_starts, carbon_that_some_start_keeps_is_not_why_an_unknown_risk_is_passed_over) {
    carbon.prices.push_back({.term = "risk", .per_unit = 100});
    o.mode = billing_mode::spot;
    spec.limits.max_carbon_kg = 0.05;
    EXPECT_EQ(only_rejection(decided({o})), rejection::quantity_unknown);
    o.supply.price_until = now + 6 * hour;
    EXPECT_EQ(only_rejection(decided({o})), rejection::quantity_unknown) << "dated as well";
    spec.limits.max_carbon_kg = 0.001;
    EXPECT_EQ(only_rejection(decided({o})), rejection::max_carbon);
}

TEST_F(dated_starts, none_is_put_off_past_its_quote) {
    o.supply.price_until = now + 2 * hour;
    EXPECT_FALSE(decided({o}).put_off);
    o.supply.price_until = now + 5 * hour + minute + milliseconds(1);
    EXPECT_EQ(decided({o}).put_off->launch_at, now + 5 * hour);
    o.supply.price_until = now;
    EXPECT_EQ(only_rejection(decided({o})), rejection::quote_expired);
}

TEST(quotes, one_that_ends_before_the_offer_begins_is_no_price) {
    offer o = later(3 * hour);
    o.supply.price_until = now + hour;
    const decision made = decide_on({o, plain("now", 9.0)}, with_slack(3 * hour));
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"now"}));
    EXPECT_EQ(only_rejection(made), rejection::quote_expired);
    o.supply.price_until = now + 3 * hour + milliseconds(1);
    EXPECT_EQ(sites_of(decide_on({o, plain("now", 9.0)}, with_slack(3 * hour))).front(), "later");
}

TEST(next_dates, are_the_first_that_lift_what_was_rejected) {
    workload_spec spec = task();
    spec.limits.compliance = {links_below_600({}, now + hour), links_below_600(now + hour, now + 2 * hour)};
    offer late = later(5 * hour), sooner = later(4 * hour);
    sooner.id = "p/sooner/n/on_demand";
    const auto dates_of = [&](const std::vector<offer>& offers) {
        return next_dates(book_of(offers), {}, spec, {}, decide_on(offers, spec));
    };
    lifting_dates dates = dates_of({with_cards("a"), late, sooner});
    EXPECT_EQ(dates.lawful_at, now + 2 * hour);
    EXPECT_EQ(dates.available_at, now + 4 * hour);
    EXPECT_EQ(dates.first(), now + 2 * hour);
    EXPECT_EQ(dates_of({plain("b"), late}).lawful_at, std::nullopt);
    spec.limits.compliance.push_back(links_below_600({}, {}));
    EXPECT_EQ(dates_of({with_cards("a")}).first(), std::nullopt);
    EXPECT_TRUE(dates_of({with_cards("a")}).told().empty());
}

}  // namespace
}  // namespace westerly::built
