// Spreads against brute force: every set, with each part decided as a service of its own by feasible_offers().
#include "broker/placement/spread.hpp"

#include "broker/placement/feasible.hpp"
#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>

namespace westerly::laws {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double latency_price = 0.5;

/// A small service with users in up to four places.
world random_service(dice& chance) {
    constexpr const char* regions[] = {"u0", "u1", "u2", "u3"};
    world w = random_world(chance);
    w.spec.kind = workload_kind::service;
    w.spec.tasks = static_cast<std::uint32_t>(1 + chance.below(7));
    w.spec.tasks_max = 0;
    w.spec.limits.from.reset();
    w.spec.limits.origins.clear();
    for (std::uint64_t o = 0, all = 1 + chance.below(4); o < all; ++o)
        w.spec.limits.origins.push_back({{regions[o], {}}, chance.between(0.1, 3)});
    w.spec.limits.max_rtt_ms.reset();
    if (chance.once_in(3))
        w.spec.limits.max_rtt_ms = chance.between(20, 90);
    const std::optional<double> max_rtt_ms = w.spec.limits.max_rtt_ms;
    const auto origins = w.spec.limits.origins;
    if (!chance.once_in(4))
        w.spec.limits = {};  // what fits is tried elsewhere
    w.spec.limits.origins = origins;
    w.spec.limits.max_rtt_ms = max_rtt_ms;
    w.spec.limits.max_price_per_hour.reset();
    w.spec.limits.max_carbon_kg.reset();
    if (!chance.once_in(4)) {
        w.spec.resources = {};
        w.spec.compute = compute_class::general;
    }
    w.spec.budget.reset();
    w.around.budget_left.reset();
    w.spec.spread = spread_rule{static_cast<std::uint32_t>(1 + chance.below(4))};
    w.rules = {};
    if (!chance.once_in(4))
        w.rules.prices.push_back({"latency", latency_price, 0, 0, {}});
    if (chance.once_in(4))
        w.rules.within_of_cheapest = chance.between(0, 1);
    if (w.offers.size() > 7)
        w.offers.resize(7);
    for (offer& o : w.offers) {
        o.supply.host.clear();
        if (!chance.once_in(3))
            o.compute = w.spec.compute;
        if (o.price && chance.once_in(4))
            o.schedule.windows = {{.from_min = 60, .to_min = 600, .nanos = o.price->nanos / 4}};
        for (const char* region : regions)
            if (!chance.once_in(6))
                o.site.rtt_ms.emplace_back(region, 1 + static_cast<double>(chance.below(99)));
    }
    // What is of one site knows one RTT.
    for (offer& o : w.offers)
        for (const offer& first : w.offers)
            if (first.provider == o.provider && first.site.site == o.site.site) {
                o.site = first.site;
                break;
            }
    return w;
}

/// C of n replicas at each offer that takes them, by index.
std::map<std::uint32_t, double> costs_of(const world& w, const offer_book& book, std::uint32_t n) {
    workload_spec part = w.spec;
    part.tasks = n;
    part.spread.reset();
    part.limits.origins.clear();
    part.limits.max_rtt_ms.reset();
    std::map<std::uint32_t, double> costs;
    for (const auto& each : feasible_offers(book, {}, built_in_terms(), part, w.surroundings()))
        costs[each.index] = each.cost_base;
    return costs;
}

double rtt_of(const offer& o, const std::string& region) {
    for (const auto& [from, ms] : o.site.rtt_ms)
        if (from == region)
            return ms;
    return infinity;
}

/// Largest remainders with one at least, written anew.
std::vector<std::uint32_t> shared_out(std::uint32_t n, const std::vector<double>& shares) {
    std::vector<std::uint32_t> given(shares.size(), 0);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < shares.size(); ++i)
        sum += given[i] = std::max(1u, static_cast<std::uint32_t>(std::floor(shares[i] * n + 1e-9)));
    while (sum != n) {
        const double sign = sum < n ? 1 : -1;
        std::size_t pick = shares.size();
        for (std::size_t i = 0; i < shares.size(); ++i)
            if ((sum < n || given[i] > 1) &&
                (pick == shares.size() ||
                 sign * (shares[i] * n - given[i]) > sign * (shares[pick] * n - given[pick]) + 1e-9))
                pick = i;
        sum < n ? ++given[pick] : --given[pick];
        sum += sum < n ? 1 : -1;
    }
    return given;
}

struct found {
    double j = infinity, cost = infinity;
};

/// What one set of offers comes to; infinite where it may not be.
found reckon(const world& w, const offer_book& book, const std::vector<std::map<std::uint32_t, double>>& costs,
             const std::vector<std::uint32_t>& set) {
    double weights = 0, mean = 0;
    for (const auto& from : w.spec.limits.origins)
        weights += from.weight;
    std::vector<double> shares(set.size(), 0);
    std::vector<bool> serves(set.size(), false);
    std::vector<std::pair<double, double>> demand;
    for (const auto& from : w.spec.limits.origins) {
        std::size_t nearest = set.size();
        double least = infinity;
        for (std::size_t m = 0; m < set.size(); ++m)
            if (const double ms = rtt_of(book.at(set[m]), from.from.region); ms < least) {
                least = ms;
                nearest = m;
            }
        if (nearest == set.size())
            return {};
        shares[nearest] += from.weight / weights;
        serves[nearest] = true;
        mean += least * (from.weight / weights);
        demand.emplace_back(least, from.weight / weights);
    }
    if (std::ranges::find(serves, false) != serves.end() || set.size() > w.spec.tasks)
        return {};
    std::ranges::sort(demand);
    double within = 0, p95 = demand.back().first;
    for (const auto& [ms, share] : demand)
        if ((within += share) >= 0.95 - 1e-12) {
            p95 = ms;
            break;
        }
    if (w.spec.limits.max_rtt_ms && p95 > *w.spec.limits.max_rtt_ms)
        return {};
    const auto n = shared_out(w.spec.tasks, shares);
    found made{0, 0};
    for (std::size_t m = 0; m < set.size(); ++m) {
        const auto at = costs[n[m]].find(set[m]);
        if (at == costs[n[m]].end())
            return {};
        made.cost += at->second;
    }
    made.j = made.cost + (w.rules.prices.empty() ? 0 : latency_price * mean * w.spec.tasks);
    return made;
}

TEST(spread, is_the_best_of_all_sets) {
    std::uint64_t spreads = 0, several = 0;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = random_service(chance);
        const offer_book book = w.book();
        const spread_plan made = spread_near_users(book, w.rules, built_in_terms(), w.spec, w.surroundings());
        ASSERT_TRUE(made.every_set);
        std::vector<std::map<std::uint32_t, double>> costs(1);
        for (std::uint32_t n = 1; n <= w.spec.tasks; ++n)
            costs.push_back(costs_of(w, book, n));
        std::vector<found> all;
        double cheapest = infinity;
        for (std::uint32_t bits = 1; bits < (1u << book.size()); ++bits) {
            if (std::popcount(bits) > static_cast<int>(w.spec.spread->max_sites))
                continue;
            std::vector<std::uint32_t> set;
            for (std::uint32_t i = 0; i < book.size(); ++i)
                if ((bits >> i) & 1)
                    set.push_back(i);
            all.push_back(reckon(w, book, costs, set));
            cheapest = std::min(cheapest, all.back().cost);
        }
        const double dearest =
            w.rules.within_of_cheapest ? cheapest * (1 + *w.rules.within_of_cheapest) * (1 + 1e-9) : infinity;
        double best = infinity;
        for (const found& each : all)
            if (each.cost <= dearest)
                best = std::min(best, each.j);
        ASSERT_EQ(made.parts.empty(), best == infinity);
        if (made.parts.empty())
            continue;
        ASSERT_NEAR(made.j, best, 1e-9 * std::max(1.0, std::abs(best)));
        ++spreads;
        several += made.parts.size() > 1;
        std::uint32_t replicas = 0;
        for (const auto& part : made.parts)
            replicas += part.replicas;
        ASSERT_EQ(replicas, w.spec.tasks);
    }
    EXPECT_GT(spreads, worlds / 20);
    EXPECT_GT(several, worlds / 100);
}

}  // namespace
}  // namespace westerly::laws
