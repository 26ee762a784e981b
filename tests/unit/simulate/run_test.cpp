#include "tools/simulate/core/run.hpp"

#include "tests/unit/simulate/scratch.hpp"
#include "tools/simulate/core/report.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

/// Card offers at one place: two cards at 10 CNY an hour, and more than enough at 20.
supply two_pools(std::uint64_t cheap_units = 2) {
    supply made;
    for (const auto& [name, price, units] :
         {std::tuple{"cheap", 10, cheap_units}, std::tuple{"dear", 20, std::uint64_t{100}}}) {
        offer o;
        o.provider = name;
        o.site.site = o.site.region = "here";
        o.site.grid_zone = "A";
        o.site.pue = sourced{1.2, "test", quality_class::declared};
        o.site.green_power_share = sourced{0.25, "test", quality_class::declared};
        o.id = std::string(name) + "/here/card/on_demand";
        o.compute = compute_class::intelligent;
        o.vcpus = 8;
        o.memory_mib = 65536;
        accelerator_facts card;
        card.model = "A100";
        card.count = 1;
        card.stack = "cuda";
        o.accelerators = card;
        o.stacks = {"cuda", "none"};
        o.units_free = units;
        o.price = unit_price{price * 1'000'000'000ll, currency::cny};
        o.idle_w = o.max_w = 1000;
        made.offers.push_back(o);
    }
    return made;
}

run_setup setup_of(tick_rule how, double later_price_per_h) {
    run_setup setup;
    setup.name = "test";
    setup.how = how;
    setup.begin = parse_rfc3339("2021-01-01T00:00:00Z").value();
    setup.later_price_per_h = later_price_per_h;
    if (later_price_per_h > 0)
        setup.rules.prices = {{"time", later_price_per_h}};
    return setup;
}

outcome run(const scratch_folder& here, const std::string& rows, const supply& from, const run_setup& setup,
            const carbon_series& carbon = {}) {
    auto trace = trace_reader::open(here.file("t.csv", "submit_time_s,duration_s,gpus,cpus,user\n" + rows), {}).value();
    return run_trace(trace, from, carbon, setup).value();
}

TEST(run_trace, without_contention_the_gap_is_exactly_0) {
    const scratch_folder here;
    const outcome made =
        run(here, "0,3600,1,1,a\n0,7200,1,1,b\n90000,3600,1,1,a\n", two_pools(), setup_of(tick_rule::by_cost, 5));
    EXPECT_EQ(made.started, 3u);
    EXPECT_DOUBLE_EQ(made.money, 10 * (1 + 2 + 1));
    ASSERT_TRUE(made.same_information && made.hindsight);
    EXPECT_EQ(made.same_information->cost, made.same_information->bound);
    EXPECT_EQ(made.same_information->contended, 0u);
    EXPECT_EQ(made.hindsight->gap_percent(), 0);
    EXPECT_FALSE(made.same_information->undiluted_percent().has_value());
}

TEST(run_trace, the_long_work_gets_the_cheap_card_and_the_short_the_dear_one) {
    // One cheap card. Ten hours there instead of the dear one save 100, one hour saves 10; waiting ten hours costs 50.
    const scratch_folder here;
    const std::string rows = "0,3600,1,1,a\n0,36000,1,1,b\n";
    const outcome made = run(here, rows, two_pools(1), setup_of(tick_rule::by_cost, 5));
    // The short one waits at most: 1 h on the cheap card first costs the long one 5 for its hour's wait, and saves 10.
    EXPECT_DOUBLE_EQ(made.money, 10 + 100) << "both on the cheap card, one after the other";
    EXPECT_DOUBLE_EQ(made.wait_s.mean(), 1800);
    const outcome greedy = run(here, rows, two_pools(1), setup_of(tick_rule::first_fit, 0));
    EXPECT_DOUBLE_EQ(greedy.money, 10 + 200) << "whoever comes first takes the cheap one, and nobody waits";
    ASSERT_TRUE(made.same_information);
    EXPECT_LE(made.same_information->gap_percent(), 0.01);
}

TEST(run_trace, counts_energy_and_both_carbon_numbers_by_the_hours_that_it_ran) {
    const scratch_folder here;
    const auto carbon = carbon_series::read(here.file("c.csv",
                                                      "zone,utc,ci_direct_g_kwh\nA,2021-01-01T00:00Z,400\n"
                                                      "A,2021-01-01T01:00Z,200\nA,2021-01-01T02:00Z,100\n"))
                            .value();
    const outcome made = run(here, "0,7200,1,1,a\n", two_pools(), setup_of(tick_rule::by_cost, 5), carbon);
    // 1 kW for 2 h with a PUE of 1.2: 2.4 kWh at 300 g; a quarter is covered by green power.
    EXPECT_NEAR(made.energy_kwh, 2.4, 1e-9);
    EXPECT_NEAR(made.location_kg, 0.72, 1e-9);
    EXPECT_NEAR(made.non_green_kwh, 1.8, 1e-9);
    EXPECT_NEAR(made.market_kg, 0.54, 1e-9);
}

TEST(run_trace, nobody_is_left_behind_and_the_late_go_first) {
    // 101 gangs of two cards for a day each, where two cheap cards are all there is.
    supply only_cheap = two_pools();
    only_cheap.offers.pop_back();
    const scratch_folder here;
    std::string rows;
    for (int i = 0; i < 5; ++i)
        rows += "0,86400,2,1,a\n";
    for (int i = 0; i < 40; ++i)
        rows += std::to_string(1000 * i + 1000) + ",7200,1,1,b\n";
    run_setup setup = setup_of(tick_rule::by_cost, 5);
    const outcome made = run(here, rows, only_cheap, setup);
    EXPECT_EQ(made.started, 0u + 40u) << "a task of two cards does not fit a unit of one";
    EXPECT_EQ(made.unplaceable, 5u);
    setup.how = tick_rule::by_turns;
    EXPECT_EQ(run(here, rows, only_cheap, setup).started, 40u);
}

TEST(run_trace, every_rule_starts_everything_and_rules_differ) {
    const scratch_folder here;
    std::string rows;
    for (int i = 0; i < 60; ++i)
        rows += std::to_string(600 * i) + "," + std::to_string(900 + 977 * (i % 7)) + ",1,1,u" + std::to_string(i % 3) +
                "\n";
    for (const tick_rule how : {tick_rule::by_cost, tick_rule::by_turns, tick_rule::one_by_one, tick_rule::first_fit,
                                tick_rule::round_robin, tick_rule::cheapest_hour, tick_rule::nearest_first}) {
        const outcome made = run(here, rows, two_pools(), setup_of(how, 5));
        EXPECT_EQ(made.started, 60u);
        EXPECT_EQ(made.users, 3u);
        EXPECT_GT(made.jain, 0.5);
        EXPECT_LE(made.jain, 1 + 1e-12);
    }
    const double together = run(here, rows, two_pools(), setup_of(tick_rule::by_cost, 5)).money;
    const double in_turn = run(here, rows, two_pools(), setup_of(tick_rule::round_robin, 5)).money;
    EXPECT_LT(together, in_turn);
}

TEST(report, a_name_with_a_comma_stays_one_field) {
    outcome run;
    run.name = "my \"best\", by ticks";
    run.policy_version = "v";
    const std::string csv = as_csv({run});
    EXPECT_NE(csv.find("\n\"my \"\"best\"\", by ticks\",v,"), std::string::npos) << csv;
}

}  // namespace
}  // namespace westerly
