// within_of_least: the cheapest of what is near the least of a term.
#include "broker/placement/feasible.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace westerly::built {
namespace {

using testing::HasSubstr;

/// An hour of 100 W at PUE 1.2: 0.12 kWh, so 500 g/kWh are 0.06 kg.
offer emitting(const std::string& site, double price, double g_per_kwh) {
    offer o = plain(site, price);
    o.site.carbon_g_per_kwh = said(g_per_kwh);
    return o;
}

policy near_least(const std::string& term, double within) {
    policy p;
    p.within_of_least = least_rule{term, within};
    return p;
}

const std::vector<offer> three = {emitting("clean", 3, 400), emitting("nearly", 2, 440), emitting("dirty", 1, 441)};

TEST(within_of_least, leaves_the_cheapest_of_what_is_near) {
    const decision made = decide_on(three, task(), near_least("carbon", 0.1));
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"nearly", "clean"}));
    EXPECT_EQ(only_rejection(made), rejection::too_far_from_least);
    ASSERT_TRUE(made.baseline);
    EXPECT_EQ(made.baseline->site, "dirty") << "the cheapest feasible one is told as ever";
}

TEST(within_of_least, freezes_its_baseline) {
    const decision made = decide_on(three, task(), near_least("carbon", 0.1));
    const auto told = std::ranges::find(made.notes, note_kind::within_of_least, &note::kind);
    ASSERT_NE(told, made.notes.end());
    EXPECT_EQ(told->words, (std::vector<std::string>{"p/clean/n/on_demand", "carbon", "kg"}));
    EXPECT_EQ(told->figures[0], 0.1);
    EXPECT_NEAR(told->figures[1], 0.048, 1e-12);
    EXPECT_THAT(explain(made),
                HasSubstr("Only offers within 10 % over the least of \"carbon\" (0.048 kg, p/clean/n/on_demand) were"));
    EXPECT_THAT(explain(made, language::zh), HasSubstr("“carbon”不超过最低者（p/clean/n/on_demand，0.048 kg）10 %"));
}

TEST(within_of_least, bounds_nothing_that_does_not_apply) {
    offer far = plain("far", 0.5);
    far.site.rtt_ms = {{"here", 200}};
    offer near = plain("near", 1);
    near.site.rtt_ms = {{"here", 2}};
    workload_spec spec = task();
    spec.limits.from = origin{.region = "here", .latitude_longitude = {}};
    const policy rules = near_least("rtt", 1);
    EXPECT_EQ(sites_of(decide_on({far, near}, spec, rules)), (std::vector<std::string>{"far", "near"}));
    spec.interactive = true;
    EXPECT_EQ(sites_of(decide_on({far, near}, spec, rules)), (std::vector<std::string>{"near"}));
}

TEST(within_of_least, takes_no_unknown_figure_for_the_least) {
    offer unknown = plain("unknown", 0.1);
    unknown.site.carbon_g_per_kwh.reset();
    const decision made = decide_on({unknown, emitting("clean", 3, 400)}, task(), near_least("carbon", 10));
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"clean"}));
    EXPECT_EQ(only_rejection(made), rejection::quantity_unknown);
}

TEST(within_of_least, prefers_what_can_be_launched_for_its_baseline) {
    auto offers = three;
    offers[0].launchable = false;
    decision_world around = world();
    around.plan_only_too = true;
    const plan_result made = plan(book_of(offers), near_least("carbon", 0), built_in_terms(), task(), around);
    EXPECT_EQ(sites_of(made.made), (std::vector<std::string>{"nearly", "clean"}));
    ASSERT_EQ(made.rejected.size(), 1u);
    EXPECT_EQ(made.rejected[0], std::pair(offers[2].id, rejection::too_far_from_least));
    for (const appraisal& each : made.pareto)
        EXPECT_NE(each.site, "dirty");
}

TEST(within_of_least, is_what_is_assigned_by_too) {
    const auto all = feasible_offers(book_of(three), near_least("carbon", 0.1), built_in_terms(), task(), world());
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].cost_base, 2);
}

/// Two sizes of a gang: on two cards the run takes half as long and a little more energy.
TEST(within_of_least, counts_from_the_least_of_all_sizes) {
    offer on = plain("a", 1);
    on.accelerators = accelerator_facts{.model = "X1",
                                        .count = 1,
                                        .memory_gib = 80,
                                        .interconnect_gb_s = 100,
                                        .stack = "cuda",
                                        .host_link_gb_s = 64,
                                        .scale_up_cards = 8};
    accelerator_model reference{"X1", "", {}, {}, std::nullopt};
    reference.facts = *on.accelerators;
    const accelerator_table known({reference});
    decision_world around = world();
    around.accelerators = &known;
    workload_spec spec = task();
    spec.resources.accelerators = {{.model = "X1", .count = 1, .min_memory_gib = 0, .stack = {}}};
    spec.work.runtime_s.reset();
    spec.work.accelerator_hours = 10;
    spec.work.reference = reference_cards{"X1", 2};
    spec.work.communication = 0.2;
    spec.tasks_max = 2;
    policy fast = near_least("carbon", 0.1);
    fast.prices = {{.term = "time", .per_unit = 100}};
    EXPECT_EQ(decide_on({on}, spec, fast, around).ranked.at(0).tasks, 1u) << "two take a quarter more energy";
    fast.within_of_least->within = 0.3;
    const decision made = decide_on({on}, spec, fast, around);
    EXPECT_EQ(made.ranked.at(0).tasks, 2u);
}

TEST(within_of_least, names_a_built_in_term) {
    EXPECT_TRUE(check_policy(near_least("finish", 0), built_in_terms()));
    const auto refused = check_policy(near_least("noise", 0), built_in_terms());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().faults.at(0).pointer, "/within_of_least/term");
    std::vector<term> with_library(built_in_terms().begin(), built_in_terms().end());
    with_library.push_back(foreign_term("water", "l", "Water."));
    EXPECT_FALSE(check_policy(near_least("water", 0), with_library));
}

}  // namespace
}  // namespace westerly::built
