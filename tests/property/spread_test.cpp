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
    if (!chance.once_in(4)) {  // what fits is tried elsewhere
        w.spec.limits = {};
        w.spec.data_class.clear();
        w.spec.licences.clear();
    }
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
    w.spec.work = {};  // so that of all filters only capacity knows how many replicas there are
    w.spec.checkpoint.reset();
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
        if (chance.once_in(3))
            o.units_free = chance.below(5);
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

/// How many replicas each offer has room for.
std::vector<std::uint32_t> rooms_of(const world& w, const offer_book& book) {
    std::vector<std::uint32_t> rooms(book.size(), w.spec.tasks);
    for (std::uint32_t n = w.spec.tasks; n > 0; --n) {
        workload_spec part = w.spec;
        part.tasks = n;
        part.spread.reset();
        part.limits.origins.clear();
        part.limits.max_rtt_ms.reset();
        for (const auto& [id, why] : plan(book, {}, built_in_terms(), part, w.surroundings()).rejected)
            if (why == rejection::capacity_now || why == rejection::capacity_never)
                rooms[*book.find(id)] = n - 1;
    }
    return rooms;
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

/// Who of the origins is served where: shares by origin, then by member. To the nearest first; where that leaves one
/// idle or gives one more replicas than it has room for, again and again the nearest pair of whom is not served and
/// what has room. Nothing where somebody is served by nobody.
using served = std::vector<std::vector<double>>;
std::optional<served> nearest_of(const world& w, const offer_book& book, const std::vector<std::uint32_t>& set) {
    served made;
    for (const auto& from : w.spec.limits.origins) {
        std::size_t nearest = set.size();
        double least = infinity;
        for (std::size_t m = 0; m < set.size(); ++m)
            if (const double ms = rtt_of(book.at(set[m]), from.from.region); ms < least) {
                least = ms;
                nearest = m;
            }
        if (nearest == set.size())
            return std::nullopt;
        made.emplace_back(set.size(), 0.0)[nearest] = from.weight;
    }
    return made;
}

served past_full(const world& w, const offer_book& book, const std::vector<std::uint32_t>& set,
                 const std::vector<double>& room) {
    const auto& origins = w.spec.limits.origins;
    served made(origins.size(), std::vector<double>(set.size(), 0.0));
    std::vector<double> left, free = room;
    for (const auto& from : origins)
        left.push_back(from.weight);
    for (;;) {
        double least = infinity;
        std::size_t origin = 0, member = 0;
        for (std::size_t o = 0; o < origins.size(); ++o)
            for (std::size_t m = 0; m < set.size(); ++m)
                if (const double ms = rtt_of(book.at(set[m]), origins[o].from.region);
                    left[o] > 1e-9 && free[m] > 1e-9 && ms < least) {
                    least = ms;
                    origin = o;
                    member = m;
                }
        if (least == infinity)
            return made;
        const double moved = std::min(left[origin], free[member]);
        made[origin][member] += moved;
        left[origin] -= moved;
        free[member] -= moved;
    }
}

struct loads {
    std::vector<double> shares;
    bool everybody_served = true, nobody_idle = true;
};
loads loads_of(const world& w, const served& by, double weights, std::size_t members) {
    loads made{std::vector<double>(members, 0.0)};
    for (std::size_t o = 0; o < by.size(); ++o) {
        double sum = 0;
        for (std::size_t m = 0; m < members; ++m) {
            sum += by[o][m];
            made.shares[m] += by[o][m] / weights;
        }
        made.everybody_served &= sum > w.spec.limits.origins[o].weight - 1e-6;
    }
    made.nobody_idle = std::ranges::none_of(made.shares, [](double share) { return share <= 0; });
    return made;
}

/// What one set of offers comes to; infinite where it may not be.
found reckon(const world& w, const offer_book& book, const std::vector<std::map<std::uint32_t, double>>& costs,
             const std::vector<std::uint32_t>& rooms, const std::vector<std::uint32_t>& set) {
    found made;
    if (set.size() > w.spec.tasks)
        return {};
    double weights = 0, mean = 0;
    for (const auto& from : w.spec.limits.origins)
        weights += from.weight;
    auto by = nearest_of(w, book, set);
    if (!by)
        return {};
    std::vector<std::uint32_t> most;
    for (const std::uint32_t offer : set) {
        most.push_back(rooms[offer]);
        if (!costs[1].contains(offer))
            return {};
    }
    loads load = loads_of(w, *by, weights, set.size());
    std::vector<std::uint32_t> n;
    if (load.nobody_idle)
        n = shared_out(w.spec.tasks, load.shares);
    bool fits = load.nobody_idle;
    for (std::size_t m = 0; m < n.size(); ++m)
        fits &= n[m] <= most[m];
    if (!fits) {
        std::vector<double> room;
        for (const std::uint32_t each : most)
            room.push_back(each * weights / w.spec.tasks);
        by = past_full(w, book, set, room);
        load = loads_of(w, *by, weights, set.size());
        if (!load.everybody_served || !load.nobody_idle)
            return {};
        n = shared_out(w.spec.tasks, load.shares);
    }
    std::vector<std::pair<double, double>> demand;
    for (std::size_t o = 0; o < by->size(); ++o)
        for (std::size_t m = 0; m < set.size(); ++m)
            if (const double share = (*by)[o][m] / weights; share > 0) {
                const double ms = rtt_of(book.at(set[m]), w.spec.limits.origins[o].from.region);
                mean += ms * share;
                demand.emplace_back(ms, share);
            }
    std::ranges::sort(demand);
    double within = 0, p95 = demand.back().first;
    for (const auto& [ms, share] : demand)
        if ((within += share) >= 0.95 - 1e-12) {
            p95 = ms;
            break;
        }
    if (w.spec.limits.max_rtt_ms && p95 > *w.spec.limits.max_rtt_ms)
        return {};
    made.j = made.cost = 0;
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
    std::uint64_t spreads = 0, several = 0, overflows = 0;
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
        const std::vector<std::uint32_t> rooms = rooms_of(w, book);
        std::vector<found> all;
        double cheapest = infinity;
        for (std::uint32_t bits = 1; bits < (1u << book.size()); ++bits) {
            if (std::popcount(bits) > static_cast<int>(w.spec.spread->max_sites))
                continue;
            std::vector<std::uint32_t> set;
            for (std::uint32_t i = 0; i < book.size(); ++i)
                if ((bits >> i) & 1)
                    set.push_back(i);
            all.push_back(reckon(w, book, costs, rooms, set));
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
        overflows += std::ranges::any_of(made.parts, [](const spread_part& part) {
            return std::ranges::any_of(part.serves, &served_origin::overflow);
        });
        std::uint32_t replicas = 0;
        for (const auto& part : made.parts)
            replicas += part.replicas;
        ASSERT_EQ(replicas, w.spec.tasks);
    }
    EXPECT_GT(spreads, worlds / 20);
    EXPECT_GT(several, worlds / 100);
    EXPECT_GT(overflows, worlds / 1000);
}

}  // namespace
}  // namespace westerly::laws
