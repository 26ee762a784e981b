#include "broker/placement/finish_odds.hpp"

#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace westerly {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(finish_odds, quantiles_of_the_normal) {
    EXPECT_EQ(z_of(0.5), 0);
    EXPECT_NEAR(z_of(0.9), z_of_p90, 1e-12);
    EXPECT_NEAR(z_of(0.95), 1.6448536269514722, 1e-12);
    EXPECT_NEAR(z_of(0.999), 3.090232306167813, 1e-11);
    EXPECT_NEAR(probability_of(z_of(0.975)), 0.975, 1e-14);
}

TEST(finish_odds, a_time_goes_through_its_median_and_its_p90) {
    const time_spread hours{10, 15};
    EXPECT_DOUBLE_EQ(hours.at(0), 10);
    EXPECT_DOUBLE_EQ(hours.at(z_of_p90), 15);
    EXPECT_NEAR(hours.at(2 * z_of_p90), 22.5, 1e-12);  // 10 x 1.5^2: log-normal
    EXPECT_DOUBLE_EQ((time_spread{0, 15}.at(z_of_p90)), 15);
    EXPECT_DOUBLE_EQ((time_spread{0, 15}.at(-1)), 0);
    EXPECT_DOUBLE_EQ((time_spread{10, 0}.at(3)), 10) << "no spread is told";
}

finish_model some(double wait_p90, double run_p90) {
    finish_model m;
    m.wait_ms = {600, wait_p90};
    m.fixed_ms = 50;
    m.run_ms = {3600, run_p90};
    return m;
}

TEST(finish_odds, medians_and_p90s_add_up) {
    const finish_model m = some(1800, 5400);
    EXPECT_DOUBLE_EQ(m.at(0), 600 + 50 + 3600);
    EXPECT_NEAR(m.at(z_of_p90), 1800 + 50 + 5400, 1e-9);
    EXPECT_NEAR(m.by(1800 + 50 + 5400), 0.9, 1e-12);
    EXPECT_NEAR(m.by(600 + 50 + 3600), 0.5, 1e-12);
    EXPECT_NEAR(m.by(m.at(z_of(0.95))), 0.95, 1e-12);
}

/// For every deadline from the median on.
TEST(finish_odds, a_later_deadline_never_lowers_and_a_wider_spread_never_raises_the_odds) {
    for (double due = 4250; due < 20'000; due += 333) {
        EXPECT_LE(some(1800, 5400).by(due), some(1800, 5400).by(due + 333));
        EXPECT_GE(some(1800, 5400).by(due), some(2400, 5400).by(due));
        EXPECT_GE(some(1800, 5400).by(due), some(1800, 7200).by(due));
        EXPECT_GE(some(600, 3600).by(due), some(1800, 3600).by(due));
    }
}

TEST(finish_odds, without_spread_it_is_yes_or_no) {
    EXPECT_EQ(some(600, 3600).by(4250), 1);
    EXPECT_EQ(some(600, 3600).by(4249), 0);
}

/// An hour's run, p90 an hour and a half; ten minutes' wait, p90 half an hour.
struct deadlines : testing::Test {
    deadlines() {
        on.queue_wait_s = 600;
        on.queue_wait_p90_s = 1800;
        spec.work.runtime_p90_s = 5400;
    }
    rejection due_after(double s) {
        spec.when.deadline_at = built::now + milliseconds(static_cast<std::int64_t>(s * 1000));
        return built::only_rejection(built::decide_on({on}, spec));
    }
    offer on = built::plain("a");
    workload_spec spec = built::task();
};

TEST_F(deadlines, have_to_be_met_as_surely_as_is_asked) {
    // 600 x 3^(z/z90) + 3600 x 1.5^(z/z90); z = 1.6449: 2 458 s + 6 057 s.
    const double z = 1.6448536269514722 / 1.2815515655446004;
    const double surely = 600 * std::pow(3, z) + 3600 * std::pow(1.5, z);
    EXPECT_NEAR(surely, 8515, 5);
    EXPECT_EQ(due_after(std::ceil(surely)), rejection::count_);
    EXPECT_EQ(due_after(std::floor(surely)), rejection::deadline);
    spec.when.deadline_probability = 0.9;
    EXPECT_EQ(due_after(7200), rejection::count_);
    EXPECT_EQ(due_after(7199), rejection::deadline);
    spec.when.deadline_probability = 0.5;
    EXPECT_EQ(due_after(4200), rejection::count_) << "the medians";
    EXPECT_EQ(due_after(4199), rejection::deadline);
}

TEST_F(deadlines, are_told_with_their_odds) {
    spec.when.deadline_probability = 0.5;
    spec.when.deadline_at = built::now + seconds(7200);
    const decision made = built::decide_on({on}, spec);
    const appraisal& won = made.ranked.at(0);
    EXPECT_EQ(won.finish_at, built::now + seconds(4200));
    ASSERT_TRUE(won.odds);
    EXPECT_EQ(won.odds->p90_at, built::now + seconds(7200));
    EXPECT_NEAR(*won.odds->by_deadline, 0.9, 1e-9);
    EXPECT_THAT(explain(made), HasSubstr("with a probability of 90 %; 50 % is asked for"));
    EXPECT_THAT(explain(made), HasSubstr("nine in ten such runs end by 2027-01-15T10:00:00.000Z"));
}

TEST_F(deadlines, of_point_estimates_are_judged_as_they_stand) {
    on.queue_wait_p90_s = 0;
    spec.work.runtime_p90_s.reset();
    EXPECT_EQ(due_after(4200), rejection::count_);
    EXPECT_EQ(due_after(4199), rejection::deadline);
    EXPECT_FALSE(built::decide_on({on}, built::task()).ranked.at(0).odds);
}

/// An hour of work on one R1, as it is on cards of another model whose speed has a range.
struct ranged_speed : testing::Test {
    ranged_speed() {
        o.accelerators = accelerator_facts{.model = "X1", .count = 1, .memory_gib = 80, .stack = "cuda"};
        around.accelerators = &known;
        on_cards.resources.accelerators = {{.model = "X1", .count = 1, .min_memory_gib = 0, .stack = {}}};
        on_cards.work.runtime_s.reset();
        on_cards.work.accelerator_hours = 1;
        on_cards.work.reference = reference_cards{"R1", 1};
        on_cards.work.speeds = {{"X1", {1.0, 0.5, 2.0}}};
    }
    static accelerator_table with_reference() {
        accelerator_model reference{"R1", "", {}, {}, std::nullopt};
        reference.facts = {.model = "R1", .count = 1, .memory_gib = 80, .stack = "cuda"};
        return accelerator_table({reference});
    }
    const accelerator_table known = with_reference();
    offer o = built::plain("a");
    decision_world around = built::world();
    workload_spec on_cards = built::task();
};

TEST_F(ranged_speed, counts_as_a_spread) {
    on_cards.when.deadline_probability = 0.9;
    on_cards.when.deadline_at = built::now + seconds(7200);  // at the slow end: two hours
    EXPECT_EQ(built::decide_on({o}, on_cards, {}, around).ranked.size(), 1u);
    on_cards.when.deadline_at = built::now + seconds(7199);
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, on_cards, {}, around)), rejection::deadline);
}

/// Interrupted twice an hour, without checkpoints: an hour's work takes three, and what takes four never gets through.
TEST_F(ranged_speed, tells_no_date_of_runs_that_practically_never_end) {
    o.mode = billing_mode::spot;
    o.supply.hazard.spot_per_h = 2;
    on_cards.work.speeds = {{"X1", {1.0, 0.25, 2.0}}};
    const decision made = built::decide_on({o}, on_cards, {}, around);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_LT(made.ranked[0].finish_at, built::now + std::chrono::hours(4));
    EXPECT_FALSE(nearly_all_end(made.ranked[0]));
    const std::string in_english = explain(made), in_chinese = explain(made, language::zh);
    EXPECT_THAT(in_english, HasSubstr("The finish told is the median; one in ten such runs practically never ends."));
    EXPECT_THAT(in_chinese, HasSubstr("所示完成时间为中位数；十次这样的运行中有一次实际上不会结束。"));
    for (const auto& text : {in_english, in_chinese})
        EXPECT_THAT(text, testing::Not(HasSubstr("2343")));
}

TEST_F(deadlines, the_latest_time_that_is_told_can_be_written) {
    spec.work.runtime_s = 1;
    spec.work.runtime_p90_s = 10ull * 365 * 86'400;
    spec.work.accelerator_hours.reset();
    const auto with_tail = built::decide_on({on}, spec).ranked.at(0);
    EXPECT_TRUE(nearly_all_end(with_tail)) << "ten years";
    spec.work.runtime_s = 1'000'000'000;  // thirty years, which nothing of the API asks for
    spec.work.runtime_p90_s = std::uint64_t{1} << 63;
    const auto endless = built::decide_on({on}, spec).ranked.at(0);
    EXPECT_FALSE(nearly_all_end(endless));
    EXPECT_EQ(format_rfc3339(endless.odds->p90_at), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace westerly
