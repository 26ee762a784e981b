#include "tests/unit/simulate/scratch.hpp"
#include "tools/simulate/core/run.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

/// Card offers at three places: the dearer, the nearer to green power; the cheapest has `cheap_units` only.
supply three_sites(std::uint64_t cheap_units) {
    supply made;
    struct place {
        const char* name;
        std::int64_t price;
        double green, carbon;
        std::uint64_t units;
    };
    for (const place& at : {place{"coal", 10, 0.1, 800, cheap_units}, place{"mixed", 12, 0.4, 500, 1000},
                            place{"hydro", 14, 0.9, 50, 1000}}) {
        offer o;
        o.provider = at.name;
        o.site.site = o.site.region = o.site.grid_zone = at.name;
        o.site.jurisdiction = "CN";
        o.site.pue = sourced{1.2, "test", quality_class::declared};
        o.site.green_power_share = sourced{at.green, "test", quality_class::declared};
        o.site.carbon_g_per_kwh = sourced{at.carbon, "test", quality_class::declared};
        o.id = std::string(at.name) + "/" + at.name + "/card/on_demand";
        o.compute = compute_class::intelligent;
        o.vcpus = 8;
        o.memory_mib = 65536;
        accelerator_facts card;
        card.model = "A100";
        card.count = 1;
        card.stack = "cuda";
        card.training = card.inference = true;
        o.accelerators = card;
        o.stacks = {"cuda", "none"};
        o.units_free = at.units;
        o.price = unit_price{at.price * 1'000'000'000, currency::cny};
        o.idle_w = o.max_w = 2000;
        made.offers.push_back(o);
    }
    return made;
}

struct told {
    outcome made;
    std::map<std::size_t, offer_id> at;
};

told tell(const std::string& rows, const supply& from, run_setup setup, bool through_engine) {
    const scratch_folder here;
    auto trace = trace_reader::open(here.file("t.csv", "submit_time_s,duration_s,gpus,cpus,user\n" + rows), {}).value();
    told all;
    setup.chose = [&](std::size_t number, const offer_id& id) {
        all.at[number] = id;
    };
    all.made = (through_engine ? run_engine : run_trace)(trace, from, {}, setup).value();
    return all;
}

run_setup under(const std::string& name) {
    run_setup setup;
    setup.name = setup.rules.name = name;
    setup.begin = parse_rfc3339("2021-01-01T00:00:00Z").value();
    if (name == "priced")
        setup.rules.prices = {{"green_power", 1.5}, {"time", 5}};
    if (name == "ordered") {
        setup.how = tick_rule::by_turns;
        setup.rules.order_batch = setup.rules.order_service = setup.rules.order_interactive = {{"carbon", 0.01}};
    }
    return setup;
}

TEST(run_engine, chooses_as_placement_does_where_nobody_contends) {
    std::string rows;
    for (int i = 0; i < 60; ++i)
        rows += std::to_string(900 * (i / 4)) + "," + std::to_string(600 + 977 * (i % 17)) + ",1,1,u" +
                std::to_string(i % 3) + "\n";
    for (const char* policy : {"plain", "priced", "ordered"}) {
        const told engine = tell(rows, three_sites(1000), under(policy), true);
        const told placement = tell(rows, three_sites(1000), under(policy), false);
        EXPECT_EQ(engine.made.started, 60u) << policy;
        EXPECT_EQ(engine.at, placement.at) << policy;
        EXPECT_NEAR(engine.made.money, placement.made.money, 1e-3) << policy;
        EXPECT_NEAR(engine.made.energy_kwh, placement.made.energy_kwh, 1e-3) << policy;
        EXPECT_NEAR(engine.made.location_kg, placement.made.location_kg, 1e-3) << policy;
        EXPECT_NEAR(engine.made.market_kg, placement.made.market_kg, 1e-3) << policy;
        EXPECT_EQ(engine.made.wait_s.most(), 0) << policy;
        EXPECT_EQ(engine.made.users, 3u);
    }
}

TEST(run_engine, bills_and_meters_what_ran_and_waits_for_what_is_full) {
    // One card only, and two hours of work for it: 2 kW at a PUE of 1.2 are 4.8 kWh, at 800 g.
    supply one = three_sites(1);
    one.offers.resize(1);
    const told made = tell("0,3600,1,1,a\n0,3600,1,1,b\n", one, under("plain"), true);
    EXPECT_EQ(made.made.started, 2u);
    EXPECT_NEAR(made.made.money, 20, 1e-6);
    EXPECT_NEAR(made.made.energy_kwh, 4.8, 1e-6);
    EXPECT_NEAR(made.made.location_kg, 3.84, 1e-6);
    EXPECT_NEAR(made.made.non_green_kwh, 4.32, 1e-6);
    EXPECT_NEAR(made.made.wait_s.most(), 3600, 1);
    EXPECT_NEAR(made.made.utilisation, 1, 1e-3);
}

TEST(run_engine, comes_to_an_end_where_something_fits_nowhere) {
    const told made = tell("0,3600,1,1,a\n0,3600,2,1,b\n", three_sites(1), under("plain"), true);
    EXPECT_EQ(made.made.submitted, 2u);
    EXPECT_EQ(made.made.started + made.made.unplaceable, 2u);
    EXPECT_GE(made.made.started, 1u);
}

}  // namespace
}  // namespace westerly
