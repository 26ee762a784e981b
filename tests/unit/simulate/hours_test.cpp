#include "tools/simulate/core/hours.hpp"

#include "tests/unit/simulate/checker.hpp"
#include "tests/unit/simulate/scratch.hpp"
#include "tools/simulate/core/run.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct tariff {
    const char* name;
    std::int64_t price;  // CNY an hour
    std::vector<price_window> windows;
    std::uint64_t units;
};

price_window window(int from_h, int to_h, std::int64_t price, std::uint8_t days = price_window::every_day) {
    return {.days = days,
            .from_min = static_cast<std::uint16_t>(from_h * 60),
            .to_min = static_cast<std::uint16_t>(to_h * 60),
            .nanos = price * 1'000'000'000};
}

supply offers_of(const std::vector<tariff>& tariffs) {
    supply made;
    for (const tariff& at : tariffs) {
        offer o;
        o.provider = at.name;
        o.site.site = o.site.region = o.site.grid_zone = at.name;
        o.site.pue = sourced{1.2, "test", quality_class::declared};
        o.site.green_power_share = sourced{0.3, "test", quality_class::declared};
        o.site.carbon_g_per_kwh = sourced{500, "test", quality_class::declared};
        o.id = std::string(at.name) + "/" + at.name + "/cpu/on_demand";
        o.vcpus = 8;
        o.memory_mib = 65536;
        o.units_free = at.units;
        o.price = unit_price{at.price * 1'000'000'000, currency::cny};
        o.schedule.windows = at.windows;
        o.idle_w = o.max_w = 1000;
        made.offers.push_back(o);
    }
    return made;
}

/// Cheap at night, cheap at noon of working days, and always the same.
supply three_tariffs(std::uint64_t units) {
    return offers_of({{"night", 20, {window(22, 6, 4)}, units},
                      {"noon", 14, {window(11, 15, 3, 0x1F)}, units},
                      {"same", 9, {}, 1000}});
}

instant begin() {
    return parse_rfc3339("2021-01-01T00:00:00Z").value();  // a Friday
}

run_setup under(const std::string& name) {
    run_setup setup;
    setup.name = setup.rules.name = name;
    setup.begin = begin();
    if (name == "priced") {
        setup.rules.prices = {{"green_power", 0.5}, {"time", 0.25}};
        setup.later_price_per_h = 0.25;
    }
    if (name == "ordered") {
        setup.how = tick_rule::by_turns;
        setup.rules.order_batch = setup.rules.order_service =
            setup.rules.order_interactive = {{"carbon", 0.01}, {"cost", 0}};
    }
    return setup;
}

/// Our own list: each came so many minutes after the begin, runs so many, and says so of time.
struct asked {
    int after_min;
    int runs_min;
    std::string timing = "";
    std::string more = "";
};
std::string list_of(const std::vector<asked>& all) {
    std::string text;
    for (const asked& each : all)
        text += (text.empty() ? R"({"items": [)" : ", ") +
                (R"({"created_at": ")" + format_rfc3339(begin() + minutes(each.after_min)) + R"(", "spec": {)") +
                R"("kind": "batch", "name": "n", "resources": {"vcpus": 1, "memory_mib": 64}, )" +
                R"("variants": [{"command": ["true"]}], "work": {"runtime_s": )" + std::to_string(each.runs_min * 60) +
                R"(}, "timing": {)" + each.timing + "}" + each.more + "}}";
    return text + "]}\n";
}
std::string at(int after_min) {
    return '"' + format_rfc3339(begin() + minutes(after_min)) + '"';
}

struct told {
    outcome made;
    std::map<std::size_t, offer_id> where;
};
told tell(const std::vector<asked>& workloads, const supply& from, run_setup setup, bool through_engine = false) {
    const scratch_folder here;
    auto trace = trace_reader::open(here.file("t.json", list_of(workloads)), {}).value();
    setup.begin += *trace.begin() - begin();
    told all;
    setup.chose = [&](std::size_t number, const offer_id& id) {
        all.where[number] = id;
    };
    all.made = (through_engine ? run_engine : run_trace)(trace, from, {}, setup).value();
    return all;
}

void expect_alike(const told& engine, const told& ticks, const std::string& policy, std::size_t started) {
    EXPECT_EQ(engine.made.started, started) << policy;
    EXPECT_EQ(ticks.made.started, started) << policy;
    EXPECT_EQ(engine.where, ticks.where) << policy;
    EXPECT_NEAR(engine.made.money, ticks.made.money, 1e-3) << policy;
    EXPECT_NEAR(engine.made.energy_kwh, ticks.made.energy_kwh, 1e-3) << policy;
    EXPECT_NEAR(engine.made.wait_s.mean(), ticks.made.wait_s.mean(), 1e-3) << policy;
    EXPECT_NEAR(engine.made.wait_s.most(), ticks.made.wait_s.most(), 1e-3) << policy;
}

TEST(prices_by_hour, engine_and_ticks_agree_on_work_that_starts_at_once) {
    std::vector<asked> all;
    for (int i = 0; i < 90; ++i)
        all.push_back({45 * i, 10 + 41 * (i % 13)});
    for (const char* policy : {"plain", "priced", "ordered"})
        for (const bool later : {false, true}) {
            run_setup setup = under(policy);
            setup.begin += later ? hours(53) : hours(0);
            // Those that came between two ticks wait for the next in one of them.
            for (asked& each : all)
                each.after_min = each.after_min / 15 * 15;
            const told engine = tell(all, three_tariffs(1000), setup, true);
            expect_alike(engine, tell(all, three_tariffs(1000), setup), policy, all.size());
            EXPECT_EQ(engine.made.wait_s.most(), 0) << policy;
        }
}

TEST(prices_by_hour, engine_and_ticks_agree_on_work_that_may_be_put_off) {
    std::vector<asked> all;
    for (int i = 0; i < 90; ++i) {
        const int after = 45 * i / 15 * 15, runs = 15 * (1 + i % 11);
        std::string timing = R"("max_delay_s": )" + std::to_string(1800 * (i % 7));
        if (i % 5 == 1)
            timing += R"(, "deadline_at": )" + at(after + runs + 60 * (i % 9));
        if (i % 5 == 2)
            timing += R"(, "earliest_start_at": )" + at(after + 15 * (i % 40));
        if (i % 5 == 3)
            timing = R"("max_delay_s": 80000)";  // past the slots that a tick looks ahead
        all.push_back({after, runs, timing});
    }
    for (const char* policy : {"plain", "priced", "ordered"}) {
        const told engine = tell(all, three_tariffs(1000), under(policy), true);
        const told ticks = tell(all, three_tariffs(1000), under(policy));
        expect_alike(engine, ticks, policy, all.size());
        EXPECT_GT(engine.made.wait_s.most(), 0) << policy;
        if (policy == std::string("ordered"))
            continue;
        EXPECT_EQ(ticks.made.same_information->contended, 0u) << policy;
        EXPECT_EQ(ticks.made.same_information->gap_percent(), 0) << policy;
        EXPECT_EQ(ticks.made.hindsight->cost, ticks.made.hindsight->bound) << policy;
    }
}

TEST(prices_by_hour, what_ran_is_billed_by_the_hours_that_it_ran) {
    const supply one = offers_of({{"valley", 10, {window(2, 4, 4)}, 5}});
    for (const bool through_engine : {true, false}) {
        // From 01:30 to 02:30; from 03:45 to 06:45; and one that waits for 02:00.
        const told made =
            tell({{90, 60}, {225, 180}, {0, 120, R"("max_delay_s": 9000)"}}, one, under("plain"), through_engine);
        EXPECT_NEAR(made.made.money, (5 + 2) + (1 + 27.5) + 8, 1e-6);
        EXPECT_EQ(made.made.wait_s.most(), 7200);
    }
}

TEST(prices_by_hour, a_limit_waits_for_its_hour) {
    const supply one = offers_of({{"valley", 10, {window(2, 4, 4)}, 5}});
    const std::string limit = R"(, "constraints": {"max_price_per_hour": {"amount": "5", "currency": "CNY"}})";
    for (const bool through_engine : {true, false}) {
        const told made = tell({{0, 60, "", limit}, {30, 180, "", limit}}, one, under("plain"), through_engine);
        EXPECT_EQ(made.made.started, 1u) << "three hours are never below the limit";
        EXPECT_NEAR(made.made.money, 4, 1e-6);
    }
}

TEST(prices_by_hour, certificates_of_contended_ticks_hold) {
    if (!has_python())
        GTEST_SKIP() << "skipped: no /usr/bin/python3";
    std::vector<asked> all;
    for (int i = 0; i < 120; ++i)
        all.push_back({15 * (i / 2), 30 + 37 * (i % 11),
                       i % 3 == 0 ? R"("max_delay_s": )" + std::to_string(3600 * (i % 15)) : ""});
    const scratch_folder here;
    for (const char* policy : {"plain", "priced"}) {
        run_setup setup = under(policy);
        std::string lines;
        std::size_t count = 0;
        setup.certify = [&](const std::string& line) {
            lines += line + "\n";
            ++count;
        };
        supply scarce = three_tariffs(3);
        scarce.offers.back().units_free = 4;
        const told made = tell(all, scarce, setup);
        EXPECT_EQ(made.made.started, all.size());
        EXPECT_GT(count, 10u);
        EXPECT_EQ(check_certificates(here.file("c.jsonl", lines)), 0);
        EXPECT_LT(made.made.same_information->gap_percent(), 1);
        EXPECT_GE(made.made.hindsight->cost, made.made.hindsight->bound);
        setup.how = tick_rule::by_turns;
        EXPECT_EQ(tell(all, scarce, setup).made.started, all.size());
    }
}

TEST(prices_by_hour, baselines_see_the_hour_and_never_wait_for_another) {
    const supply two = offers_of({{"night", 20, {window(22, 6, 4)}, 5}, {"same", 9, {}, 5}});
    run_setup setup = under("plain");
    setup.how = tick_rule::cheapest_hour;
    const std::string slack = R"("max_delay_s": 80000)";
    // An hour is cheapest at night when it begins at 05:45, though most of the run is dear.
    const told made = tell({{60, 60, slack}, {345, 120, slack}, {720, 60, slack}}, two, setup);
    EXPECT_EQ(made.where.at(0), two.offers[0].id);
    EXPECT_EQ(made.where.at(1), two.offers[0].id);
    EXPECT_EQ(made.where.at(2), two.offers[1].id);
    EXPECT_NEAR(made.made.money, 4 + (0.25 * 4 + 1.75 * 20) + 9, 1e-9);
    setup.how = tick_rule::one_by_one;
    EXPECT_NEAR(tell({{345, 120, slack}}, two, setup).made.money, 18, 1e-9);
    EXPECT_EQ(made.made.wait_s.most(), 0);
}

TEST(prices_by_hour, waiting_unasked_never_counts_as_cheaper) {
    const price_curve prices(10'000'000'000, {.windows = {window(2, 4, 4)}});
    hourly_costs of{.prices = &prices,
                    .from_ms = begin().time_since_epoch().count(),
                    .billed_ms = 3'600'000,
                    .units = 1,
                    .price_max = std::numeric_limits<std::int64_t>::max(),
                    .nano_ms_max = wide{1} << 100};
    const auto costs = [&] {
        std::vector<double> each;
        for (const cost_level& level : cost_levels(of, 0, 3'600'000, 6))
            each.insert(each.end(), level.last - level.first + 1, level.j);
        return each;
    };
    EXPECT_EQ(costs(), (std::vector<double>{10, 10, 10, 10, 10, 10}));
    of.slack_until_ms = of.from_ms + 2 * 3'600'000;
    EXPECT_EQ(costs(), (std::vector<double>{10, 10, 4, 4, 10, 10}));
    of.price_max = 5'000'000'000;
    of.slack_until_ms = 0;
    EXPECT_EQ(cost_levels(of, 0, 3'600'000, 6).size(), 1u) << "the limit leaves two hours";
}

TEST(timing_of_a_list, bounds_starts_through_the_engine_and_by_ticks) {
    const supply one = offers_of({{"only", 10, {}, 1}});
    for (const bool through_engine : {true, false}) {
        const told made = tell({{0, 120},
                                {15, 60, R"("max_wait_s": 3600)"},
                                {15, 60, R"("deadline_at": )" + at(100)},
                                {30, 60, R"("earliest_start_at": )" + at(300)}},
                               one, under("plain"), through_engine);
        EXPECT_EQ(made.made.started, 2u) << through_engine;
        EXPECT_EQ(made.where.count(0) + made.where.count(3), 2u);
        EXPECT_EQ(made.made.unplaceable, 2u);
        EXPECT_EQ(made.made.why_unplaceable.count(waited_too_long), 1u);
        EXPECT_EQ(made.made.wait_s.most(), 0) << "nobody waits before it wants to start";
    }
}

}  // namespace
}  // namespace westerly
