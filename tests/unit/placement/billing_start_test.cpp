// Offers that bill from the allocation on: bringing the inputs is paid for, too.
#include "broker/domain/explain.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using built::plain;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

/// 10 TiB at "near": 10 240 GiB x 8.589934592 Gbit at 10 Gbit/s take 8 796.1 s, 2.44 h, to anywhere else. Then an hour
/// on eight cards, of which a unit has one.
workload_spec on_eight_cards() {
    workload_spec spec = built::task();
    spec.inputs = {{10'240, "near"}};
    spec.tasks = 8;
    spec.resources.vcpus = 8;  // a unit each
    return spec;
}
constexpr std::uint64_t whole_s = 12'397;  // 8 796.1 + 3 600, up

offer billed_from_allocation(const std::string& site, double price) {
    offer o = plain(site, price);
    o.billing_starts = billing_start::allocation;
    return o;
}

TEST(billing_start, a_cheap_site_far_from_the_data_is_dear_where_the_wait_for_them_is_paid_for) {
    const decision free_wait = built::decide_on({plain("near", 11), plain("far", 10)}, on_eight_cards());
    EXPECT_THAT(built::sites_of(free_wait), ElementsAre("far", "near"));  // 8 x 10 against 8 x 11
    EXPECT_DOUBLE_EQ(free_wait.ranked[0].cost_base, 80);

    const decision made =
        built::decide_on({billed_from_allocation("near", 11), billed_from_allocation("far", 10)}, on_eight_cards());
    ASSERT_THAT(built::sites_of(made), ElementsAre("near", "far"));
    EXPECT_EQ(made.ranked[0].billed_s, 3600u) << "nothing has to be brought there";
    EXPECT_DOUBLE_EQ(made.ranked[0].cost_base, 88);
    EXPECT_EQ(made.ranked[1].billed_s, whole_s);
    EXPECT_DOUBLE_EQ(made.ranked[1].cost_base, 80 * (whole_s / 3600.0));  // 275.49
    EXPECT_EQ(made.ranked[1].cost, (money{275'488'889, currency::cny}));
    EXPECT_DOUBLE_EQ(made.baseline->cost_base, 88);
    // The run itself is as it was.
    EXPECT_EQ(made.ranked[1].start_at, free_wait.ranked[0].start_at);
    EXPECT_EQ(made.ranked[1].energy_kwh, free_wait.ranked[0].energy_kwh);
}

TEST(billing_start, is_told_where_it_costs_something) {
    const auto told = [](const offer& o) {
        return explain(built::decide_on({o}, on_eight_cards()));
    };
    constexpr auto words = "p/far/n/on_demand bills from when its machines are given: the 2.44 h of bringing the data";
    EXPECT_THAT(told(billed_from_allocation("far", 10)), HasSubstr(words));
    EXPECT_THAT(told(plain("far", 10)), testing::Not(HasSubstr("bills from when")));
    EXPECT_THAT(told(billed_from_allocation("near", 10)), testing::Not(HasSubstr("bills from when")));
}

TEST(billing_start, increment_and_minimum_hold_for_the_whole) {
    const auto billed_s = [](std::uint32_t increment_s, std::uint32_t minimum_s) {
        offer o = billed_from_allocation("far", 10);
        o.increment_s = increment_s;
        o.minimum_s = minimum_s;
        return built::decide_on({o}, on_eight_cards()).ranked.at(0).billed_s;
    };
    EXPECT_EQ(billed_s(60, 0), 12'420u);
    EXPECT_EQ(billed_s(3600, 0), 4 * 3600u) << "and not one hour each for the data and the run, up";
    EXPECT_EQ(billed_s(1, 12'000), whole_s);
    EXPECT_EQ(billed_s(1, 13'000), 13'000u);
}

TEST(billing_start, the_budget_holds_the_wait_to_the_last_digit) {
    workload_spec spec = on_eight_cards();
    spec.budget = money{275'488'889, currency::cny};
    EXPECT_EQ(built::decide_on({billed_from_allocation("far", 10)}, spec).ranked.size(), 1u);
    spec.budget = money{275'488'888, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({billed_from_allocation("far", 10)}, spec)), rejection::budget);
    EXPECT_EQ(built::decide_on({plain("far", 10)}, spec).ranked.size(), 1u);
    spec.inputs[0].egress_per_gib = money{10'000, currency::cny};  // 102.40 for all
    spec.budget = money{377'888'889, currency::cny};
    EXPECT_EQ(built::decide_on({billed_from_allocation("far", 10)}, spec).ranked.size(), 1u);
    spec.budget = money{377'888'887, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({billed_from_allocation("far", 10)}, spec)), rejection::budget);
}

/// 7 200 a month is 10 an hour, whatever it counts as.
TEST(billing_start, of_an_owned_reservation_the_fee_is_held_against_the_budget) {
    offer o = billed_from_allocation("far", 3);
    o.id = "p/far/n/reserved";
    o.mode = billing_mode::reserved;
    o.supply.owned = true;
    o.supply.fee = reservation_fee{reservation_term::month, {7'200'000'000, currency::cny}};
    workload_spec spec = on_eight_cards();
    spec.budget = money{275'488'889, currency::cny};
    EXPECT_EQ(built::decide_on({o}, spec).ranked.at(0).cost_base, 0);
    spec.budget = money{275'488'888, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec)), rejection::budget);
    o.supply.shadow_price = unit_price{1'000'000'000, currency::cny};
    spec.budget.reset();
    EXPECT_DOUBLE_EQ(built::decide_on({o}, spec).ranked.at(0).cost_base, 8 * (whole_s / 3600.0));
}

TEST(billing_start, a_bound_on_the_cost_counts_the_wait) {
    policy rules;
    rules.within_of_cheapest = 0.5;
    const auto left = [&](const offer& far) {
        return built::sites_of(built::decide_on({plain("near", 11), far}, on_eight_cards(), rules));
    };
    EXPECT_THAT(left(plain("far", 10)), ElementsAre("far", "near"));
    EXPECT_THAT(left(billed_from_allocation("far", 10)), ElementsAre("near"));
    EXPECT_THAT(left(billed_from_allocation("far", 4)), ElementsAre("near", "far"));  // 110.2 against 88
}

/// 08:00 to 11:26:37 UTC at 10, from 10:00 on at 4: two hours, and 5 197 s.
TEST(billing_start, the_hours_of_the_wait_have_their_own_price) {
    offer o = billed_from_allocation("far", 10);
    o.schedule = {0, {{price_window::every_day, 10 * 60, 12 * 60, 4'000'000'000}}};
    const decision made = built::decide_on({o}, on_eight_cards());
    const double each = 2 * 10 + 5'197 / 3600.0 * 4;
    EXPECT_THAT(made.ranked.at(0).cost_base, DoubleNear(8 * each, 1e-9));
    EXPECT_EQ(made.ranked[0].cost, (money{206'195'556, currency::cny}));
    EXPECT_EQ(made.ranked[0].billed_s, whole_s);
    workload_spec spec = on_eight_cards();
    spec.budget = money{206'195'555, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec)), rejection::budget);
    o.billing_starts = billing_start::run;  // 10:26:36.1 to 11:26:36.1
    EXPECT_THAT(built::decide_on({o}, on_eight_cards()).ranked.at(0).cost_base, DoubleNear(8 * 4, 1e-9));
}

/// From 08:00 on, 10 until noon and 2 after it: at best the machines are given at noon, and not the run begun.
TEST(billing_start, waits_until_the_data_are_brought_at_the_low_price) {
    offer o = billed_from_allocation("far", 10);
    o.schedule = {0, {{price_window::every_day, 12 * 60, 24 * 60, 2'000'000'000}}};
    workload_spec spec = on_eight_cards();
    spec.when.max_delay_s = 8 * 3600;
    const auto start_of = [&] {
        return built::decide_on({o}, spec).ranked.at(0).start_at - built::now;
    };
    EXPECT_EQ(start_of(), seconds(4 * 3600) + milliseconds(8'796'094));
    o.billing_starts = billing_start::run;
    EXPECT_EQ(start_of(), seconds(4 * 3600));
}

TEST(billing_start, a_service_pays_by_the_hour_as_ever) {
    workload_spec spec = on_eight_cards();
    spec.kind = workload_kind::service;
    const decision made = built::decide_on({billed_from_allocation("far", 10), plain("near", 11)}, spec);
    ASSERT_THAT(built::sites_of(made), ElementsAre("far", "near"));
    EXPECT_EQ(made.ranked[0].billed_s, 3600u);
    EXPECT_DOUBLE_EQ(made.ranked[0].cost_base, 80);
}

}  // namespace
}  // namespace westerly
