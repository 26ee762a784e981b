#include "broker/domain/phrases.hpp"
#include "broker/placement/compare.hpp"
#include "policies/table.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

using built::decide_on;
using built::plain;
using built::task;

/// "a" is cheaper, "b" is greener: 0.12 kWh each, none green against all green.
std::vector<offer> cheaper_and_greener() {
    offer a = plain("a", 1.0), b = plain("b", 1.1056);
    a.site.green_power_share = built::said(0.0);
    b.site.green_power_share = built::said(1.0);
    return {a, b};
}

double switch_at(const decision& made, const std::string& term) {
    const auto at = std::ranges::find(made.switches, term, &switch_price::term);
    return at == made.switches.end() ? -1 : at->at;
}

TEST(switch_prices, say_from_which_price_the_greener_offer_wins) {
    const decision made = decide_on(cheaper_and_greener(), task());
    EXPECT_NEAR(switch_at(made, "green_power"), 0.1056 / 0.12, 1e-9);
    EXPECT_NE(explain(made).find("p/b/n/on_demand is greener and would win from 0.88 CNY per non-green kWh."),
              std::string::npos)
        << explain(made);
}

TEST(switch_prices, count_what_the_policy_prices_already) {
    policy rules;
    rules.prices = {{"green_power", 0.5, 0, 0, {}}};
    EXPECT_NEAR(switch_at(decide_on(cheaper_and_greener(), task(), rules), "green_power"), 0.1056 / 0.12, 1e-9);
}

TEST(switch_prices, say_below_which_price_the_cheaper_offer_wins) {
    policy rules;
    rules.prices = {{"green_power", 2, 0, 0, {}}};
    const decision made = decide_on(cheaper_and_greener(), task(), rules);
    ASSERT_EQ(made.ranked.front().site, "b");
    ASSERT_EQ(made.switches.size(), 1u);
    EXPECT_TRUE(made.switches[0].below);
    EXPECT_EQ(made.switches[0].alternative, "p/a/n/on_demand");
    EXPECT_NEAR(made.switches[0].at, 0.1056 / 0.12, 1e-9);
    EXPECT_NE(explain(made).find("p/a/n/on_demand would win below 0.88 CNY per non-green kWh."), std::string::npos)
        << explain(made);
}

TEST(switch_prices, there_is_none_where_nothing_is_avoided_or_nothing_is_known) {
    const decision made = decide_on(cheaper_and_greener(), task());
    EXPECT_EQ(switch_at(made, "carbon"), -1);   // equal factors: nothing is avoided
    EXPECT_EQ(switch_at(made, "latency"), -1);  // batch that nobody waits for
    auto offers = cheaper_and_greener();
    offers[1].max_w.reset();
    EXPECT_TRUE(decide_on(offers, task()).switches.empty());
}

TEST(explain, tells_where_greener_and_lower_carbon_part_ways) {
    auto offers = cheaper_and_greener();
    offers[0].site.carbon_g_per_kwh = built::said(440);  // the cleaner grid
    offers[1].site.carbon_g_per_kwh = built::said(642);
    policy rules;
    rules.prices = {{"green_power", 2, 0, 0, {}}};
    const std::string text = explain(decide_on(offers, task(), rules));
    EXPECT_NE(text.find("Green is not low-carbon here: p/b/n/on_demand takes less non-green energy than "
                        "p/a/n/on_demand (0 against 0.12 kWh) but emits more by the location-based number "
                        "(0.077 against 0.0528 kg CO2e)."),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("and avoids 0.1200 non-green kWh (0.88 CNY each) and causes 0.0242 kg CO2e more"),
              std::string::npos)
        << text;
}

TEST(explain, has_no_such_sentence_where_they_agree) {
    auto offers = cheaper_and_greener();
    offers[0].site.carbon_g_per_kwh = built::said(642);
    EXPECT_EQ(explain(decide_on(offers, task())).find("Green is not low-carbon"), std::string::npos);
}

TEST(explain, names_winner_runner_up_baseline_and_rejections) {
    auto offers = cheaper_and_greener();
    offers.push_back(plain("c"));
    offers.back().price.reset();
    policy rules;
    rules.name = "green";
    rules.prices = {{"green_power", 2, 0, 0, {}}};
    const std::string text = explain(decide_on(offers, task(), rules));
    for (const char* part :
         {"Policy green chooses p/b/n/on_demand: 1.1056 CNY for 1 unit over 3600 s billed",
          "Runner-up is p/a/n/on_demand", "it is 0.1344 CNY dearer",
          "Against the cheapest feasible offer started at once, p/a/n/on_demand at 1.00 CNY, it costs 0.1056 CNY more",
          "1 of 3 offers were rejected: 1 without a price (price_missing).",
          "Ranked by cost plus green power at 2.00 CNY per kWh."})
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n--\n" << text;
}

TEST(explain, a_plan_over_catalogue_offers_says_that_none_can_be_launched) {
    offer o = plain("a");
    o.launchable = false;
    decision_world around = built::world();
    around.plan_only_too = true;
    const std::string text = explain(decide_on({o}, task(), {}, around));
    EXPECT_NE(text.find("plan-only and cannot be launched"), std::string::npos) << text;
}

TEST(explain, an_order_says_which_key_decided) {
    policy rules;
    rules.order_service = rules.order_interactive = rules.order_batch = {{"non_green_energy", 0.1}, {"cost", 0}};
    const std::string text = explain(decide_on(cheaper_and_greener(), task(), rules));
    EXPECT_NE(text.find("Ranked by non-green energy in steps of 0.1 kWh, then cost."), std::string::npos) << text;
    EXPECT_NE(text.find("it loses on key 1 of the order."), std::string::npos) << text;
}

TEST(explain, knows_every_built_in_term_in_every_language) {
    for (const language spoken : languages)
        for (const term& t : built_in_terms())
            EXPECT_EQ(phrases_of(spoken).term(t.name).name, t.name) << to_string(spoken);
}

TEST(explain, leaves_no_english_method_in_chinese) {
    workload_spec spec = task();
    spec.interactive = true;
    for (const double east_of_it : {1.0, 90.0}) {  // near enough for the one error of estimates, and the other
        offer o = plain("a");
        o.site.latitude_longitude = {{30.0, 100.0}};
        spec.limits.from = origin{.region = {}, .latitude_longitude = {{30.0, 100.0 - east_of_it}}};
        const decision made = decide_on({o}, spec);
        ASSERT_EQ(made.ranked.size(), 1u);
        const std::string text = explain(made, language::zh);
        EXPECT_NE(text.find("由坐标估计"), std::string::npos) << text;
        EXPECT_EQ(text.find("estimated"), std::string::npos) << text;
    }
}

TEST(pareto, keeps_what_nothing_beats_in_every_respect) {
    auto offers = cheaper_and_greener();
    offers.push_back(plain("c", 1.2));  // dearer than both, and less green than b
    offers.back().site.green_power_share = built::said(0.9);
    const decision made = decide_on(offers, task());
    EXPECT_EQ(made.pareto, (std::vector<offer_id>{"p/a/n/on_demand", "p/b/n/on_demand"}));
}

/// Alike in all five respects, and "a" is older, so that "b" wins.
TEST(pareto, of_a_plan_holds_the_winner_beside_its_equal) {
    std::vector<offer> offers{plain("a"), plain("b"), plain("c")};
    offers[0].stale_after_s = 60;
    offers[0].as_of = built::now - seconds(120);
    const plan_result planned = plan(built::book_of(offers), {}, built_in_terms(), task(), built::world());
    ASSERT_EQ(planned.made.ranked.at(0).offer, "p/b/n/on_demand");
    EXPECT_EQ(planned.made.pareto.size(), 3u);
    std::vector<offer_id> told;
    for (const appraisal& each : planned.pareto)
        told.push_back(each.offer);
    EXPECT_EQ(told, (std::vector<offer_id>{"p/a/n/on_demand", "p/b/n/on_demand"}));
}

TEST(pareto, is_cut_so_that_the_winner_stays) {
    std::vector<pareto_point> all(4);
    for (std::uint32_t i = 0; i < 4; ++i)
        all[i].index = i;
    all[3].won = true;
    std::vector<pareto_point> whole = all;
    keep_first(whole, 4);
    EXPECT_EQ(whole.size(), 4u);
    keep_first(all, 2);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].index, 0u);
    EXPECT_EQ(all[1].index, 3u);
}

TEST(pareto, an_unknown_fact_beats_nothing) {
    auto offers = cheaper_and_greener();
    offers[1].site.green_power_share.reset();
    EXPECT_EQ(decide_on(offers, task()).pareto, (std::vector<offer_id>{"p/a/n/on_demand"}));
}

}  // namespace
}  // namespace westerly
