// What a decision says besides its figures, so that they are read rightly and can be acted on.
#include "policies/table.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace westerly::built {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr milliseconds hour{3'600'000};

const note* find_note(const decision& made, note_kind kind) {
    const auto at = std::ranges::find(made.notes, kind, &note::kind);
    return at == made.notes.end() ? nullptr : &*at;
}

policy time_at(double per_hour) {
    policy p;
    p.prices = {{.term = "time", .per_unit = per_hour}};
    return p;
}

/// One card a task: ten hours on one; on two a quarter more of everything, in six hours and a quarter.
struct sizes : testing::Test {
    sizes() {
        on.accelerators = accelerator_facts{.model = "X1",
                                            .count = 1,
                                            .memory_gib = 80,
                                            .fp16_tflops = 300,
                                            .interconnect_gb_s = 600,
                                            .stack = "cuda",
                                            .host_link_gb_s = 64,
                                            .scale_up_cards = 8};
        reference.facts = *on.accelerators;
        known = accelerator_table({reference});
        around.accelerators = &known;
        spec.resources.accelerators = {{.model = "X1", .count = 1, .min_memory_gib = 0, .stack = {}}};
        spec.work.runtime_s.reset();
        spec.work.accelerator_hours = 10;
        spec.work.reference = reference_cards{"X1", 2};
        spec.work.communication = 0.2;
        spec.tasks_max = 2;
    }
    decision made_on(const std::vector<offer>& offers, const policy& rules) const {
        return decide_on(offers, spec, rules, around);
    }
    offer on = plain("a");
    accelerator_model reference{"X1", "", {}, {}, std::nullopt};
    accelerator_table known;
    decision_world around = world();
    workload_spec spec = task();
};

TEST_F(sizes, of_one_offer_are_not_taken_for_each_other) {
    const decision made = made_on({on}, time_at(100));
    ASSERT_EQ(made.ranked.at(0).tasks, 2u);
    ASSERT_EQ(made.baseline->tasks, 1u);
    for (const auto& [spoken, gang] : {std::pair{language::en, "p/a/n/on_demand with a gang of 1 at "},
                                       std::pair{language::zh, "p/a/n/on_demand，1 个一组"}})
        EXPECT_THAT(explain(made, spoken), HasSubstr(gang));
    EXPECT_THAT(explain(made), Not(HasSubstr("also the cheapest")));
    EXPECT_THAT(explain(made_on({on}, {})), HasSubstr("The winner is also the cheapest feasible offer."));
}

TEST_F(sizes, are_bounded_by_the_cheapest_of_all_and_it_is_told) {
    policy rules = time_at(100);
    rules.within_of_cheapest = 0.3;
    const decision made = made_on({on}, rules);
    ASSERT_EQ(made.ranked.at(0).tasks, 2u);
    ASSERT_EQ(made.baseline->tasks, 1u);
    const note* bound = find_note(made, note_kind::within_of_cheapest);
    ASSERT_TRUE(bound);
    EXPECT_EQ(bound->figures, (std::vector<double>{0.3, made.baseline->cost_base}));
}

TEST_F(sizes, leave_out_of_the_rejected_what_is_ranked_at_another) {
    offer alone = on;
    alone.id = "p/b/n/on_demand";
    alone.site.site = "b";
    alone.units_free = 1;
    const auto planned = plan(book_of({on, alone}), time_at(100), built_in_terms(), spec, around);
    ASSERT_EQ(planned.made.ranked.size(), 2u);
    ASSERT_EQ(planned.made.ranked[0].tasks, 2u);
    EXPECT_EQ(planned.made.ranked[1].tasks, 1u);
    EXPECT_TRUE(planned.made.rejections.empty());
    EXPECT_TRUE(planned.rejected.empty());
    EXPECT_EQ(made_on({on, alone}, time_at(100)).rejections, planned.made.rejections);
}

TEST(advice, a_note_tells_an_architecture_that_nobody_asked_for) {
    offer arm = plain("a");
    arm.architecture = "arm64";
    workload_spec spec = task();
    EXPECT_THAT(explain(decide_on({arm}, spec)), HasSubstr("No architecture was stated; p/a/n/on_demand is arm64"));
    EXPECT_FALSE(find_note(decide_on({plain("a")}, spec), note_kind::architecture_any));
    spec.resources.architecture = "arm64";
    EXPECT_FALSE(find_note(decide_on({arm}, spec), note_kind::architecture_any));
}

TEST(advice, a_deadline_that_has_passed_is_told) {
    workload_spec spec = task();
    spec.when.deadline_at = now;
    EXPECT_THAT(explain(decide_on({plain("a")}, spec)), HasSubstr("has passed already"));
    spec.when.deadline_at = now + milliseconds(1);
    EXPECT_FALSE(find_note(decide_on({plain("a")}, spec), note_kind::deadline_passed));
}

TEST(advice, a_deadline_that_nothing_keeps_is_told_where_all_is_full) {
    offer full = plain("a");
    full.units_free = 1;
    workload_spec spec = task();
    spec.resources.vcpus = 8;
    spec.when.deadline_at = now + hour - milliseconds(1);
    offer_book book = book_of({full});
    book.set_our_live_units(full.id, 1);
    const auto told = [&] {
        const decision made = decide(book, {}, built_in_terms(), spec, world());
        EXPECT_EQ(only_rejection(made), rejection::capacity_now);
        return find_note(made, note_kind::deadline_unreachable) != nullptr;
    };
    EXPECT_TRUE(told());
    spec.when.deadline_at = now + hour;
    EXPECT_FALSE(told());
}

TEST_F(sizes, are_all_tried_before_a_deadline_is_told_to_be_out_of_reach) {
    on.units_free = 2;
    offer_book book = book_of({on});
    book.set_our_live_units(on.id, 1);
    const auto told = [&](milliseconds until) {
        spec.when.deadline_at = now + until;
        const decision made = decide(book, {}, built_in_terms(), spec, around);
        EXPECT_TRUE(made.ranked.empty());
        return find_note(made, note_kind::deadline_unreachable) != nullptr;
    };
    EXPECT_FALSE(told(8 * hour)) << "two cards are in time, and one of them is taken";
    EXPECT_TRUE(told(4 * hour));
}

TEST(advice, a_bound_on_cost_is_in_money) {
    policy rules;
    rules.within_of_least = least_rule{"cost", 0.1};
    EXPECT_THAT(explain(decide_on({plain("a", 2.5)}, task(), rules)), HasSubstr("(2.5 CNY, p/a/n/on_demand)"));
}

/// An hour's run on prices of 4, then 1, then 4; the grid the same at all times unless said otherwise.
struct reasons_to_wait : testing::Test {
    reasons_to_wait() {
        spec.when.max_delay_s = 12 * 3600;
        grid.zone = "Z";
        grid.source = "grid";
        grid.quality = quality_class::modelled_hourly;
        grid.received_at = now;
        on.site.grid_zone = "Z";
    }
    decision made(std::vector<double> prices, std::vector<double> carbon, const policy& rules = {}) {
        for (std::size_t h = 0; h < prices.size(); ++h)  // now is eight o'clock
            on.schedule.windows.push_back({.from_min = static_cast<std::uint16_t>(480 + 60 * h),
                                           .to_min = static_cast<std::uint16_t>(540 + 60 * h),
                                           .nanos = static_cast<std::int64_t>(prices[h] * 1e9)});
        for (std::size_t h = 0; h < carbon.size(); ++h)
            grid.intervals.push_back(
                {now + static_cast<int>(h) * hour, now + static_cast<int>(h + 1) * hour, carbon[h], true});
        signals.receive("test", {grid}, now);
        decision_world around = world();
        around.signals = &signals;
        return decide_on({on}, spec, rules, around);
    }
    offer on = plain("a", 4);
    workload_spec spec = task();
    signal_series grid;
    signal_book signals;
};

TEST_F(reasons_to_wait, power_is_none_where_the_policy_does_not_weigh_it) {
    const decision found = made({4, 1, 4}, {500, 100, 500});
    ASSERT_TRUE(found.put_off);
    EXPECT_EQ(found.put_off->launch_at, now + hour);
    EXPECT_FALSE(find_note(found, note_kind::put_off)) << explain(found);
    EXPECT_TRUE(find_note(found, note_kind::put_off_price));
}

TEST_F(reasons_to_wait, a_dearer_hour_is_none) {
    policy cleanest;
    cleanest.order_batch = cleanest.order_service = cleanest.order_interactive = {{"carbon", 0}, {"cost", 0}};
    const decision found = made({1, 4, 4}, {500, 100, 500}, cleanest);
    ASSERT_TRUE(found.put_off);
    EXPECT_EQ(found.put_off->launch_at, now + hour);
    EXPECT_TRUE(find_note(found, note_kind::put_off));
    EXPECT_FALSE(find_note(found, note_kind::put_off_price)) << explain(found);
    EXPECT_THAT(explain(found), Not(HasSubstr("also the cheapest")));
}

TEST_F(reasons_to_wait, cleaner_and_cheaper_is_told_as_both) {
    policy cleanest;
    cleanest.order_batch = cleanest.order_service = cleanest.order_interactive = {{"carbon", 0}, {"cost", 0}};
    const decision found = made({4, 1, 4}, {500, 100, 500}, cleanest);
    EXPECT_THAT(explain(found), HasSubstr("it emits 0.048 kg CO2e less and costs 3.00 CNY less"));
    EXPECT_THAT(explain(found, language::zh), HasSubstr("少排放 0.048 kg CO2e，且少花费 3.00 CNY"));
}

compliance_rule links_below_600() {
    compliance_rule rule;
    rule.name = "links";
    rule.forbid.fact = offer_fact::interconnect_gb_s;
    rule.forbid.comparison = fact_comparison::at_least;
    rule.forbid.value = 600;
    return rule;
}

TEST(advice, a_rule_that_forbids_is_named_and_so_is_what_is_not_known) {
    offer o = plain("a");
    o.accelerators =
        accelerator_facts{.model = "A100", .count = 8, .memory_gib = 80, .interconnect_gb_s = 600, .stack = "cuda"};
    workload_spec spec = task();
    spec.limits.compliance = {links_below_600()};
    spec.limits.compliance[0].until_at = now + hour;
    const std::string text = explain(decide_on({o}, spec));
    EXPECT_THAT(text, HasSubstr("The compliance rule \"links\" forbids A100."));
    EXPECT_THAT(text, HasSubstr("an offer is forbidden until 2027-01-15T09:00:00"));
    o.launchable = false;
    EXPECT_THAT(explain(decide_on({o}, spec)), Not(HasSubstr("is forbidden until")));
    decision_world planning = built::world();
    planning.plan_only_too = true;
    EXPECT_THAT(explain(decide_on({o}, spec, {}, planning)),
                HasSubstr("an offer is forbidden until 2027-01-15T09:00:00"));
    o.launchable = true;
    o.accelerators->interconnect_gb_s = 0;
    EXPECT_THAT(explain(decide_on({o}, spec)), HasSubstr("turns on interconnect_gb_s, which is not known of A100"));
}

TEST(advice, an_offer_that_begins_later_tells_when) {
    offer o = plain("a");
    o.supply.available_from = now + 3 * hour;
    EXPECT_THAT(explain(decide_on({o}, task())), HasSubstr("An offer is available from 2027-01-15T11:00:00"));
}

TEST(advice, what_the_policy_ranks_by_is_told_where_it_is_not_known) {
    offer o = plain("a");
    o.max_w.reset();
    policy rules;
    rules.prices = {{.term = "green_power", .per_unit = 1}};
    EXPECT_THAT(explain(decide_on({o}, task(), rules)), HasSubstr("The policy ranks by the power draw; an offer"));
    rules.prices = {{.term = "carbon", .per_unit = 1}};
    EXPECT_THAT(explain(decide_on({o}, task(), rules)), HasSubstr("the power draw and the carbon of the grid"));
}

TEST(advice, cards_of_another_class_are_pointed_at) {
    offer o = plain("a");
    o.compute = compute_class::intelligent;
    o.accelerators = accelerator_facts{.model = "A100", .count = 8, .memory_gib = 80, .stack = "cuda"};
    workload_spec spec = task();
    spec.resources.accelerators = {{.model = "A100", .count = 8, .stack = {}}};
    EXPECT_THAT(explain(decide_on({o}, spec)), HasSubstr("state compute_class: intelligent to have them"));
    spec.resources.accelerators[0].model = "H100";
    EXPECT_FALSE(find_note(decide_on({o}, spec), note_kind::class_of_cards));
}

TEST(advice, what_counts_for_nothing_is_told) {
    workload_spec spec = task();
    spec.when.target_at = now + 2 * hour;
    EXPECT_TRUE(find_note(decide_on({plain("a")}, spec), note_kind::target_unpriced));
    EXPECT_FALSE(find_note(decide_on({plain("a")}, spec, time_at(1)), note_kind::target_unpriced));
    spec.when.max_delay_s = 60;
    spec.kind = workload_kind::service;
    const decision service = decide_on({plain("a")}, spec, time_at(1));
    EXPECT_FALSE(find_note(service, note_kind::target_unpriced));
    EXPECT_THAT(explain(service), HasSubstr("counts for nothing: timing.target_at and timing.max_delay_s."));
}

}  // namespace
}  // namespace westerly::built
