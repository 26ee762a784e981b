#include "broker/placement/together.hpp"

#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace westerly::laws {
namespace {

using places = std::vector<std::optional<std::uint32_t>>;

struct round_of_wishes {
    std::vector<together_wish> wishes;
    std::vector<together_free> free;

    std::map<std::uint32_t, std::uint64_t> left() const {
        std::map<std::uint32_t, std::uint64_t> units;
        for (const auto& each : free)
            units[each.offer] = each.units;
        return units;
    }
    bool fits(const places& of) const {
        auto units = left();
        for (std::size_t j = 0; j < wishes.size(); ++j) {
            if (!of[j])
                continue;
            const together_way& way = wishes[j].ways.at(*of[j]);
            if (const auto at = units.find(way.offer); at != units.end()) {
                if (at->second < way.units)
                    return false;
                at->second -= way.units;
            }
        }
        return true;
    }
    double worth(std::size_t j, std::optional<std::uint32_t> way) const {
        const auto& ways = wishes[j].ways;
        return way ? ways[*way].j : ways.empty() ? 0 : ways.front().j * (1 + room_made_share);
    }
    double cost(const places& of, std::int32_t priority) const {
        double sum = 0;
        for (std::size_t j = 0; j < wishes.size(); ++j)
            if (wishes[j].priority == priority)
                sum += worth(j, of[j]);
        return sum;
    }
    places turns() const {
        places of;
        for (const auto& wish : wishes)
            of.push_back(wish.turn);
        return of;
    }
};

/// A few workloads over a few offers, some without a limit; their turns as the engine takes them, by priority.
round_of_wishes random_round(dice& chance, std::uint64_t priorities) {
    round_of_wishes made;
    const std::uint64_t offers = 1 + chance.below(4);
    for (std::uint32_t o = 0; o < offers; ++o)
        if (!chance.once_in(6))
            made.free.push_back({o, chance.below(7)});
    for (std::uint64_t j = chance.below(6); j > 0; --j) {
        together_wish wish;
        wish.priority = static_cast<std::int32_t>(chance.below(priorities));
        auto units = made.left();
        for (std::uint32_t o = 0; o < offers; ++o) {
            const std::uint64_t takes = 1 + chance.below(4);
            if (chance.once_in(3) || (units.contains(o) && units[o] < takes))
                continue;
            wish.ways.push_back(
                {o, takes, chance.once_in(2) ? static_cast<double>(chance.below(9)) : chance.between(0, 9)});
        }
        std::ranges::stable_sort(wish.ways, {}, &together_way::j);
        made.wishes.push_back(std::move(wish));
    }
    std::ranges::stable_sort(made.wishes, std::greater(), &together_wish::priority);
    auto units = made.left();
    const bool bounded = chance.once_in(3);
    for (auto& wish : made.wishes) {
        for (std::uint32_t i = 0; i < wish.ways.size() && !wish.turn; ++i) {
            const auto at = units.find(wish.ways[i].offer);
            if (at == units.end() || at->second >= wish.ways[i].units)
                wish.turn = i;
        }
        if (!wish.turn)
            continue;
        if (const auto at = units.find(wish.ways[*wish.turn].offer); at != units.end())
            at->second -= wish.ways[*wish.turn].units;
        if (bounded)
            wish.dearest = wish.ways[*wish.turn].j * 1.25;
    }
    return made;
}

/// The least that any assignment costs which serves whom the turns have served, tried one by one.
double least(const round_of_wishes& round, places& of, std::size_t j) {
    if (j == round.wishes.size())
        return round.fits(of) ? round.cost(of, 0) : std::numeric_limits<double>::infinity();
    double best = std::numeric_limits<double>::infinity();
    const together_wish& wish = round.wishes[j];
    for (std::uint32_t i = 0; i < wish.ways.size(); ++i) {
        if (wish.ways[i].j > wish.dearest && wish.turn != i)
            continue;
        of[j] = i;
        best = std::min(best, least(round, of, j + 1));
    }
    of[j].reset();
    return wish.turn ? best : std::min(best, least(round, of, j + 1));
}

TEST(together, is_the_least_of_all_assignments_that_leave_nobody_out) {
    std::size_t moved = 0;
    for (std::uint64_t seed = 0; seed < worlds / 5; ++seed) {
        dice chance(seed);
        const auto round = random_round(chance, 1);
        const auto of = assign_together(round.wishes, round.free);
        ASSERT_TRUE(round.fits(of)) << seed;
        places any(round.wishes.size());
        const double optimum = least(round, any, 0), got = round.cost(of, 0);
        ASSERT_LE(got, optimum + 1e-6 * (1 + optimum)) << seed;
        moved += of != round.turns();
    }
    EXPECT_GT(moved, worlds / 1000);
}

TEST(together, nobody_loses_his_start_and_no_priority_pays_for_a_lower_one) {
    for (std::uint64_t seed = 0; seed < worlds; ++seed) {
        dice chance(seed);
        const auto round = random_round(chance, 3);
        const auto of = assign_together(round.wishes, round.free);
        ASSERT_EQ(of.size(), round.wishes.size());
        ASSERT_TRUE(round.fits(of)) << seed;
        for (std::size_t j = 0; j < of.size(); ++j) {
            const together_wish& wish = round.wishes[j];
            ASSERT_TRUE(of[j] || !wish.turn) << seed;
            if (of[j] && of[j] != wish.turn) {
                ASSERT_LE(wish.ways[*of[j]].j, wish.dearest) << seed;
            }
        }
        for (std::int32_t priority = 0; priority < 3; ++priority) {
            const double before = round.cost(round.turns(), priority);
            ASSERT_LE(round.cost(of, priority), before + 1e-9 * (1 + before)) << seed;
        }
    }
}

TEST(together, without_contention_everybody_keeps_his_best) {
    for (std::uint64_t seed = 0; seed < worlds; ++seed) {
        dice chance(seed);
        const auto round = random_round(chance, 2);
        const bool contended = std::ranges::any_of(
            round.wishes, [](const together_wish& wish) { return !wish.ways.empty() && wish.turn != 0u; });
        if (contended)
            continue;
        ASSERT_EQ(assign_together(round.wishes, round.free), round.turns()) << seed;
    }
}

}  // namespace
}  // namespace westerly::laws
