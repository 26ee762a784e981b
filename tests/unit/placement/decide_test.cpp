#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

using built::decide_on;
using built::plain;
using built::sites_of;
using built::task;

policy priced(const std::string& term, double price) {
    policy p;
    p.prices = {{term, price, 0, 0, {}}};
    return p;
}

workload_spec interactive_from(const std::string& region) {
    workload_spec spec = task();
    spec.interactive = true;
    spec.limits.from = origin{.region = region, .latitude_longitude = {}};
    return spec;
}

struct billing_case {
    std::string_view name;
    std::uint64_t runtime_s;
    std::uint32_t increment_s, minimum_s;
    std::uint64_t billed_s;
    std::int64_t micros;  // at 3.6 CNY an hour: 1 000 micros a second
};

class billing_test : public testing::TestWithParam<billing_case> {};

TEST_P(billing_test, bills_in_increments_and_at_least_the_minimum) {
    offer o = plain("a", 3.6);
    o.increment_s = GetParam().increment_s;
    o.minimum_s = GetParam().minimum_s;
    workload_spec spec = task();
    spec.work.runtime_s = GetParam().runtime_s;
    const decision made = decide_on({o}, spec);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked[0].billed_s, GetParam().billed_s);
    EXPECT_EQ(made.ranked[0].cost, (money{GetParam().micros, currency::cny}));
    EXPECT_DOUBLE_EQ(made.ranked[0].cost_base, static_cast<double>(GetParam().micros) / 1e6);
}

INSTANTIATE_TEST_SUITE_P(all, billing_test,
                         testing::Values(billing_case{"by_the_second", 61, 1, 0, 61, 61'000},
                                         billing_case{"up_to_the_increment", 61, 60, 0, 120, 120'000},
                                         billing_case{"exactly_one_increment", 60, 60, 0, 60, 60'000},
                                         billing_case{"at_least_the_minimum", 61, 1, 600, 600, 600'000},
                                         billing_case{"past_the_minimum", 601, 60, 600, 660, 660'000},
                                         billing_case{"nothing_for_nothing", 0, 60, 0, 0, 0}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(decide, a_currency_is_converted_for_ranking_and_kept_for_money) {
    offer dollar = plain("b");
    dollar.price = unit_price{100'000'000, currency::usd};  // 0.71 CNY
    const decision made = decide_on({plain("a", 0.72), dollar}, task());
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(made.ranked[0].cost, (money{100'000, currency::usd}));
    EXPECT_DOUBLE_EQ(made.ranked[0].cost_base, 0.71);
}

TEST(decide, an_unstated_runtime_is_the_policys_and_the_decision_says_so) {
    workload_spec spec = task();
    spec.work.runtime_s.reset();
    policy rules;
    rules.default_runtime_s = 7200;
    const decision made = decide_on({plain("a")}, spec, rules);
    EXPECT_TRUE(made.runtime_assumed);
    EXPECT_EQ(made.runtime_s, 7200u);
    EXPECT_NE(explain(made).find("No runtime was stated: 7200 s were assumed."), std::string::npos);
}

TEST(decide, the_wall_limit_bounds_the_estimate) {
    workload_spec spec = task();
    spec.when.max_runtime_s = 600;
    const decision made = decide_on({plain("a")}, spec);
    EXPECT_EQ(made.ranked[0].billed_s, 600u);
    EXPECT_NE(explain(made).find(
                  "It takes 3600 s by work.runtime_s and what its checkpoints write, but is stopped after 600 s "
                  "(timing.max_runtime_s), finished or not: only these count."),
              std::string::npos);
    EXPECT_NE(
        explain(made, language::zh)
            .find("按 work.runtime_s 并计入写检查点的时间需运行 3600 s，但运行满 600 s（timing.max_runtime_s）时"),
        std::string::npos);
}

/// Every 600 s it writes for 60: 3600 s of work take 3900. Within 3600 s go five segments of 660, and 300 s of work.
TEST(decide, what_checkpoints_write_counts_against_the_wall_limit) {
    workload_spec spec = task();
    spec.checkpoint = checkpoint_rule{.interval_s = 600, .write_s = 60, .restore_s = 0};
    EXPECT_EQ(decide_on({plain("a")}, spec).ranked[0].billed_s, 3900u);
    spec.when.max_runtime_s = 3600;
    const decision made = decide_on({plain("a")}, spec);
    EXPECT_EQ(made.ranked[0].billed_s, 3600u);
    EXPECT_EQ(made.ranked[0].run->work_s, 3300u);
    EXPECT_NE(explain(made).find("It takes 3900 s"), std::string::npos);
    spec.when.max_runtime_s = 3900;
    EXPECT_EQ(decide_on({plain("a")}, spec).ranked[0].billed_s, 3900u);
    EXPECT_EQ(explain(decide_on({plain("a")}, spec)).find("is stopped after"), std::string::npos);
}

/// Half of the runs take more than an hour, and none more than 5 000 s, when they are stopped.
TEST(decide, no_run_ends_after_its_wall_limit) {
    workload_spec spec = task();
    spec.work.runtime_p90_s = 7200;
    spec.when.max_runtime_s = 5000;
    const auto odds_by = [&](std::uint64_t s) {
        spec.when.deadline_at = built::now + seconds(s);
        spec.when.deadline_probability = 0.01;
        return decide_on({plain("a")}, spec).ranked.at(0).odds->by_deadline.value_or(-1);
    };
    EXPECT_LT(odds_by(4999), 1);
    EXPECT_GT(odds_by(4999), 0.5);
    EXPECT_NEAR(odds_by(5000), 1, 1e-12);
    EXPECT_NEAR(odds_by(5500), 1, 1e-12);
}

/// A machine of its own cannot fail the gang because nine more are billed beside it.
TEST(decide, what_is_billed_only_interrupts_nothing) {
    offer o = plain("a");
    o.supply.hazard.hardware_per_card_h = 0.1;
    const auto billed_s = [&] {
        return decide_on({o}, task()).ranked[0].billed_s;
    };
    const auto alone = billed_s();
    o.supply.minimum_units = 10;
    EXPECT_EQ(billed_s(), alone);
}

TEST(decide, says_nothing_of_a_wall_limit_that_cuts_nothing_off) {
    const auto limited = [](const workload_spec& spec) {
        return std::ranges::any_of(decide_on({plain("a")}, spec).notes,
                                   [](const note& each) { return each.kind == note_kind::runtime_limited; });
    };
    workload_spec spec = task();
    spec.when.max_runtime_s = 3600;
    EXPECT_FALSE(limited(spec));
    spec.when.max_runtime_s = 3599;
    EXPECT_TRUE(limited(spec));
    spec.work.runtime_s.reset();
    EXPECT_FALSE(limited(spec)) << "an hour was assumed, not stated";
}

TEST(decide, a_service_is_judged_by_the_hour) {
    workload_spec spec = task();
    spec.kind = workload_kind::service;
    spec.work.runtime_s.reset();
    offer o = plain("a");
    o.minimum_s = 86'400;
    const decision made = decide_on({o}, spec);
    EXPECT_EQ(made.ranked[0].cost, (money{1'000'000, currency::cny}));
    EXPECT_FALSE(made.runtime_assumed);
}

TEST(decide, starts_after_the_queue_the_data_and_the_earliest_time) {
    offer o = plain("a");
    o.queue_wait_s = 100;
    workload_spec spec = task();
    EXPECT_EQ(decide_on({o}, spec).ranked[0].start_at, built::now + seconds(100));
    spec.when.earliest_start_at = built::now + seconds(300);
    EXPECT_EQ(decide_on({o}, spec).ranked[0].start_at, built::now + seconds(400)) << "its queue is joined then";
    spec.inputs = {{10, "elsewhere"}, {10, "a"}};  // 10 GiB at 10 Gbit/s: 8.589934592 s
    const decision made = decide_on({o}, spec);
    EXPECT_NEAR(made.ranked[0].data_movement_s, 8.589934592, 1e-9);
    EXPECT_EQ(made.ranked[0].start_at, built::now + milliseconds(408'590));
    EXPECT_EQ(made.ranked[0].finish_at, built::now + milliseconds(4'008'590));
}

TEST(decide, energy_and_carbon_follow_power_pue_share_and_factor) {
    const appraisal a = decide_on({plain("a")}, task()).ranked[0];  // 100 W for an hour, PUE 1.2, half green, 500 g/kWh
    EXPECT_DOUBLE_EQ(a.energy_kwh.value(), 0.12);
    EXPECT_DOUBLE_EQ(a.non_green_kwh.value(), 0.06);
    EXPECT_DOUBLE_EQ(a.carbon_kg.value(), 0.06);  // the green half changes nothing here: location-based
}

/// Four of five parts of the way from 40 W to 100 W are 88 W.
TEST(decide, energy_is_of_the_power_that_the_work_is_said_to_draw) {
    offer o = plain("a");
    o.idle_w = 40;
    workload_spec spec = task();
    spec.work.utilisation = 0.8;
    EXPECT_DOUBLE_EQ(decide_on({o}, spec).ranked[0].energy_kwh.value(), 0.088 * 1.2);
    o.idle_w.reset();
    EXPECT_DOUBLE_EQ(decide_on({o}, spec).ranked[0].energy_kwh.value(), 0.12) << "idle is not known: never too low";
    o.max_w.reset();
    o.idle_w = 40;
    EXPECT_FALSE(decide_on({o}, spec).ranked[0].energy_kwh) << "what idles is no measure of what works";
}

TEST(decide, what_is_unknown_stays_unknown_or_is_said_to_be_assumed) {
    offer o = plain("a");
    o.site.pue.reset();
    o.site.green_power_share.reset();
    o.site.carbon_g_per_kwh.reset();
    o.site.ingress_gbps.reset();
    workload_spec spec = task();
    spec.inputs = {{1, "elsewhere"}};
    const decision made = decide_on({o}, spec);
    EXPECT_DOUBLE_EQ(made.ranked[0].energy_kwh.value(), 0.15);
    EXPECT_DOUBLE_EQ(made.ranked[0].non_green_kwh.value(), 0.15);
    EXPECT_FALSE(made.ranked[0].carbon_kg || made.ranked[0].pue || made.ranked[0].green_power_share);
    const std::string text = explain(made);
    EXPECT_NE(text.find("The PUE of a is not known: 1.5 was assumed."), std::string::npos) << text;
    EXPECT_NE(text.find("The green-power share of a is not known: none was counted."), std::string::npos) << text;
    EXPECT_NE(text.find("1 Gbit/s was assumed"), std::string::npos) << text;
}

TEST(decide, rtt_is_declared_else_estimated_else_unknown) {
    offer declared = plain("a"), estimated = plain("b"), unknown = plain("c");
    declared.site.rtt_ms = {{"here", 4.0}};
    unknown.site.latitude_longitude.reset();
    decision_world around = built::world();
    const region_place places[] = {{"here", 23.1167, 113.25}};
    around.regions = places;
    const decision made = decide_on({declared, estimated, unknown}, interactive_from("here"), {}, around);
    const auto of = [&](const char* site) {
        return *std::ranges::find(made.ranked, site, &appraisal::site);
    };
    EXPECT_EQ(of("a").rtt_ms, 4.0);
    EXPECT_EQ(of("a").rtt_method, "declared");
    EXPECT_NEAR(of("b").rtt_ms.value(), 26.5, 0.2);  // Shanghai to Guangzhou, 1 210 km
    EXPECT_EQ(of("b").rtt_method, "estimated from coordinates (median error 3 ms)");
    EXPECT_FALSE(of("c").rtt_ms);
    EXPECT_EQ(of("c").rtt_method, "unknown");
}

TEST(decide, an_origin_may_be_a_region_that_only_a_provider_file_knows) {
    offer other = plain("b");
    other.site.latitude_longitude = {23.1167, 113.25};
    const decision made = decide_on({plain("a"), other}, interactive_from("b"));
    EXPECT_EQ(made.ranked[0].rtt_ms, 6.57);  // b itself
    EXPECT_NEAR(made.ranked[1].rtt_ms.value(), 26.5, 0.2);
}

TEST(estimate_rtt, is_the_fit_of_each_range) {
    EXPECT_DOUBLE_EQ(estimate_rtt_ms({31, 121}, {31, 121}), 6.57);
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 10}), 6.57 + 0.016465 * 1111.95, 0.01);
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 90}), 32.02 + 0.013234 * 10'007.6, 0.01);
    EXPECT_NEAR(estimate_rtt_ms({0, 0}, {0, 180}), 32.02 + 0.013234 * 20'015.1, 0.01);
}

/// Two offers that tie in J; each row makes the second better in one respect, and no earlier respect differs.
struct tie_case {
    std::string_view name;
    void (*better)(offer&);
    bool interactive;
};

class tie_test : public testing::TestWithParam<tie_case> {};

TEST_P(tie_test, falls_to_the_second) {
    offer first = plain("a"), second = plain("b");
    for (offer* o : {&first, &second}) {
        o->queue_wait_s = 10;
        o->site.rtt_ms = {{"here", 10.0}};
    }
    workload_spec spec = interactive_from("here");
    spec.interactive = GetParam().interactive;
    ASSERT_EQ(sites_of(decide_on({first, second}, spec))[0], "a");  // the id decides when all else is equal
    GetParam().better(second);
    EXPECT_EQ(sites_of(decide_on({first, second}, spec))[0], "b");
}

INSTANTIATE_TEST_SUITE_P(all, tie_test,
                         testing::Values(tie_case{"earlier_finish", [](offer& o) { o.queue_wait_s = 9; }, false},
                                         tie_case{"less_non_green_energy", [](offer& o) { o.max_w = 99; }, false},
                                         tie_case{"lower_rtt",
                                                  [](offer& o) {
                                                      o.site.rtt_ms = {{"here", 9.0}};
                                                  },
                                                  true}),
                         [](const auto& info) { return std::string(info.param.name); });

/// Of cards that are equal in all that ranks, the tenant's first choice; a cent of difference goes before that.
TEST(decide, the_order_of_accelerators_breaks_ties) {
    const auto with_cards = [](const char* site, const char* model, double price) {
        offer o = plain(site, price);
        o.accelerators = accelerator_facts{.model = model, .count = 8, .memory_gib = 64};
        return o;
    };
    workload_spec spec = built::task();
    const accelerator_need first{.model = "X", .count = 8, .stack = {}}, second{.model = "Y", .count = 8, .stack = {}};
    const std::vector<offer> equal{with_cards("a", "X", 8), with_cards("b", "Y", 8)};
    spec.resources.accelerators = {first, second};
    EXPECT_EQ(sites_of(decide_on(equal, spec)), (std::vector<std::string>{"a", "b"}));
    spec.resources.accelerators = {second, first};
    decision made = decide_on(equal, spec);
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(made.baseline->site, "b");
    EXPECT_EQ(sites_of(decide_on({with_cards("a", "X", 7.99), equal[1]}, spec))[0], "a");
}

/// 3 x 1.10 and 1 x 3.30; 6 x 7.80 and 1 x 46.80: as products of doubles they differ in the last bit.
TEST(decide, the_same_money_is_a_tie_whatever_it_is_made_of) {
    for (const auto& [price, units] :
         {std::pair<std::int64_t, std::uint64_t>{1'100'000'000, 3}, {7'800'000'000, 6}, {2'170'000'000, 7}}) {
        offer many = plain("a"), one = plain("b");
        many.price = unit_price{price, currency::usd};
        many.supply.minimum_units = units;
        many.queue_wait_s = 60;
        one.price = unit_price{price * static_cast<std::int64_t>(units), currency::usd};
        for (const currency base : {currency::cny, currency::usd})
            for (const std::int64_t rate : {7'100'000'000, 6'999'999'999}) {
                decision_world world = built::world();
                world.rates.base = base;
                world.rates.usd_nanos = rate;
                const decision made = decide_on({many, one}, task(), {}, world);
                EXPECT_EQ(made.ranked[0].offer, one.id) << "it finishes earlier";
                EXPECT_EQ(made.ranked[0].cost_base, made.ranked[1].cost_base);
            }
    }
}

TEST(decide, rtt_breaks_no_tie_of_batch_that_nobody_waits_for) {
    offer first = plain("a"), second = plain("b");
    first.site.rtt_ms = {{"here", 10.0}};
    second.site.rtt_ms = {{"here", 9.0}};
    workload_spec spec = interactive_from("here");
    spec.interactive = false;
    EXPECT_EQ(sites_of(decide_on({first, second}, spec))[0], "a");
}

TEST(decide, ranks_the_best_sixteen_of_many) {
    std::vector<offer> offers;
    for (int i = 0; i < 3000; ++i)
        offers.push_back(plain("s" + std::to_string(i), static_cast<double>((i * 7919) % 3000) + 1));
    const decision made = decide_on(offers, task());
    ASSERT_EQ(made.ranked.size(), ranked_max);
    for (std::size_t i = 0; i < ranked_max; ++i)
        EXPECT_EQ(made.ranked[i].price.nanos, static_cast<std::int64_t>(i + 1) * 1'000'000'000);
}

TEST(decide, an_empty_book_says_so) {
    const decision made = decide_on({}, task());
    EXPECT_TRUE(made.ranked.empty());
    EXPECT_FALSE(made.baseline);
    EXPECT_NE(explain(made).find("No offer is feasible now"), std::string::npos);
}

TEST(decide, a_policy_with_an_unknown_term_ranks_nothing_and_says_why) {
    const decision made = decide_on({plain("a")}, task(), priced("latncy", 1));
    EXPECT_EQ(built::only_rejection(made), rejection::quantity_unknown);
    EXPECT_NE(explain(made).find("\"latncy\", which this broker does not have"), std::string::npos);
}

TEST(decide, without_an_origin_latency_is_not_weighed_and_the_notes_say_so) {
    workload_spec spec = task();
    spec.interactive = true;
    offer nowhere = plain("a");
    nowhere.site.latitude_longitude.reset();
    const decision made = decide_on({nowhere}, spec, priced("latency", 1));
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked[0].j, 1.0);
    EXPECT_NE(explain(made).find("No origin was stated"), std::string::npos);
}

TEST(plan, shows_catalogue_offers_and_never_hides_what_can_be_launched) {
    std::vector<offer> offers = {plain("z", 100)};
    for (int i = 0; i < 40; ++i) {
        offers.push_back(plain("c" + std::to_string(i), 1));
        offers.back().launchable = false;
    }
    decision_world around = built::world();
    around.plan_only_too = true;
    const plan_result planned = plan(built::book_of(offers), {}, built_in_terms(), task(), around);
    ASSERT_EQ(planned.made.ranked.size(), ranked_max);
    EXPECT_FALSE(planned.made.ranked.front().launchable);
    ASSERT_NE(winner_of(planned.made), nullptr);
    EXPECT_EQ(winner_of(planned.made)->site, "z");
    EXPECT_EQ(planned.made.baseline->site, "z");
    around.plan_only_too = false;
    const plan_result launched = plan(built::book_of(offers), {}, built_in_terms(), task(), around);
    EXPECT_EQ(launched.rejected.size(), 40u);
    EXPECT_EQ(launched.rejected[0].second, rejection::plan_only);
}

TEST(plan, tells_how_many_rejected_offers_it_does_not_list) {
    std::vector<offer> offers{plain("z")};
    for (int i = 0; i < 1141; ++i)
        offers.push_back(plain("c" + std::to_string(i)));
    workload_spec spec = task();
    spec.limits.regions = {"z"};
    const plan_result planned = plan(built::book_of(offers), {}, built_in_terms(), spec, built::world());
    EXPECT_EQ(planned.rejected.size(), rejected_max);
    EXPECT_EQ(planned.rejected_more, 141u);
    EXPECT_EQ(planned.made.rejections.at(0).second, 1141u);
    offers.resize(rejected_max + 1);
    EXPECT_EQ(plan(built::book_of(offers), {}, built_in_terms(), spec, built::world()).rejected_more, 0u);
}

TEST(plan, a_tie_goes_to_what_can_be_launched) {
    offer catalogue = plain("a");
    catalogue.launchable = false;
    decision_world around = built::world();
    around.plan_only_too = true;
    EXPECT_EQ(sites_of(decide_on({catalogue, plain("b")}, task(), {}, around))[0], "b");
}

TEST(green_power, a_share_with_nothing_behind_it_counts_as_unknown) {
    offer o = plain("a");
    o.site.green_power_share = sourced{1.0, "unknown", quality_class::default_value};
    EXPECT_FALSE(decide_on({o}, task()).ranked[0].green_power_share);
    workload_spec spec = task();
    spec.limits.min_green_power_share = 0.1;
    EXPECT_EQ(decide_on({o}, spec).rejections.at(0).first, rejection::green_power_share);
    o.site.green_power_share->quality = quality_class::declared;
    EXPECT_TRUE(decide_on({o}, spec).rejections.empty());
}

/// 200 W for an hour at PUE 1.1 are 0.22 kWh: at 500 g/kWh 0.11 kg, or the next double above it.
TEST(steps, what_is_over_by_a_rounding_is_not_over) {
    const auto at = [](const std::string& site, double grams, double price) {
        offer o = plain(site, price);
        o.idle_w = o.max_w = 200;
        o.site.pue = built::said(1.1);
        o.site.carbon_g_per_kwh = built::said(grams);
        return o;
    };
    policy lowest;
    lowest.order_batch = {{"carbon", 0.01}, {"cost", 0}};
    workload_spec spec = task();
    spec.resources.vcpus = 8;
    EXPECT_EQ(sites_of(decide_on({at("x", 500, 1.0), at("y", 499, 1.4)}, spec, lowest))[0], "x") << "11 steps both";
    spec.limits.max_carbon_kg = 0.11;
    EXPECT_TRUE(decide_on({at("x", 500, 1.0)}, spec).rejections.empty());
    policy within;
    within.within_of_cheapest = 0.5;
    within.order_batch = {{"carbon", 0.01}, {"cost", 0}};
    spec.limits.max_carbon_kg.reset();
    EXPECT_EQ(sites_of(decide_on({at("x", 500, 0.78), at("y", 100, 1.17)}, spec, within))[0], "y") << "0.78 x 1.5";
}

TEST(plan, lists_a_bounded_number_of_rejections) {
    std::vector<offer> offers;
    for (std::size_t i = 0; i < rejected_max + 5; ++i) {
        offers.push_back(plain("s" + std::to_string(i)));
        offers.back().price.reset();
    }
    const plan_result planned = plan(built::book_of(offers), {}, built_in_terms(), task(), built::world());
    EXPECT_EQ(planned.rejected.size(), rejected_max);
    EXPECT_EQ(planned.made.rejections.at(0).second, rejected_max + 5);
}

}  // namespace
}  // namespace westerly
