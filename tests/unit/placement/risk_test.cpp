// The term `risk`: P(late or lost).
#include "policies/table.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace westerly::built {
namespace {

using testing::HasSubstr;

policy risk_at_price(double per_run) {
    policy p;
    p.prices = {{.term = "risk", .per_unit = per_run}};
    return p;
}

double risk_of(const appraisal& a) {
    for (const auto& [term, money] : a.terms)
        if (term == "risk")
            return money;
    return -1;
}

/// 0.1 interruptions an hour by spot, two hours of work.
struct lost : testing::Test {
    lost() {
        on.supply.hazard.spot_per_h = 0.1;
        spec.work.runtime_s = 7200;
    }
    double chance() const { return risk_of(decide_on({on}, spec, risk_at_price(1)).ranked.at(0)); }
    offer on = plain("a");
    workload_spec spec = task();
};

TEST_F(lost, is_an_interruption_at_least) {
    EXPECT_NEAR(chance(), 1 - std::exp(-0.2), 1e-12);
    on.supply.hazard.hardware_per_card_h = 0.05;  // of each of two units
    spec.resources.vcpus = 8;
    spec.tasks = 2;
    EXPECT_NEAR(chance(), 1 - std::exp(-0.4), 1e-12);
}

TEST_F(lost, is_nothing_that_has_a_checkpoint) {
    spec.checkpoint = checkpoint_rule{3600, 0, 0};
    EXPECT_EQ(chance(), 0);
    spec.checkpoint->interval_s = 7200;  // and one that ends before its first is written has none
    EXPECT_NEAR(chance(), 1 - std::exp(-0.2), 1e-12);
    decision_world around = world();
    around.progress = run_progress{.work_left = 0.5, .restores = true};
    const auto made = decide_on({on}, spec, risk_at_price(1), around);
    EXPECT_EQ(risk_of(made.ranked.at(0)), 0) << "it goes on from an earlier one";
}

TEST_F(lost, is_unknown_on_spot_terms_that_do_not_tell_how_often_they_end) {
    on.mode = billing_mode::spot;
    EXPECT_NEAR(chance(), 1 - std::exp(-0.2), 1e-12);
    on.supply.hazard.spot_per_h.reset();
    EXPECT_EQ(only_rejection(decide_on({on}, spec, risk_at_price(1))), rejection::quantity_unknown);
    EXPECT_EQ(decide_on({on}, spec).ranked.size(), 1u) << "the policy does not read it";
    spec.checkpoint = checkpoint_rule{3600, 0, 0};
    EXPECT_EQ(chance(), 0) << "nothing is lost, however often it ends";
    spec.checkpoint.reset();
    spec.kind = workload_kind::service;
    EXPECT_EQ(only_rejection(decide_on({on}, spec, risk_at_price(1))), rejection::quantity_unknown);
}

TEST_F(lost, is_told_of_a_service_by_the_hour) {
    spec.kind = workload_kind::service;
    EXPECT_NEAR(chance(), 1 - std::exp(-0.1), 1e-12);
}

TEST_F(lost, counts_the_hardware_that_is_assumed) {
    on.supply.hazard = {};
    EXPECT_EQ(chance(), 0) << "no cards, and nothing is told";
    on.accelerators = accelerator_facts{.model = "X1", .count = 8, .memory_gib = 80, .stack = "cuda"};
    spec.resources.accelerators = {{.model = "X1", .count = 8, .min_memory_gib = 0, .stack = {}}};
    EXPECT_EQ(chance(), 0) << "below a tenth of an interruption";
    spec.work.runtime_s = 3'600'000;  // 1000 h of 8 cards: 0.16
    EXPECT_NEAR(chance(), 1 - std::exp(-0.16), 1e-12);
}

TEST_F(lost, costs_what_the_policy_says) {
    offer sure = plain("b", 1.2);  // dearer, though not by a fifth: what is done again on spot terms is paid for
    const double dearer = 2.4 - decide_on({on}, spec).ranked.at(0).cost_base;
    EXPECT_NEAR(dearer, 2.4 - std::expm1(0.2) / 0.1, 0.001);
    const double even = dearer / (1 - std::exp(-0.2));
    EXPECT_EQ(sites_of(decide_on({on, sure}, spec, risk_at_price(even * 0.99)))[0], "a");
    EXPECT_EQ(sites_of(decide_on({on, sure}, spec, risk_at_price(even * 1.01)))[0], "b");
    policy surest;
    surest.order_service = surest.order_interactive = surest.order_batch = {{"risk", 0.01}, {"cost", 0}};
    EXPECT_EQ(sites_of(decide_on({on, sure}, spec, surest))[0], "b");
    on.supply.hazard.spot_per_h = 0;
    EXPECT_EQ(sites_of(decide_on({on, sure}, spec, surest))[0], "a");
}

/// An hour's run, p90 an hour and a half, no wait: the ninetieth percentile is in time.
struct late : testing::Test {
    late() {
        spec.work.runtime_p90_s = 5400;
        spec.when.deadline_at = now + seconds(5400);
        spec.when.deadline_probability = 0.5;
    }
    workload_spec spec = task();
};

TEST_F(late, is_what_the_finish_says) {
    const decision made = decide_on({plain("a")}, spec, risk_at_price(10));
    EXPECT_NEAR(risk_of(made.ranked.at(0)), 10 * 0.1, 1e-9);
    EXPECT_NEAR(made.ranked.at(0).j, 2, 1e-9);
    EXPECT_THAT(explain(made), HasSubstr("late or lost with a probability of 10 %: past its deadline 10 %, "
                                         "interrupted with no checkpoint to go on from 0 %"));
    EXPECT_THAT(explain(made, language::zh), HasSubstr("误期或丢失的概率为 10 %"));
}

TEST_F(late, and_lost_are_independent) {
    offer on = plain("a");
    on.supply.hazard.spot_per_h = 0.1;
    const decision made = decide_on({on}, spec, risk_at_price(1));
    const appraisal& won = made.ranked.at(0);
    const double in_time = *won.odds->by_deadline;
    EXPECT_NEAR(risk_of(won), 1 - in_time * std::exp(-0.1), 1e-12);
}

TEST_F(late, of_point_estimates_is_nothing_in_time) {
    spec.work.runtime_p90_s.reset();
    EXPECT_EQ(risk_of(decide_on({plain("a")}, spec, risk_at_price(10)).ranked.at(0)), 0);
    spec.when.deadline_at.reset();
    spec.work.runtime_p90_s = 5400;
    EXPECT_EQ(risk_of(decide_on({plain("a")}, spec, risk_at_price(10)).ranked.at(0)), 0);
}

/// Cleaner from hour to hour; waiting pays in carbon and costs in time to spare.
TEST_F(late, grows_with_a_start_that_is_put_off) {
    signal_series grid;
    grid.zone = "Z";
    grid.source = "grid";
    grid.quality = quality_class::modelled_hourly;
    grid.received_at = now;
    for (int h = 0; h < 6; ++h)
        grid.intervals.push_back({now + seconds(h * 3600), now + seconds((h + 1) * 3600), 600.0 - 100 * h, true});
    signal_book signals;
    signals.receive("test", {grid}, now);
    decision_world around = world();
    around.signals = &signals;
    offer on = plain("a");
    on.site.grid_zone = "Z";
    spec.when.deadline_at = now + seconds(4 * 3600);
    spec.when.max_delay_s = 4 * 3600;
    policy rules = risk_at_price(0);
    rules.prices.push_back({.term = "carbon", .per_unit = 10});
    const auto start_at = [&](double per_run) {
        rules.prices[0].per_unit = per_run;
        return decide_on({on}, spec, rules, around).ranked.at(0).start_at;
    };
    EXPECT_EQ(start_at(0), now + seconds(3 * 3600)) << "the last one that is as sure as asked for";
    EXPECT_EQ(start_at(1), now + seconds(2 * 3600));
    EXPECT_EQ(start_at(1e6), now);
}

TEST(risk, of_a_spread_is_that_of_any_part) {
    // See spread_test.cpp for the rule; two parts of one replica each, lost with 1 - e^-0.1 and 1 - e^-0.2.
    offer east = plain("east"), west = plain("west");
    east.site.rtt_ms = {{"e", 1}, {"w", 50}};
    west.site.rtt_ms = {{"e", 50}, {"w", 1}};
    east.supply.hazard.spot_per_h = 0.1;
    west.supply.hazard.spot_per_h = 0.2;
    workload_spec spec = task();
    spec.kind = workload_kind::service;
    spec.tasks = 2;
    spec.resources.vcpus = 8;
    spec.limits.origins = {{{"e", {}}, 1}, {{"w", {}}, 1}};
    spec.spread = spread_rule{2};
    policy rules = risk_at_price(1);
    rules.prices.push_back({.term = "latency", .per_unit = 1});
    const plan_result made = plan(book_of({east, west}), rules, built_in_terms(), spec, world());
    ASSERT_TRUE(made.spread);
    ASSERT_EQ(made.spread->parts.size(), 2u);
    for (const auto& [term, money] : made.spread->terms)
        if (term == "risk") {
            EXPECT_NEAR(money, 1 - std::exp(-0.3), 1e-12);
        }
}

}  // namespace
}  // namespace westerly::built
