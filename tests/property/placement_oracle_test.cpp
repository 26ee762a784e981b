#include "tests/property/oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace westerly::laws {
namespace {

constexpr double rounding = 1e-9;  // the oracle multiplies in another order

std::map<rejection, std::uint32_t> counts_of(const judgement& right) {
    std::map<rejection, std::uint32_t> counts;
    for (const auto& j : right.all)
        if (j.why)
            ++counts[*j.why];
    return counts;
}

std::vector<offer_id> ids_of(const std::vector<appraisal>& ranked) {
    std::vector<offer_id> ids;
    for (const auto& a : ranked)
        ids.push_back(a.offer);
    return ids;
}

/// The same order, except where the oracle itself sees no more than rounding between two neighbours.
void expect_same_order(const std::vector<const judged*>& right, const std::vector<appraisal>& ranked) {
    ASSERT_EQ(ranked.size(), std::min(right.size(), ranked_max));
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        if (right[i]->at->id == ranked[i].offer)
            continue;
        const auto same = [&](const judged* j) {
            return j->at->id == ranked[i].offer;
        };
        const auto at = std::find_if(right.begin(), right.end(), same);
        ASSERT_NE(at, right.end()) << ranked[i].offer << " is not feasible";
        const double between = gap(**at, *right[i]);
        EXPECT_TRUE(between > 0 && between < rounding) << ranked[i].offer << " in the place of " << right[i]->at->id;
    }
}

TEST(placement_oracle, decides_as_the_row_by_row_oracle_does) {
    std::uint64_t feasible = 0;
    std::map<rejection, std::uint64_t> seen;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = random_world(chance);
        const judgement right = judge(w, false);
        const decision made = w.decide();
        ASSERT_EQ(made.considered, w.offers.size());
        const auto counts = counts_of(right);
        ASSERT_EQ(made.rejections, (std::vector<std::pair<rejection, std::uint32_t>>(counts.begin(), counts.end())));
        expect_same_order(right.ranked, made.ranked);
        if (HasFailure())
            return;
        feasible += !right.ranked.empty();
        for (const auto& [why, count] : counts)
            seen[why] += count;
    }
    EXPECT_GT(feasible, worlds * 3 / 10);  // else the worlds are too harsh to tell anything
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(rejection::count_)) << "a filter was never the first to fail";
}

TEST(placement_oracle, plans_as_the_oracle_does_and_agrees_with_decide) {
    for (std::uint64_t seed = 1'000'001; seed <= 1'000'000 + worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        const decision launched = w.decide();
        w.around.plan_only_too = true;
        const judgement right = judge(w, true);
        const plan_result planned = w.plan();
        std::vector<std::pair<offer_id, rejection>> rejected;
        for (const auto& j : right.all)
            if (j.why)
                rejected.emplace_back(j.at->id, *j.why);
        ASSERT_EQ(planned.rejected, rejected);
        const auto first = std::ranges::find_if(planned.made.ranked, &appraisal::launchable);
        ASSERT_EQ(first != planned.made.ranked.end(), !launched.ranked.empty());
        if (!launched.ranked.empty()) {
            ASSERT_EQ(first->offer, launched.ranked.front().offer);
        }
    }
}

TEST(placement_oracle, the_baseline_is_the_cheapest_feasible) {
    for (std::uint64_t seed = 2'000'001; seed <= 2'000'000 + worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        w.rules.within_of_cheapest.reset();
        const judgement right = judge(w, false);
        const decision made = w.decide();
        ASSERT_EQ(made.baseline.has_value(), !right.ranked.empty());
        if (!made.baseline)
            continue;
        double least = right.ranked.front()->cost;
        for (const judged* j : right.ranked)
            least = std::min(least, j->cost);
        ASSERT_NEAR(made.baseline->cost_base, least, rounding * std::max(1.0, least));
    }
}

TEST(placement_oracle, no_ranked_offer_is_unfit_and_none_is_ranked_twice) {
    for (std::uint64_t seed = 3'000'001; seed <= 3'000'000 + worlds; ++seed) {
        dice chance(seed);
        const world w = random_world(chance);
        auto ids = ids_of(w.decide().ranked);
        std::ranges::sort(ids);
        EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace westerly::laws
