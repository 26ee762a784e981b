#include "tools/simulate/core/run.hpp"

#include "tests/unit/simulate/scratch.hpp"
#include "tools/simulate/core/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>

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

/// In which order the workloads of a trace start, by their numbers there.
std::vector<std::size_t> order_of(const scratch_folder& here, const std::string& rows, const supply& from,
                                  run_setup setup, outcome& made) {
    std::vector<std::size_t> order;
    setup.chose = [&](std::size_t number, const offer_id&) {
        order.push_back(number);
    };
    made = run(here, rows, from, setup);
    return order;
}

// Two nodes of eight cards are all there is. Two jobs of a node each hold them for two hours; five gangs of both nodes
// for an hour each come at 900 s; then a job of a node for an hour every quarter of one, twice as much as there is room
// for. A gang's start makes two of those wait, which costs more than its own wait: by cost it comes after them.
TEST(run_trace, nobody_is_left_behind_and_the_late_go_first) {
    constexpr std::size_t first_gang = 2, first_small = 7, all = 67;
    supply nodes = two_pools();
    nodes.offers.pop_back();
    nodes.offers[0].accelerators->count = 8;
    const scratch_folder here;
    std::string rows = "0,7200,8,8,b\n0,7200,8,8,b\n";
    for (std::size_t i = first_gang; i < first_small; ++i)
        rows += "900,3600,16,16,a\n";
    for (std::size_t i = first_small; i < all; ++i)
        rows += std::to_string(1800 + 900 * (i - first_small)) + ",3600,8,8,b\n";
    const auto place = [](const std::vector<std::size_t>& order, std::size_t number) {
        return std::ranges::find(order, number) - order.begin();
    };
    run_setup setup = setup_of(tick_rule::by_cost, 5);
    setup.max_wait_s = 6 * 3600;
    outcome made;
    const auto order = order_of(here, rows, nodes, setup, made);
    EXPECT_EQ(made.started, all);
    EXPECT_EQ(made.unplaceable, 0u);
    // Overdue at 22 500 s, when two jobs an hour have started since 7 200 s. From then on one gang after the other, and
    // no job that came after them in between.
    EXPECT_GE(place(order, first_gang), 8) << "until then small work costs less";
    for (std::size_t i = first_gang + 1; i < first_small; ++i)
        EXPECT_EQ(place(order, i), place(order, i - 1) + 1);
    EXPECT_TRUE(std::ranges::is_sorted(order.begin() + place(order, first_gang), order.end()))
        << "in order of the wait";
    EXPECT_GT(made.late, 4u);
    EXPECT_GT(made.lateness_s, 0);
    setup.max_wait_s = 1e9;
    outcome patient;
    const auto by_cost_alone = order_of(here, rows, nodes, setup, patient);
    EXPECT_EQ(patient.started, all);
    EXPECT_EQ(patient.late, 0u);
    EXPECT_GT(place(by_cost_alone, first_gang), place(order, first_gang) + 4) << "nobody is late";
    setup = setup_of(tick_rule::by_turns, 5);
    const auto in_turn = order_of(here, rows, nodes, setup, made);
    EXPECT_EQ(made.started, all);
    EXPECT_LT(place(in_turn, first_gang), 4) << "whoever has had nothing keeps a place, and others fill gaps only";
}

TEST(run_trace, a_task_that_fits_no_unit_is_told_and_holds_nobody_up) {
    supply only_cheap = two_pools();
    only_cheap.offers.pop_back();
    const scratch_folder here;
    for (const tick_rule how : {tick_rule::by_cost, tick_rule::by_turns}) {
        const outcome made =
            run(here, "0,86400,2,1,a\n1000,7200,1,1,b\n2000,7200,1,1,b\n", only_cheap, setup_of(how, 5));
        EXPECT_EQ(made.unplaceable, 1u) << "two cards are more than a unit of one";
        EXPECT_EQ(made.started, 2u);
    }
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
