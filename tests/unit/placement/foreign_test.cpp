// Terms of libraries in a decision: what they said is part of its world.
#include "broker/domain/energy.hpp"
#include "broker/placement/feasible.hpp"
#include "broker/placement/score.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace westerly {
namespace {

using built::plain;
using built::sites_of;
using built::task;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

struct foreign_test : testing::Test {
    std::vector<term> table{built_in_terms().begin(), built_in_terms().end()};
    std::vector<foreign_column> said;

    foreign_test() { table.push_back(foreign_term("water", "L", "Litres.")); }

    static policy priced(double price, bool ignored_on_failure = false) {
        policy p;
        p.prices = {{.term = "water", .per_unit = price, .ignored_on_failure = ignored_on_failure}};
        return p;
    }
    void say(std::vector<double> litres) {
        foreign_column column{.term = "water", .tasks = 1, .quantity = std::move(litres), .gaps = false, .failure = {}};
        tidy(column);
        said.push_back(std::move(column));
    }
    void fail_with(std::string why) {
        said.push_back({.term = "water", .tasks = 1, .quantity = {}, .gaps = false, .failure = std::move(why)});
    }
    decision decide_on(const std::vector<offer>& offers, const policy& rules, const workload_spec& spec = task()) {
        decision_world world = built::world();
        world.foreign = said;
        return decide(built::book_of(offers), rules, table, spec, world);
    }
    static bool tells(const decision& made, note_kind what) {
        return std::ranges::find(made.notes, what, &note::kind) != made.notes.end();
    }
};

// An hour at 1.00 and 1.20 CNY. 3 L against 1 L at 0.05 CNY/L: 1.00 + 0.15 = 1.15 < 1.20 + 0.05 = 1.25. At 0.20 CNY/L:
// 1.00 + 0.60 = 1.60 > 1.20 + 0.20 = 1.40. The switch price: (1.20 - 1.00) / (3 - 1) = 0.10 CNY/L.
TEST_F(foreign_test, it_is_priced_like_any_other) {
    const std::vector offers{plain("a", 1.0), plain("b", 1.2)};
    say({3, 1});
    const decision dry_wins_not = decide_on(offers, priced(0.05));
    EXPECT_EQ(sites_of(dry_wins_not), (std::vector<std::string>{"a", "b"}));
    EXPECT_NEAR(dry_wins_not.ranked[0].j, 1.15, 1e-12);
    ASSERT_EQ(dry_wins_not.ranked[0].terms.size(), 1u);
    EXPECT_NEAR(dry_wins_not.ranked[0].terms[0].second, 0.15, 1e-12);
    const auto at = std::ranges::find(dry_wins_not.switches, "water", &switch_price::term);
    ASSERT_NE(at, dry_wins_not.switches.end());
    EXPECT_NEAR(at->at, 0.10, 1e-12);
    const decision dry_wins = decide_on(offers, priced(0.20));
    EXPECT_EQ(sites_of(dry_wins), (std::vector<std::string>{"b", "a"}));
    EXPECT_NEAR(dry_wins.ranked[0].j, 1.40, 1e-12);
}

TEST_F(foreign_test, it_is_a_key_of_an_order) {
    policy p;
    p.order_batch = {{.term = "water", .step = 2}, {.term = "cost"}};
    p.order_service = p.order_interactive = p.order_batch;
    say({3, 1, 2});  // in steps of 2: 2, 1, 1
    EXPECT_EQ(sites_of(decide_on({plain("a", 1.0), plain("b", 1.3), plain("c", 1.2)}, p)),
              (std::vector<std::string>{"c", "b", "a"}));
}

TEST_F(foreign_test, what_is_not_known_is_not_ranked_and_what_is_no_quantity_is_not_known) {
    say({unknown, 1, std::numeric_limits<double>::infinity(), -1});
    const decision made = decide_on({plain("a"), plain("b"), plain("c"), plain("d")}, priced(1));
    EXPECT_EQ(sites_of(made), std::vector<std::string>{"b"});
    EXPECT_EQ(made.rejections, (std::vector<std::pair<rejection, std::uint32_t>>{{rejection::quantity_unknown, 3}}));
    EXPECT_EQ(made.baseline->site, "b") << "unknown is not ranked as the baseline either";
}

TEST_F(foreign_test, a_failure_is_waited_for_or_ignored_as_the_policy_says) {
    const std::vector offers{plain("a", 1.0), plain("b", 1.2)};
    fail_with("it broke");
    const decision waits = decide_on(offers, priced(1));
    EXPECT_TRUE(waits.ranked.empty());
    EXPECT_EQ(waits.rejections, (std::vector<std::pair<rejection, std::uint32_t>>{{rejection::quantity_unknown, 2}}));
    EXPECT_TRUE(tells(waits, note_kind::term_failed));
    const decision ignores = decide_on(offers, priced(1, true));
    EXPECT_EQ(sites_of(ignores), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(ignores.ranked[0].j, 1.0);
    EXPECT_TRUE(tells(ignores, note_kind::term_ignored));
    EXPECT_TRUE(tells(ignores, note_kind::ranked_by_cost));
}

TEST_F(foreign_test, what_was_not_asked_or_is_of_other_offers_has_failed) {
    EXPECT_TRUE(decide_on({plain("a")}, priced(1)).ranked.empty());
    say({1, 2});
    EXPECT_TRUE(decide_on({plain("a")}, priced(1)).ranked.empty());
    EXPECT_EQ(decide_on({plain("a"), plain("b")}, {}).ranked.size(), 2u) << "policies without it need nothing of it";
}

TEST_F(foreign_test, each_size_of_a_gang_has_its_own) {
    workload_spec spec = task();
    spec.tasks = 1;
    spec.tasks_max = 2;
    spec.work.reference = reference_cards{"A100", 1};
    said = {{.term = "water", .tasks = 1, .quantity = {5}, .gaps = false, .failure = {}}};
    const decision made = decide_on({plain("a")}, priced(1), spec);
    EXPECT_TRUE(made.ranked.empty() || made.ranked[0].tasks == 1) << "nothing was said of two tasks";
}

// Against every offer one by one: the winner, the number of those ranked and the number of those unknown.
TEST_F(foreign_test, the_scan_agrees_with_one_offer_at_a_time) {
    std::mt19937_64 random(5);
    for (int world = 0; world < 60; ++world) {
        std::vector<offer> offers;
        std::vector<double> litres;
        const int count = 1 + static_cast<int>(random() % 400);
        for (int i = 0; i < count; ++i) {
            offers.push_back(
                plain("s" + std::to_string(100 + random() % 9), 1.0 + static_cast<double>(random() % 100) / 50));
            offers.back().id = "p/" + offers.back().site.site + "/n" + std::to_string(1000 + i) + "/on_demand";
            litres.push_back(random() % 5 == 0 && world % 2 == 0 ? unknown : static_cast<double>(random() % 40) / 10);
        }
        std::ranges::sort(offers, {}, &offer::id);
        said.clear();
        say(litres);
        const double price = static_cast<double>(random() % 10) / 10;
        const decision made = decide_on(offers, priced(price));
        std::size_t best = offers.size();
        std::uint32_t gaps = 0;
        const auto j = [&](std::size_t i) {
            return static_cast<double>(offers[i].price->nanos) / 1e9 + price * litres[i];
        };
        for (std::size_t i = 0; i < offers.size(); ++i) {
            gaps += std::isnan(litres[i]);
            if (!std::isnan(litres[i]) && (best == offers.size() || j(i) < j(best) - 1e-9))
                best = i;
        }
        const std::uint32_t counted = made.rejections.empty() ? 0 : made.rejections.front().second;
        EXPECT_EQ(counted, gaps);
        ASSERT_EQ(made.ranked.empty(), best == offers.size());
        if (!made.ranked.empty()) {
            EXPECT_NEAR(made.ranked[0].j, j(best), 1e-9) << "world " << world;
        }
    }
}

TEST_F(foreign_test, what_is_assigned_together_weighs_it_too) {
    const offer_book book = built::book_of({plain("a", 1.0), plain("b", 1.2), plain("c", 1.1)});
    decision_world world = built::world();
    const auto sites = [&](const policy& rules) {
        world.foreign = said;
        std::vector<std::string> found;
        for (const auto& each : feasible_offers(book, rules, table, task(), world))
            found.push_back(book.at(each.index).site.site);
        return found;
    };
    EXPECT_TRUE(sites(priced(1)).empty()) << "nobody was asked";
    EXPECT_EQ(sites(priced(1, true)), (std::vector<std::string>{"a", "c", "b"})) << "and the policy does without";
    say({3, 1, unknown});
    EXPECT_EQ(sites(priced(1)), (std::vector<std::string>{"b", "a"}));
    said.clear();
    fail_with("it broke");
    EXPECT_TRUE(sites(priced(1)).empty());
    EXPECT_EQ(sites(priced(1, true)).size(), 3u);
    policy ordered;
    ordered.order_batch = {{.term = "water", .ignored_on_failure = true}, {.term = "cost"}};
    ordered.order_service = ordered.order_interactive = ordered.order_batch;
    EXPECT_EQ(sites(ordered), (std::vector<std::string>{"a", "c", "b"}));
}

TEST_F(foreign_test, the_table_and_the_request_say_what_the_book_does) {
    offer cards = plain("b", 2.0);
    cards.accelerators = accelerator_facts{.model = "A100", .count = 8};
    cards.site.pue.reset();
    cards.units_free.reset();
    const offer_book book = built::book_of({plain("a"), cards});
    const auto table_of = make_score_table(book, {});
    ASSERT_EQ(table_of->offers.site.size(), 2u);
    const auto name = [&](std::uint32_t number) {
        return table_of->names[number];
    };
    const std::uint32_t a = table_of->offers.site[0], b = table_of->offers.site[1];
    EXPECT_EQ(name(table_of->sites.provider[a]), "p");
    EXPECT_EQ(name(table_of->sites.site[b]), "b");
    EXPECT_NEAR(table_of->sites.latitude[a], 31.2222, 1e-9);
    EXPECT_NEAR(table_of->sites.longitude[a], 121.4581, 1e-9);
    EXPECT_EQ(table_of->sites.pue[a], 1.2);
    EXPECT_TRUE(std::isnan(table_of->sites.pue[b]));
    EXPECT_EQ(name(table_of->shapes.accelerator[table_of->offers.shape[1]]), "A100");
    EXPECT_EQ(name(table_of->shapes.accelerator[table_of->offers.shape[0]]), "");
    EXPECT_EQ(table_of->offers.price_per_h, (std::vector<double>{1.0, 2.0}));
    EXPECT_EQ(table_of->offers.units_total[0], 10);
    EXPECT_TRUE(std::isinf(table_of->offers.units_total[1]));

    workload_spec spec = task();
    spec.resources.vcpus = 6;
    spec.tasks = 3;
    const auto request = make_score_request(book, {}, table, spec, built::world());
    EXPECT_EQ(request->tasks, 3u);
    const std::uint32_t shape = table_of->offers.shape[0];
    EXPECT_EQ(request->units[shape], 3);
    EXPECT_EQ(request->run_hours[shape], 1);
    // Three units for an hour.
    EXPECT_NEAR(request->energy_kwh[shape], it_energy_kwh(40, 100, 3, 1, default_utilisation), 1e-12);
    EXPECT_EQ(request->carbon_g_per_kwh[a], 500);
    EXPECT_TRUE(std::isnan(request->rtt_ms[a])) << "no origin was stated";
    spec.resources.vcpus = 64;
    EXPECT_TRUE(std::isnan(make_score_request(book, {}, table, spec, built::world())->energy_kwh[shape]));
}

TEST_F(foreign_test, a_policy_may_name_it_and_built_in_terms_never_fail) {
    EXPECT_TRUE(check_policy(priced(1, true), table));
    EXPECT_FALSE(check_policy(priced(1), built_in_terms()));
    policy p;
    p.prices = {{.term = "carbon", .per_unit = 1, .ignored_on_failure = true}};
    const auto refused = check_policy(p, table);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().faults.front().pointer, "/prices/carbon/on_failure");
}

}  // namespace
}  // namespace westerly
