#include "broker/placement/fair_use.hpp"

#include "broker/placement/assign.hpp"
#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly::laws {
namespace {

constexpr instant begun{milliseconds(1'770'000'000'000)};

struct change {
    instant at;
    std::int64_t micros_per_h;
};

/// Leases taken and given back, in order of time; each is given back after it was taken.
std::vector<change> random_changes(dice& chance) {
    std::vector<change> all;
    for (std::uint64_t i = chance.below(12); i > 0; --i) {
        const auto rate = static_cast<std::int64_t>(chance.below(50'000'000'000));
        const auto from = begun + milliseconds(chance.below(30ull * 86'400'000));
        all.push_back({from, rate});
        if (!chance.once_in(3))
            all.push_back({from + milliseconds(1 + chance.below(10ull * 86'400'000)), -rate});
    }
    std::ranges::stable_sort(all, {}, &change::at);
    return all;
}

fair_use after(const std::vector<change>& all, instant until) {
    fair_use account;
    for (const change& each : all)
        if (each.at <= until)
            account.hold(each.micros_per_h, each.at);
    return account;
}

/// By hand, in steps of an hour: what is had in an hour is had at its middle.
double by_the_hour(const std::vector<change>& all, instant until) {
    double used = 0;
    for (instant at = begun; at < until; at += std::chrono::hours(1)) {
        double held = 0;
        const instant middle = at + std::chrono::minutes(30);
        for (const change& each : all)
            if (each.at <= middle)
                held += static_cast<double>(each.micros_per_h) * 1e-6;
        const double hours = static_cast<double>(std::min<std::int64_t>((until - at).count(), 3'600'000)) / 3.6e6;
        used = decayed_use(used, 3600 * hours) + held * hours;
    }
    return used;
}

TEST(fair_use, is_the_sum_by_the_hour_and_does_not_depend_on_when_one_looks) {
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        dice chance(seed);
        const auto all = random_changes(chance);
        const instant until = begun + milliseconds(chance.below(45ull * 86'400'000));
        fair_use account = after(all, until);
        const double used = account.used_at(until);
        EXPECT_GE(used, 0) << seed;
        double most = 0;  // all that it ever held, for the hours that the steps may be off
        for (const change& each : all)
            most += std::abs(static_cast<double>(each.micros_per_h)) * 1e-6;
        EXPECT_NEAR(used, by_the_hour(all, until), most * 1.0 + used * 3e-3) << seed;

        fair_use stepwise(0, begun);
        for (const change& each : all) {
            for (std::uint64_t i = chance.below(3); i > 0 && stepwise.as_of() < std::min(each.at, until); --i)
                stepwise.move_to(stepwise.as_of() + (std::min(each.at, until) - stepwise.as_of()) / 2);
            if (each.at <= until)
                stepwise.hold(each.micros_per_h, each.at);
        }
        EXPECT_NEAR(stepwise.used_at(until), used, 1e-9 * (1 + used)) << seed;
    }
}

TEST(fair_use, halves_in_a_week_and_gives_back_to_the_last_digit) {
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        dice chance(seed);
        fair_use account;
        std::vector<std::int64_t> held;
        instant now = begun;
        for (int i = 0; i < 40; ++i) {
            now += milliseconds(chance.below(86'400'000));
            if (held.empty() || chance.once_in(2)) {
                held.push_back(static_cast<std::int64_t>(chance.below(1'000'000'000'000)));
                account.hold(held.back(), now);
            } else {
                account.give_back(held.back(), now);
                held.pop_back();
            }
        }
        for (const auto each : held)
            account.give_back(each, now);
        EXPECT_EQ(account.held_micros_per_h(), 0);
        const double used = account.used_at(now);
        EXPECT_NEAR(account.used_at(now + std::chrono::hours(7 * 24)), used / 2, 1e-12 * (1 + used)) << seed;
        EXPECT_EQ(account.served_at(now, 2.0), used / 2.0) << seed;
        EXPECT_EQ(account.used_at(now - seconds(5)), used) << "a clock that was set back halves nothing";
    }
}

TEST(fair_use, more_held_and_less_weight_is_more_served) {
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        dice chance(seed);
        fair_use one(chance.between(0, 1e6), begun), other = one;
        const auto rate = 1 + static_cast<std::int64_t>(chance.below(1'000'000'000));
        one.hold(rate, begun);
        other.hold(rate * 2, begun);
        const instant now = begun + milliseconds(chance.below(86'400'000));
        EXPECT_LT(one.served_at(now, 1), other.served_at(now, 1)) << seed;
        EXPECT_LT(one.served_at(now, 3), one.served_at(now, 1)) << seed;
    }
}

/// Of an owned reservation the fee's share is billed, and the list price counts.
TEST(fair_use, a_lease_counts_at_its_list_price_and_rates) {
    lease terms;
    terms.price = {2'000'000'000, currency::usd};
    terms.rates.usd_nanos = 7'100'000'000;
    terms.units = 3;
    EXPECT_EQ(held_micros_per_h(terms), 42'600'000);
    terms.list_price = unit_price{3'000'000'000, currency::usd};
    EXPECT_EQ(held_micros_per_h(terms), 63'900'000) << "3 x 3 USD x 7.1";
    terms.units = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(held_micros_per_h(terms), 9'000'000'000'000);
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        dice chance(seed);
        const auto price = [&] {
            return unit_price{static_cast<std::int64_t>(chance.below(100'000'000'000)),
                              chance.once_in(2) ? currency::usd : currency::cny};
        };
        lease drawn;
        drawn.price = price();
        drawn.rates.usd_nanos = static_cast<std::int64_t>(6'000'000'000 + chance.below(2'000'000'000));
        drawn.units = 1 + chance.below(100);
        unit_price counts = drawn.price;
        if (chance.once_in(2)) {
            counts = {static_cast<std::int64_t>(chance.below(100'000'000'000)), drawn.price.unit};
            drawn.list_price = counts;
        }
        const double in_cny = static_cast<double>(counts.nanos) * 1e-9 *
                              (counts.unit == currency::usd ? static_cast<double>(drawn.rates.usd_nanos) * 1e-9 : 1.0);
        EXPECT_NEAR(static_cast<double>(held_micros_per_h(drawn)),
                    std::min(9e12, in_cny * 1e6 * static_cast<double>(drawn.units)), 1)
            << seed;
    }
}

}  // namespace
}  // namespace westerly::laws
