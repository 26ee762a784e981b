#include "broker/placement/feasible.hpp"

#include "broker/placement/demand.hpp"
#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace westerly::laws {
namespace {

/// What an assignment weighs is what a decision ranks: the same offers in the same order at the same J, to the bit.
TEST(feasible_offers, begin_with_what_decide_ranks) {
    std::uint64_t compared = 0;
    for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = random_world(chance);
        const offer_book book = w.book();
        const decision made = w.decide();
        const auto all = feasible_offers(book, w.effective(), built_in_terms(), w.spec, w.surroundings());
        const auto passed = made.considered - [&] {
            std::uint32_t rejected = 0;
            for (const auto& [why, count] : made.rejections)
                rejected += count;
            return rejected;
        }();
        ASSERT_EQ(all.size(), passed);
        if (w.around.plan_only_too)
            continue;  // a plan may show the best launchable offer in the last place
        for (std::size_t i = 0; i < made.ranked.size(); ++i) {
            ASSERT_EQ(book.at(all[i].index).id, made.ranked[i].offer);
            if (!w.rules.ordered()) {
                ASSERT_EQ(all[i].j, made.ranked[i].j);
            }
            ASSERT_EQ(all[i].cost_base, made.ranked[i].cost_base);
            ASSERT_EQ(all[i].units, made.ranked[i].units);
            ++compared;
        }
    }
    EXPECT_GT(compared, 5'000u);
}

/// What an offer with hourly prices is said to cost at a later start is what it costs to whoever decides then.
TEST(feasible_offers, tell_what_later_starts_cost_as_later_decisions_do) {
    std::uint64_t compared = 0, limited = 0;
    for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        if (w.rules.within_of_cheapest || std::ranges::all_of(w.offers, [](auto& o) { return o.schedule.empty(); }))
            continue;
        w.spec.when = {};  // nothing but the price is another then
        for (offer& o : w.offers)
            o.supply.available_from.reset();
        const offer_book book = w.book();
        std::vector<hourly_costs> hours;
        const auto now = feasible_offers(book, w.rules, built_in_terms(), w.spec, w.surroundings(), &hours);
        const instant decided = w.around.now;
        for (int starts = 0; starts < 8; ++starts) {
            const milliseconds delay(static_cast<std::int64_t>(chance.below(7 * 96)) * 900'000);
            w.around.now = decided + delay;
            const auto then = feasible_offers(book, w.rules, built_in_terms(), w.spec, w.surroundings());
            for (const feasible_offer& each : now) {
                if (each.hours == price_is_one)
                    continue;
                const auto same = std::ranges::find(then, each.index, &feasible_offer::index);
                const hourly_costs::at_start told = hours[each.hours].at(delay.count());
                limited += told.code != passes;
                ASSERT_EQ(same != then.end() && told.code != passes, false);
                if (same == then.end())
                    continue;  // a limit, or too old by then
                ASSERT_EQ(told.cost_base, same->cost_base);
                // Measured latencies grow too old on the way.
                const bool as_near =
                    each.rtt_ms == same->rtt_ms || (std::isnan(each.rtt_ms) && std::isnan(same->rtt_ms));
                if (!w.rules.ordered() && as_near) {
                    ASSERT_NEAR(told.cost_base + hours[each.hours].rest_base, same->j, 1e-9 * std::abs(same->j));
                }
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 300u);
    EXPECT_GT(limited, 5u);
}

}  // namespace
}  // namespace westerly::laws
