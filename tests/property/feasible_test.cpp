#include "broker/placement/feasible.hpp"

#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace westerly::laws {
namespace {

/// What an assignment weighs is what a decision ranks: the same offers in the same order at the same J, to the bit.
TEST(feasible_offers, begin_with_what_decide_ranks) {
    std::uint64_t compared = 0;
    for (std::uint64_t seed = 1; seed <= 9'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = random_world(chance);
        const offer_book book = w.book();
        const decision made = w.decide();
        const auto all = feasible_offers(book, w.rules, built_in_terms(), w.spec, w.surroundings());
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

}  // namespace
}  // namespace westerly::laws
