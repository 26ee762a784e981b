// At a switch price the decision is made anew: starts and sizes are chosen again, as the price was told to mean.
#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace westerly::laws {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double rounding = 1e-8;  // a start must be better by 1e-9 to be preferred

/// By which share of J the alternative is ahead of the winner where the term has another price; nullopt: neither is
/// among the best few that are told of.
std::optional<double> lead_at(const world& w, const std::string& term, double price, const offer_id& alternative,
                              const offer_id& winner) {
    world other = w;
    std::erase_if(other.rules.prices, [&](const auto& p) { return p.term == term; });
    other.rules.prices.push_back({term, price, 0, 0, {}});
    const decision then = other.decide();
    const auto its = std::ranges::find(then.ranked, alternative, &appraisal::offer);
    const auto won = std::ranges::find(then.ranked, winner, &appraisal::offer);
    if (its == then.ranked.end() && won == then.ranked.end())
        return std::nullopt;
    if (its == then.ranked.end() || won == then.ranked.end())
        return won == then.ranked.end() ? infinity : -infinity;
    return (won->j - its->j) / std::max({std::abs(won->j), std::abs(its->j), 1e-9});
}

double price_in(const policy& rules, const std::string& term) {
    double price = 0;
    for (const auto& each : rules.prices)
        price += each.term == term ? each.per_unit : 0;
    return price;
}

void expect_turn(const world& w, const switch_price& told, const offer_id& winner) {
    SCOPED_TRACE(told.alternative + " " + told.term + (told.below ? " below " : " from ") + std::to_string(told.at));
    const double present = price_in(w.rules, told.term), step = 1e-6 * told.at + 1e-9;
    const double past = told.at + (told.below ? -step : step), before = told.at + (told.below ? step : -step);
    EXPECT_TRUE(told.below ? told.at <= present : told.at >= present);
    if (const auto lead = lead_at(w, told.term, past, told.alternative, winner)) {
        EXPECT_GE(*lead, -rounding);
    }
    if (told.below ? before < present : before > present)
        if (const auto lead = lead_at(w, told.term, before, told.alternative, winner)) {
            EXPECT_LE(*lead, rounding);
        }
}

/// Where the term has a price, an offer without its figures is not ranked at all: no switch price is told of that.
bool is_known(const std::string& term, const appraisal& a) {
    return term == "latency"       ? a.rtt_ms.has_value()
           : term == "green_power" ? a.energy_kwh.has_value()
           : term == "carbon"      ? a.carbon_kg.has_value()
                                   : true;
}

/// Between the present price and the one that is told, or anywhere beyond where none is, the alternative is not ahead.
void expect_none_sooner(const world& w, const decision& made, dice& chance, const offer_id& winner) {
    constexpr const char* terms[] = {"latency", "green_power", "carbon", "time"};
    const offer_id alternative = made.ranked[1 + chance.below(made.ranked.size() - 1)].offer;
    const std::string term = chance.one_of(terms);
    const bool below = chance.once_in(2);
    const double present = price_in(w.rules, term);
    const auto told = std::ranges::find_if(made.switches, [&](const switch_price& s) {
        return s.alternative == alternative && s.term == term && s.below == below;
    });
    const double until = told != made.switches.end() ? told->at
                         : below                     ? 0
                                                     : present + std::pow(10, chance.between(-3, 4));
    const double price = present + (until - present) * chance.between(0.001, 0.999);
    if (!(price > 0) || !is_known(term, made.ranked.front()))
        return;
    SCOPED_TRACE(alternative + " " + term + " at " + std::to_string(price) + ", present " + std::to_string(present));
    if (const auto lead = lead_at(w, term, price, alternative, winner)) {
        EXPECT_LE(*lead, rounding);
    }
}

struct tally {
    std::uint64_t from = 0, below = 0, waiting = 0, sized = 0;
};

/// The workload's own words on prices as part of the policy, so that these can be changed.
world with_plain_prices(world w) {
    w.rules = w.effective();
    w.spec.when.value_of_time.reset();
    w.spec.overrides = {};
    return w;
}

void expect_true_prices(const world& drawn, dice& chance, tally& seen) {
    const world w = with_plain_prices(drawn);
    const decision made = w.decide();
    if (made.ranked.size() < 2)
        return;
    const offer_id winner = made.ranked.front().offer;
    if (!made.switches.empty()) {
        const switch_price& told = made.switches[chance.below(made.switches.size())];
        expect_turn(w, told, winner);
        ++(told.below ? seen.below : seen.from);
        seen.waiting += made.put_off.has_value();
        seen.sized += made.ranked.front().tasks != w.spec.tasks;
    }
    const bool by_hour = std::ranges::any_of(w.offers, [](const offer& o) { return !o.schedule.empty(); });
    const bool untold = (w.rules.within_of_cheapest && by_hour) || (w.rules.within_of_least && w.spec.when.max_delay_s);
    if (!untold)
        expect_none_sooner(w, made, chance, winner);
}

world world_with_slack(dice& chance) {
    world w = random_world_with_signals(chance);
    w.rules = random_priced_policy(chance);
    if (chance.once_in(4))
        w.rules.within_of_cheapest = chance.between(0, 1);
    if (w.spec.kind == workload_kind::batch)
        w.spec.when.max_delay_s = chance.below(60'000);
    return w;
}

TEST(switch_prices, turn_where_they_say) {
    tally seen;
    for (std::uint64_t seed = 1; seed <= worlds / 2; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = random_world(chance);
        w.rules = random_priced_policy(chance);
        expect_true_prices(w, chance, seen);
        if (HasFailure())
            return;
    }
    EXPECT_GT(seen.from, worlds / 20);
    EXPECT_GT(seen.below, worlds / 1000);
}

TEST(switch_prices, turn_where_they_say_with_starts_chosen_anew) {
    tally seen;
    for (std::uint64_t seed = 1; seed <= worlds / 2; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const world w = world_with_slack(chance);
        expect_true_prices(w, chance, seen);
        if (HasFailure())
            return;
    }
    EXPECT_GT(seen.from, worlds / 25);
    EXPECT_GT(seen.below, worlds / 2000);
    EXPECT_GT(seen.waiting, worlds / 500);
}

TEST(switch_prices, turn_where_they_say_with_sizes_chosen_anew) {
    tally seen;
    for (std::uint64_t seed = 1; seed <= worlds / 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        world w = world_with_slack(chance);
        w.spec.tasks_max = w.spec.tasks + static_cast<std::uint32_t>(1 + chance.below(5));
        expect_true_prices(w, chance, seen);
        if (HasFailure())
            return;
    }
    EXPECT_GT(seen.from, worlds / 200);
    EXPECT_GT(seen.below, worlds / 8000);
    EXPECT_GE(seen.sized, worlds / 50'000);  // few worlds win by more than the least size
}

}  // namespace
}  // namespace westerly::laws
