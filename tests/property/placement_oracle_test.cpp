#include "broker/placement/compare.hpp"
#include "tests/property/oracle.hpp"
#include "tests/property/oracle_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

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
void expect_same_order(const std::vector<const judged*>& right, const std::vector<appraisal>& ranked, const world& w) {
    // Some offers are worked out by themselves: prices by the hour are summed otherwise than plain ones are multiplied,
    // and starts that dates bound are looked for one by one. What is equal here may differ there by rounding.
    const auto alone = [&](const offer& o) {
        return !o.schedule.empty() || o.supply.price_until || (o.accelerators && !rules_of(w).empty());
    };
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
        const bool either = alone(*right[i]->at) || alone(*(*at)->at);
        EXPECT_TRUE((between > 0 || either) && between < rounding)
            << ranked[i].offer << " in the place of " << right[i]->at->id;
    }
}

/// Of each offer the start that is as good as the oracle's, to the whole millisecond. P(late) apart, which may be less
/// between the bends.
void expect_as_good(const std::vector<const judged*>& right, const std::vector<appraisal>& ranked, const world& w) {
    const auto is_risk = [](const auto& of) {
        return of.term == "risk";
    };
    if (std::ranges::any_of(w.rules.prices, is_risk) || std::ranges::any_of(w.rules.order_batch, is_risk))
        return;
    for (const appraisal& a : ranked) {
        const auto its =
            std::find_if(right.begin(), right.end(), [&](const judged* j) { return j->at->id == a.offer; });
        const std::vector<double> keys = a.keys.empty() ? std::vector<double>{a.j} : a.keys;
        for (std::size_t k = 0; k < keys.size(); ++k)
            EXPECT_NEAR(keys[k], (*its)->keys[k], 1e-4 * std::max(1.0, std::abs(keys[k]))) << a.offer << " key " << k;
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
        expect_same_order(right.ranked, made.ranked, w);
        if (HasFailure())
            return;
        feasible += !right.ranked.empty();
        for (const auto& [why, count] : counts)
            seen[why] += count;
    }
    EXPECT_GT(feasible, worlds / 5);  // else the worlds are too harsh to tell anything
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
        ASSERT_EQ(planned.rejected_more, 0u);
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
        w.rules.within_of_least.reset();
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

/// The plain way: every feasible offer against every other.
TEST(placement_oracle, the_pareto_set_is_what_nothing_beats) {
    std::uint64_t several = 0;
    for (std::uint64_t seed = 5'000'001; seed <= 5'000'000 + worlds / 4; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        w.rules = {};
        demand want;
        const offer_book book = w.book();
        resolve(book, w.rules, built_in_terms(), w.spec, w.surroundings(), want);
        std::vector<appraisal> all;
        const ranking_rule by_cost;
        const decision_world around = w.surroundings();
        const comparison by{book, want, w.rules, w.spec, around, built_in_terms(), by_cost};
        for (std::uint32_t i = 0; i < book.size(); ++i)
            if (verdict(book, want, i) == passes)
                all.push_back(appraise(by, i));
        std::vector<offer_id> front;
        for (const auto& one : pareto_front(book, want))
            front.push_back(book.at(one.index).id);
        several += front.size() > 1;
        // Of equals the front tells one, the plain way all.
        const auto undominated = pareto_set(all, want.request.waits_at_it);
        for (const auto& id : front)
            ASSERT_NE(std::ranges::find(undominated, id), undominated.end()) << id;
        const auto respects = [&](const offer_id& id) {
            const auto at = std::ranges::find(all, id, &appraisal::offer);
            return std::tuple(at->cost_base, want.request.waits_at_it ? at->rtt_ms : std::nullopt, at->carbon_kg,
                              at->green_power_share, at->finish_at);
        };
        for (const auto& id : undominated)
            ASSERT_TRUE(std::ranges::any_of(front, [&](const auto& told) { return respects(told) == respects(id); }))
                << id;
        const plan_result planned = w.plan();
        const bool best = !planned.made.ranked.empty() &&
                          std::ranges::find(undominated, planned.made.ranked.front().offer) != undominated.end();
        ASSERT_EQ(best, std::ranges::any_of(planned.pareto, [&](const appraisal& told) {
                      return told.offer == planned.made.ranked.front().offer;
                  }));
    }
    EXPECT_GT(several, worlds / 40);
}

/// Each size judged by itself, and each offer taken at its best.
std::map<offer_id, judged> best_at_any_size(const world& w) {
    std::map<offer_id, judged> best;
    for (std::uint32_t size = w.spec.tasks; size <= w.spec.tasks_max; ++size) {
        world sized = w;
        sized.spec.tasks = size;
        sized.spec.tasks_max = 0;
        const judgement right = judge(sized, false);
        for (const judged* j : right.ranked) {
            const auto at = best.find(j->at->id);
            if (at != best.end() && at->second.keys <= j->keys)
                continue;
            best.insert_or_assign(j->at->id, *j);
        }
    }
    return best;
}

TEST(placement_oracle, a_range_of_sizes_is_decided_as_each_size_by_itself) {
    std::uint64_t several = 0;
    for (std::uint64_t seed = 4'000'001; seed <= 4'000'000 + worlds / 4; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        w.rules.within_of_cheapest.reset();
        w.rules.within_of_least.reset();
        w.spec.tasks_max = w.spec.tasks + static_cast<std::uint32_t>(1 + chance.below(5));
        const auto right = best_at_any_size(w);
        const decision made = w.decide();
        ASSERT_EQ(made.ranked.empty(), right.empty());
        if (right.empty())
            continue;
        const auto keys_of = [](const appraisal& a) {
            return a.keys.empty() ? std::vector<double>{a.j} : a.keys;
        };
        const auto least = std::ranges::min_element(right, {}, [](const auto& entry) { return entry.second.keys; });
        const auto won = keys_of(made.ranked.front());
        for (std::size_t k = 0; k < won.size(); ++k)
            ASSERT_NEAR(won[k], least->second.keys[k], 1e-6 * std::max(1.0, std::abs(won[k])));
        several += made.ranked.front().tasks != w.spec.tasks;
    }
    EXPECT_GT(several, worlds / 4 / 1000);
}

/// Every undominated point of every size by itself, each against all others.
TEST(placement_oracle, the_pareto_set_of_a_range_is_over_all_its_sizes) {
    std::uint64_t several = 0;
    for (std::uint64_t seed = 6'000'001; seed <= 6'000'000 + worlds / 10; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        w.rules.within_of_cheapest.reset();
        w.rules.within_of_least.reset();
        w.spec.tasks_max = w.spec.tasks + static_cast<std::uint32_t>(1 + chance.below(5));
        const plan_result planned = w.plan();
        const auto& told = planned.pareto;
        const offer_id w_won = planned.made.ranked.empty() ? offer_id{} : planned.made.ranked.front().offer;
        const std::uint32_t size_won = planned.made.ranked.empty() ? 0 : planned.made.ranked.front().tasks;
        const bool rtt_counts = w.spec.kind == workload_kind::service || w.spec.interactive;
        const auto respects = [&](const appraisal& a) {
            return std::array<double, 5>{a.cost_base, rtt_counts ? a.rtt_ms.value_or(INFINITY) : 0,
                                         a.carbon_kg.value_or(INFINITY),
                                         a.green_power_share ? -*a.green_power_share : INFINITY,
                                         static_cast<double>(a.finish_at.time_since_epoch().count())};
        };
        std::set<std::array<double, 5>> all, left, found;
        for (std::uint32_t size = w.spec.tasks; size <= w.spec.tasks_max; ++size) {
            world sized = w;
            sized.spec.tasks = size;
            sized.spec.tasks_max = 0;
            for (const auto& a : sized.plan().pareto)
                all.insert(respects(a));
        }
        for (const auto& one : all)
            if (std::ranges::none_of(all, [&](const auto& other) {
                    return other != one && std::ranges::equal(other, one, std::less_equal<>());
                }))
                left.insert(one);
        std::size_t besides = 0;
        for (const auto& a : told) {
            found.insert(respects(a));
            besides += a.offer == w_won && a.tasks == size_won;
        }
        ASSERT_LE(told.size() - found.size(), besides) << "of equals one is told, and the winner";
        if (left.size() < pareto_max) {
            ASSERT_EQ(found, left);
        }
        several += std::ranges::any_of(told, [&](const auto& a) { return a.tasks != told.front().tasks; });
    }
    EXPECT_GE(several, worlds / 4000);  // a few hundred worlds may have none
}

/// Offer and start together, against trying every start at every offer.
TEST(placement_oracle, chooses_starts_as_trying_all_of_them_does) {
    std::uint64_t put_off = 0, for_prices = 0, for_dates = 0;
    for (std::uint64_t seed = 4'000'001; seed <= 4'000'000 + worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = random_world_with_signals(chance);
        const judgement right = judge(w, false);
        const decision made = w.decide();
        const auto counts = counts_of(right);
        ASSERT_EQ(made.rejections, (std::vector<std::pair<rejection, std::uint32_t>>(counts.begin(), counts.end())));
        expect_same_order(right.ranked, made.ranked, w);
        if (HasFailure())
            return;
        expect_as_good(right.ranked, made.ranked, w);
        put_off += made.put_off.has_value();
        const bool by_hour = made.put_off && !w.offer_of(made.ranked.front().offer).schedule.empty();
        for_prices += by_hour;
        const bool by_date = made.put_off && made.put_off->start_at == made.put_off->at_once_at;
        for_dates += by_date;
        const bool limited = w.spec.limits.max_carbon_kg ||
                             (by_hour && (w.spec.budget || w.around.budget_left || w.spec.limits.max_price_per_hour ||
                                          w.rules.within_of_cheapest));
        if (made.put_off && !w.rules.ordered() && !limited && !by_date) {
            EXPECT_GT(made.put_off->saved_base, 0);
        }
    }
    EXPECT_GT(put_off, worlds / 50);
    EXPECT_GT(for_prices, worlds / 500);
    EXPECT_GT(for_dates, worlds / 500);
}

/// Fit at the size that it is ranked at; worlds of one size are held against the oracle above.
TEST(placement_oracle, no_ranked_offer_is_unfit_and_none_is_ranked_twice) {
    std::uint64_t larger = 0;
    for (std::uint64_t seed = 3'000'001; seed <= 3'000'000 + worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = any_world(chance, seed);
        const decision made = w.decide();
        auto ids = ids_of(made.ranked);
        std::ranges::sort(ids);
        ASSERT_EQ(std::ranges::adjacent_find(ids), ids.end());
        if (w.spec.tasks_max == 0)
            continue;
        std::map<std::uint32_t, std::vector<offer_id>> by_size;
        for (const auto& a : made.ranked)
            by_size[a.tasks].push_back(a.offer);
        for (const auto& [size, ranked] : by_size) {
            world sized = w;
            sized.spec.tasks = size;
            sized.spec.tasks_max = 0;
            const judgement right = judge(sized, false);
            for (const auto& id : ranked)
                ASSERT_TRUE(std::ranges::any_of(right.ranked, [&](const judged* j) { return j->at->id == id; }))
                    << id << " at " << size;
            larger += size > w.spec.tasks ? ranked.size() : 0;
        }
    }
    EXPECT_GT(larger, worlds / 1000);
}

}  // namespace
}  // namespace westerly::laws
