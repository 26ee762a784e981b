#include "broker/domain/owned.hpp"
#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace westerly::laws {
namespace {

/// A world whose decision stands in price form, without a reference to the cheapest.
world priced_world(std::uint64_t seed) {
    dice chance(seed);
    world w = any_world(chance, seed);
    policy priced = random_priced_policy(chance);
    priced.max_delay_s = w.rules.max_delay_s;
    priced.compliance = w.rules.compliance;
    w.rules = std::move(priced);
    price_risk(chance, w.rules);
    return w;
}

/// That the worlds of a law are such as their kinds say.
struct tally {
    std::uint64_t put_off = 0, sized = 0;
    void see(const world& w, const decision& made) {
        put_off += made.put_off.has_value();
        sized += !made.ranked.empty() && made.ranked.front().tasks != w.spec.tasks;
    }
    void expect_some() const {
        EXPECT_GT(put_off, worlds / 200);
        EXPECT_GT(sized, worlds / 50'000);
    }
};

std::vector<offer_id> order_without(const decision& made, const offer_id& left_out) {
    std::vector<offer_id> ids;
    for (const auto& a : made.ranked)
        if (a.offer != left_out)
            ids.push_back(a.offer);
    return ids;
}

std::size_t place_of(const decision& made, const offer_id& id) {
    const auto at = std::ranges::find(made.ranked, id, &appraisal::offer);
    return static_cast<std::size_t>(at - made.ranked.begin());
}

/// Two lists that one decision truncates later than the other agree as far as both go.
void expect_common_prefix(const std::vector<offer_id>& a, const std::vector<offer_id>& b) {
    const std::size_t both = std::min(a.size(), b.size());
    EXPECT_TRUE(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(both), b.begin()));
}

TEST(placement_laws, dearer_never_ranks_better) {
    tally seen;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        world w = priced_world(seed);
        const decision before = w.decide();
        seen.see(w, before);
        if (before.ranked.empty())
            continue;
        const offer_id id = before.ranked[seed % before.ranked.size()].offer;
        const auto at = std::ranges::find(w.offers, id, &offer::id);
        unit_price dearer = *ranked_price(*at);
        dearer.nanos += static_cast<std::int64_t>(1 + seed % 1'000'000'000);
        (is_owned(*at) ? at->supply.shadow_price : at->price) = dearer;
        const decision after = w.decide();
        ASSERT_GE(place_of(after, id), std::min(place_of(before, id), after.ranked.size()));
        expect_common_prefix(order_without(before, id), order_without(after, id));
        if (HasFailure())
            return;
    }
    seen.expect_some();
}

TEST(placement_laws, one_more_offer_never_reorders_the_rest) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = any_world(chance, seed);
        w.rules.within_of_cheapest.reset();
        w.rules.within_of_least.reset();
        const decision before = w.decide();
        offer added = random_offer(chance, w.offers[chance.below(w.offers.size())].site, "p9", 1);
        w.offers.push_back(added);
        const decision after = w.decide();
        expect_common_prefix(order_without(before, added.id), order_without(after, added.id));
        if (HasFailure())
            return;
    }
}

TEST(placement_laws, the_currency_changes_no_order) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        world w = priced_world(seed);
        w.around.rates.usd_nanos = 8'000'000'000;  // a power of two, so that each rounding is the same in both
        const decision in_cny = w.decide();
        w.around.rates.base = currency::usd;
        for (auto& price : w.rules.prices)
            price.per_unit /= 8;
        if (auto& an_hour = w.spec.when.value_of_time)  // whole money of 10^9 nanos
            an_hour->nanos /= 8;
        const decision in_usd = w.decide();
        ASSERT_EQ(order_without(in_cny, ""), order_without(in_usd, ""));
        for (std::size_t i = 0; i < in_cny.ranked.size(); ++i) {
            ASSERT_EQ(in_cny.ranked[i].cost, in_usd.ranked[i].cost);  // the offer's own money
            ASSERT_NEAR(in_cny.ranked[i].j, in_usd.ranked[i].j * 8, 1e-9 * std::max(1.0, in_cny.ranked[i].j));
        }
    }
}

/// Whole money keeps its order, and its ties, through any rate.
TEST(placement_laws, money_alone_ranks_alike_at_any_rate) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        world w = priced_world(seed);
        w.rules.prices.clear();
        w.spec.when.value_of_time.reset();
        w.spec.inputs.clear();
        const decision in_cny = w.decide();
        w.around.rates.base = currency::usd;
        ASSERT_EQ(order_without(in_cny, ""), order_without(w.decide(), ""));
    }
}

TEST(placement_laws, same_inputs_give_the_same_bits_in_any_order) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        dice chance(seed);
        world w = any_world(chance, seed);
        const offer_book book = w.book();
        const auto decided = [&](const offer_book& b) {
            return decide(b, w.rules, built_in_terms(), w.spec, w.surroundings());
        };
        const decision once = decided(book);
        ASSERT_EQ(decided(book), once) << "seed " << seed;
        std::ranges::reverse(w.offers);
        std::ranges::reverse(w.live);
        const auto live_once = [&] {  // of two words on one offer the last counts, so only single ones may turn round
            auto ids = w.live;
            std::ranges::sort(ids);
            return std::ranges::adjacent_find(ids, {}, &std::pair<offer_id, std::uint64_t>::first) == ids.end();
        }();
        if (!live_once)
            continue;
        decision turned = decided(w.book());
        turned.book_version = once.book_version;
        ASSERT_EQ(turned, once) << "seed " << seed;
    }
}

TEST(placement_laws, a_higher_price_never_buys_more_of_it) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        world w = priced_world(seed);
        if (w.rules.prices.empty())
            continue;
        priced_term& raised = w.rules.prices[seed % w.rules.prices.size()];
        const decision before = w.decide();
        const double factor = 1.0 + static_cast<double>(seed % 50);
        const double was = raised.per_unit;
        raised.per_unit *= factor;
        const decision after = w.decide();
        if (before.ranked.empty() || was == 0)
            continue;
        const auto amount = [&](const decision& made, double price) {
            for (const auto& [term, paid] : made.ranked.front().terms)
                if (term == raised.term)
                    return paid / price;
            return 0.0;  // the term does not apply
        };
        const double less = amount(after, raised.per_unit), more = amount(before, was);
        ASSERT_LE(less, more + 1e-9 * std::max(1.0, more));
    }
}

void make_extreme(dice& chance, world& w) {
    constexpr std::int64_t prices[] = {0, 1, 1'000'000'000'000'000'000, std::numeric_limits<std::int64_t>::max()};
    constexpr double sizes[] = {0, 1e-12, 1e12};
    for (auto& o : w.offers) {
        if (chance.once_in(2))
            o.price = unit_price{chance.one_of(prices), currency::usd};
        if (chance.once_in(4))
            o.increment_s = o.minimum_s = std::numeric_limits<std::uint32_t>::max();
        if (chance.once_in(4))
            o.units_free = o.units_ours = std::numeric_limits<std::uint64_t>::max() - chance.below(2);
        if (chance.once_in(4))
            o.max_w = chance.once_in(2) ? 0 : 1e15;
        if (chance.once_in(4))
            o.site.ingress_gbps = chance.one_of(sizes);
        if (chance.once_in(4))
            o.queue_wait_s = std::numeric_limits<std::uint32_t>::max();
    }
    for (auto& input : w.spec.inputs)
        input.size_gib = chance.one_of(sizes);
    if (chance.once_in(2))
        w.spec.work.runtime_s = chance.once_in(2) ? 0 : std::numeric_limits<std::uint64_t>::max();
    if (chance.once_in(3))
        w.spec.budget = money{std::numeric_limits<std::int64_t>::max(), currency::cny};
    w.spec.tasks = 1 + static_cast<std::uint32_t>(chance.below(10'000));
    if (w.spec.tasks_max > 0)
        w.spec.tasks_max = w.spec.tasks + static_cast<std::uint32_t>(1 + chance.below(10'000));
    if (w.spec.when.max_delay_s && chance.once_in(4))
        w.spec.when.max_delay_s = w.rules.max_delay_s = std::numeric_limits<std::uint64_t>::max();
}

TEST(placement_laws, extremes_give_numbers) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = any_world(chance, seed);
        make_extreme(chance, w);
        const decision made = w.decide();
        std::uint32_t rejected = 0;
        for (const auto& [why, count] : made.rejections)
            rejected += count;
        ASSERT_EQ(std::min<std::size_t>(made.considered - rejected, ranked_max), made.ranked.size());
        for (const auto& a : made.ranked) {
            ASSERT_TRUE(std::isfinite(a.j) && std::isfinite(a.cost_base) && std::isfinite(a.data_movement_s));
            ASSERT_GE(a.cost.micros, 0);
            ASSERT_GE(a.finish_at, a.start_at);
            for (const double key : a.keys)
                ASSERT_TRUE(std::isfinite(key));
        }
        for (const auto& s : made.switches)
            ASSERT_TRUE(std::isfinite(s.at));
        ASSERT_FALSE(explain(made).empty());
    }
}

}  // namespace
}  // namespace westerly::laws
