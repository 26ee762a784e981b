#include "broker/placement/overrides.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

constexpr std::int64_t one = 1'000'000'000;

/// Latency may be priced from 0.05 to 1, time without end, within_of_cheapest up to 1; nothing else may be set.
policy bounded() {
    policy p;
    p.name = "house";
    p.version = "sha256:0123456789ab";
    p.prices = {{.term = "latency", .per_unit = 0.10, .weight = 2, .reference = 5},
                {.term = "carbon", .per_unit = 0.2}};
    p.max_pue = 1.5;
    p.overrides.prices = {
        {.term = "green_power"}, {.term = "latency", .min_nanos = one / 20, .max_nanos = one}, {.term = "time"}};
    p.overrides.within_of_cheapest = number_bounds{0, 1};
    return p;
}

policy_overrides latency_at(std::int64_t nanos) {
    policy_overrides asked;
    asked.prices = {{"latency", {nanos, currency::cny}}};
    return asked;
}

workload_spec asking(const policy_overrides& asked) {
    workload_spec spec;
    spec.overrides = asked;
    return spec;
}

workload_spec valuing(std::int64_t nanos_an_hour) {
    workload_spec spec;
    spec.when.value_of_time = unit_price{nanos_an_hour, currency::cny};
    return spec;
}

TEST(overrides, bounds_belong_to_what_is_allowed) {
    for (const auto& [nanos, allowed] :
         {std::pair{one / 20 - 1, false}, {one / 20, true}, {one, true}, {one + 1, false}})
        EXPECT_EQ(check_overrides(bounded(), asking(latency_at(nanos))).has_value(), allowed) << nanos;
}

TEST(overrides, a_fault_names_the_field_and_the_bound) {
    policy_overrides asked = latency_at(2 * one);
    asked.prices.push_back({"rtt", {one, currency::cny}});
    asked.within_of_cheapest = 1.5;
    asked.max_pue = 1.2;
    const auto refused = check_overrides(bounded(), asking(asked));
    ASSERT_FALSE(refused);
    const auto& faults = refused.error().faults;
    ASSERT_EQ(faults.size(), 4u);
    EXPECT_EQ(faults[0].pointer, "/policy/overrides/prices/latency");
    EXPECT_EQ(faults[0].message, "2 CNY is outside what the policy \"house\" allows: 0.05 CNY to 1 CNY.");
    EXPECT_EQ(faults[1].pointer, "/policy/overrides/prices/rtt");
    EXPECT_EQ(faults[1].message, "The policy \"house\" does not let workloads set prices/rtt.");
    EXPECT_EQ(faults[2].pointer, "/policy/overrides/within_of_cheapest");
    EXPECT_EQ(faults[2].message, "1.5 is outside what the policy \"house\" allows: 0 to 1.");
    EXPECT_EQ(faults[3].pointer, "/policy/overrides/max_pue");
    EXPECT_EQ(refused.error().code, errc::invalid);
}

TEST(overrides, a_policy_without_bounds_allows_none) {
    policy plain = bounded();
    plain.overrides = {};
    EXPECT_TRUE(check_overrides(plain, {}));
    EXPECT_FALSE(check_overrides(plain, asking(latency_at(one / 10)))) << "not even the file's own figure";
}

TEST(overrides, pricing_carbon_and_green_power_both_is_counted_twice) {
    policy_overrides asked;
    asked.prices = {{"green_power", {one, currency::cny}}};
    const auto refused = check_overrides(bounded(), asking(asked));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().faults.front().pointer, "/policy/overrides/prices/green_power");
    EXPECT_NE(refused.error().detail.find("counted twice"), std::string::npos);
    asked.prices.front().second.nanos = 0;
    EXPECT_TRUE(check_overrides(bounded(), asking(asked)));
    policy meant = bounded();
    meant.counted_twice_meant = true;
    asked.prices.front().second.nanos = one;
    EXPECT_TRUE(check_overrides(meant, asking(asked)));
}

TEST(overrides, the_effective_policy_has_the_workloads_figures) {
    policy_overrides asked = latency_at(one / 2);
    asked.prices.push_back({"time", {3 * one, currency::cny}});
    asked.within_of_cheapest = 0.25;
    const policy made = effective_policy(bounded(), asking(asked));
    ASSERT_EQ(made.prices.size(), 3u);
    EXPECT_EQ(made.prices[0].per_unit, 0.5);
    EXPECT_EQ(made.prices[0].reference, 0) << "a price that was set is not implied by a weight";
    EXPECT_EQ(made.prices[1], bounded().prices[1]);
    EXPECT_EQ(made.prices[2].term, "time");
    EXPECT_EQ(made.prices[2].per_unit, 3);
    EXPECT_EQ(made.within_of_cheapest, 0.25);
    EXPECT_EQ(made.max_pue, 1.5);
    EXPECT_EQ(made.overridden, (std::vector<std::string>{"prices.latency: 0.1 → 0.5", "prices.time: – → 3",
                                                         "within_of_cheapest: – → 0.25"}));
}

TEST(overrides, the_version_names_the_file_and_what_was_asked) {
    const auto version = [](const policy_overrides& asked) {
        return effective_policy(bounded(), asking(asked)).version;
    };
    EXPECT_EQ(version({}), bounded().version);
    const auto half = version(latency_at(one / 2));
    EXPECT_TRUE(half.starts_with(bounded().version + "+overrides:")) << half;
    EXPECT_EQ(half.size(), bounded().version.size() + std::string("+overrides:").size() + 12);
    EXPECT_EQ(half, version(latency_at(one / 2)));
    EXPECT_NE(half, version(latency_at(one / 2 + 1))) << "the last of nine decimals counts";
}

TEST(value_of_time, takes_the_place_of_the_policys_price_of_time) {
    policy house = bounded();
    house.prices.push_back({.term = "time", .per_unit = 5});
    const policy made = effective_policy(house, valuing(20 * one));
    ASSERT_EQ(made.prices.size(), 3u);
    EXPECT_EQ(made.prices[2].per_unit, 20) << "the same hour is not counted twice";
    EXPECT_TRUE(made.overridden.empty()) << "a note of its own tells it";
    EXPECT_NE(made.version, house.version);
    policy_overrides same;
    same.prices = {{"time", {20 * one, currency::cny}}};
    EXPECT_EQ(made.version, effective_policy(house, asking(same)).version) << "the same figures";
}

TEST(value_of_time, is_held_against_the_policys_bounds) {
    policy house = bounded();
    house.overrides.prices.back().max_nanos = 20 * one;
    EXPECT_TRUE(check_overrides(house, valuing(20 * one)));
    const auto above = check_overrides(house, valuing(20 * one + 1));
    ASSERT_FALSE(above);
    EXPECT_EQ(above.error().faults.front().pointer, "/timing/value_of_time");
    EXPECT_EQ(above.error().faults.front().message,
              "20.000000001 CNY is outside what the policy \"house\" allows: 0 CNY to 20 CNY.");
    house.overrides.prices.clear();
    const auto locked = check_overrides(house, valuing(one));
    ASSERT_FALSE(locked);
    EXPECT_EQ(locked.error().faults.front().message,
              "The policy \"house\" does not let workloads set timing/value_of_time.");
}

TEST(value_of_time, leaves_an_order_as_it_is) {
    policy order;
    order.name = "nearest";
    order.order_service = order.order_interactive = order.order_batch = {{"cost", 0}};
    EXPECT_FALSE(check_overrides(order, valuing(one))) << "refused, not ignored";
    EXPECT_EQ(effective_policy(order, valuing(one)), order) << "as comparisons of policies see it";
}

}  // namespace
}  // namespace westerly
