#include "broker/placement/measured_speed.hpp"

#include <gtest/gtest.h>

#include <random>

namespace westerly {
namespace {

TEST(measured_speed, a_prior_counts_as_two_runs) {
    speed_record shown;
    EXPECT_EQ(updated({0.8, 0.7, 0.9}, shown), (interval{0.8, 0.7, 0.9}));
    add_run(shown, 0.5);
    const interval one = updated({0.8, 0.7, 0.9}, shown);  // (2 x 0.8 + 0.5) / 3
    EXPECT_DOUBLE_EQ(one.value, 0.7);
    EXPECT_DOUBLE_EQ(one.low, 0.7 - 0.1 * 2 / 3);
    EXPECT_DOUBLE_EQ(one.high, 0.7 + 0.1 * 2 / 3);
    add_run(shown, 0.5);
    EXPECT_DOUBLE_EQ(updated({0.8, 0.7, 0.9}, shown).value, 0.65);  // (1.6 + 1.0) / 4
}

TEST(measured_speed, scattered_runs_leave_a_wide_interval) {
    speed_record steady, scattered;
    for (const double r : {0.5, 0.5, 0.5, 0.5})
        add_run(steady, r);
    for (const double r : {0.2, 0.8, 0.2, 0.8})
        add_run(scattered, r);
    const interval prior{0.5, 0.5, 0.5};
    EXPECT_TRUE(updated(prior, steady).exact());
    EXPECT_LT(updated(prior, scattered).low, 0.35);
    EXPECT_DOUBLE_EQ(updated(prior, scattered).value, 0.5);
}

TEST(measured_speed, many_runs_outweigh_the_prior_and_the_bounds_stay_in_order) {
    std::mt19937_64 random(3);
    const auto between = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random() % 1'000'000) / 1e6;
    };
    for (int i = 0; i < 20'000; ++i) {
        const double low = between(0.01, 2), value = low + between(0, 1), truth = between(0.05, 3);
        const interval prior{value, low, value + between(0, 1)};
        speed_record shown;
        for (int n = 0; n < 200; ++n) {
            add_run(shown, truth * between(0.99, 1.01));
            const interval now = updated(prior, shown);
            ASSERT_GT(now.low, 0);
            ASSERT_LE(now.low, now.value);
            ASSERT_LE(now.value, now.high);
            ASSERT_GE(now.value, std::min(value, truth * 0.99));
            ASSERT_LE(now.value, std::max(value, truth * 1.01));
        }
        ASSERT_NEAR(updated(prior, shown).value, truth, 0.05 * std::max(truth, value));
    }
}

/// The time of a run at a known speed gives that speed back, whatever the gang and its links.
TEST(measured_speed, is_what_throughput_says_backwards) {
    std::mt19937_64 random(11);
    const auto between = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random() % 1'000'000) / 1e6;
    };
    for (int i = 0; i < 20'000; ++i) {
        work_estimate told;
        told.reference = reference_cards{"H100", 1u << (random() % 6)};
        told.communication = random() % 4 == 0 ? 0 : between(0.01, 0.4);
        told.batch_exponent = between(0, 1);
        accelerator_model reference;
        work_view work;
        work.told = &told;
        work.reference = &reference;
        work.accelerator_hours = between(1, 10'000);
        work.reference_links = {.b_up = 900, .b_out = i % 2 == 0 ? 50.0 : 0.0, .domain = 8};
        if (told.communication > 0 && told.reference->count == 1)
            continue;  // one card has nothing to exchange: such an estimate is refused at the door
        const card_links links{.b_up = between(50, 900), .b_out = between(5, 100), .domain = 8};
        const double cards = static_cast<double>(1 + random() % 256), r = between(0.05, 4);
        const throughput made = throughput_of(work, cards, r, links);
        const auto shown = speed_shown(work, cards, links, made.seconds);
        ASSERT_TRUE(shown);
        ASSERT_NEAR(*shown, r, 1e-6 * r);
    }
}

TEST(measured_speed, impossible_times_show_nothing) {
    work_estimate told;
    told.reference = reference_cards{"H100", 8};
    told.communication = 0.2;
    accelerator_model reference;
    work_view work;
    work.told = &told;
    work.reference = &reference;
    work.accelerator_hours = 100;
    work.reference_links = {.b_up = 900, .b_out = 0, .domain = 8};
    const card_links links{.b_up = 400, .b_out = 0, .domain = 8};
    EXPECT_FALSE(speed_shown(work, 8, links, 0));
    EXPECT_FALSE(speed_shown(work, 8, links, 1)) << "even infinitely fast cards would still exchange";
    EXPECT_FALSE(speed_shown(work, 8, {}, 3600)) << "links not known";
    EXPECT_FALSE(speed_shown({}, 8, links, 3600)) << "no reference";
    EXPECT_TRUE(speed_shown(work, 8, links, 100'000));
}

}  // namespace
}  // namespace westerly
