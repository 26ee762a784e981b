#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

TEST(supply_terms, the_least_quantity_is_billed_and_powered) {
    offer o = built::plain("a", 2.0);
    o.supply.minimum_units = 4;
    const decision made = built::decide_on({o}, built::task());
    EXPECT_EQ(made.ranked.at(0).units, 4u);
    EXPECT_EQ(made.ranked[0].cost, (money{8'000'000, currency::cny}));
    EXPECT_NEAR(*made.ranked[0].energy_kwh, 0.4 * 1.2, 1e-12);
}

TEST(supply_terms, nothing_starts_before_it_is_available) {
    offer o = built::plain("a");
    o.supply.available_from = built::now + seconds(600);
    workload_spec spec = built::task();
    spec.when.max_delay_s = 600;
    const decision made = built::decide_on({o}, spec);
    EXPECT_EQ(made.ranked.at(0).start_at, built::now + seconds(600));
    spec.when.deadline_at = built::now + seconds(4199);
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec)), rejection::deadline);
}

TEST(supply_terms, spot_that_tells_no_hazard_is_no_safe_bet) {
    offer o = built::plain("a");
    o.mode = billing_mode::spot;
    const auto told = [&] {
        return explain(built::decide_on({o}, built::task())).find("is taken back is not known") != std::string::npos;
    };
    EXPECT_TRUE(told());
    o.supply.hazard.spot_per_h = 0.05;
    EXPECT_FALSE(told());
}

TEST(egress, counts_where_data_moves_and_only_there) {
    workload_spec spec = built::task();
    spec.inputs = {{10, "a", money{500'000, currency::cny}}};  // 10 GiB at 0.50
    const decision made = built::decide_on({built::plain("a", 5.0), built::plain("b", 1.0)}, spec);
    ASSERT_EQ(built::sites_of(made), (std::vector<std::string>{"a", "b"}));
    EXPECT_DOUBLE_EQ(made.ranked[0].cost_base, 5.0);
    EXPECT_DOUBLE_EQ(made.ranked[1].cost_base, 6.0);
    EXPECT_DOUBLE_EQ(made.ranked[1].egress_base, 5.0);
    EXPECT_EQ(made.ranked[1].staging_base, 0.0);
    EXPECT_EQ(made.ranked[0].staging_base, std::nullopt) << "nothing is brought";
    spec.budget = money{5'500'000, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({built::plain("a", 5.0), built::plain("b", 1.0)}, spec)),
              rejection::budget);
}

/// 15.6 x 2 + 0.07 = 31.27, 0.1 + 2 x 0.1 = 0.3 and 1 / 3 + 1 = 1.333333 in 10^-6: in doubles each is a little more.
TEST(egress, and_the_bill_may_come_to_the_budget_exactly) {
    const auto fits = [](double price, std::uint64_t runtime_s, double gib, std::int64_t per_gib, std::int64_t budget) {
        workload_spec spec = built::task();
        spec.work.runtime_s = runtime_s;
        spec.inputs = {{gib, "elsewhere", money{per_gib, currency::cny}}};
        spec.budget = money{budget, currency::cny};
        return !built::decide_on({built::plain("a", price)}, spec).ranked.empty();
    };
    EXPECT_TRUE(fits(15.6, 7200, 1, 70'000, 31'270'000));
    EXPECT_TRUE(fits(0.1, 3600, 2, 100'000, 300'000));
    EXPECT_TRUE(fits(1, 1200, 10, 100'000, 1'333'333));
    EXPECT_FALSE(fits(15.6, 7200, 1, 70'000, 31'269'999));
    EXPECT_FALSE(fits(0.1, 3600, 2, 100'000, 299'999));
    EXPECT_FALSE(fits(1, 1200, 10, 100'000, 1'333'332));
}

TEST(egress, of_a_service_counts_over_the_time_that_it_stays_up) {
    workload_spec spec = built::task();
    spec.kind = workload_kind::service;
    spec.work.runtime_s.reset();
    spec.inputs = {{10, "a", money{360'000'000, currency::cny}}};  // 3 600 once: 5 an hour of 30 days, 2.50 of 60
    const std::vector<offer> offers{built::plain("a", 5.0), built::plain("b", 1.0)};
    const decision month = built::decide_on(offers, spec);
    ASSERT_EQ(built::sites_of(month), (std::vector<std::string>{"a", "b"}));
    EXPECT_DOUBLE_EQ(month.ranked[1].cost_base, 1.0 + 5.0);
    spec.work.runtime_s = 60 * 86'400;
    const decision longer = built::decide_on(offers, spec);
    ASSERT_EQ(built::sites_of(longer), (std::vector<std::string>{"b", "a"}));
    EXPECT_DOUBLE_EQ(longer.ranked[0].cost_base, 1.0 + 2.5);
    EXPECT_THAT(explain(longer), testing::HasSubstr("3600.00 CNY once, counted over the 1440 h"));
    EXPECT_THAT(explain(month),
                testing::HasSubstr("To bring its inputs to p/b/n/on_demand would cost 3600.00 CNY once"));
}

/// 1 and 2 for the egress against 4, where an hour is worth 10 and a's queue is an hour long.
TEST(egress, of_the_cheapest_is_told_with_its_price) {
    workload_spec spec = built::task();
    spec.inputs = {{10, "b", money{200'000, currency::cny}}};
    offer a = built::plain("a", 1.0), b = built::plain("b", 4.0);
    a.queue_wait_s = 3600;
    policy rules;
    rules.prices = {{"time", 10, 0, 0, {}}};
    const decision made = built::decide_on({a, b}, spec, rules);
    ASSERT_EQ(built::sites_of(made), (std::vector<std::string>{"b", "a"}));
    EXPECT_THAT(explain(made),
                testing::HasSubstr(
                    "p/a/n/on_demand at 1.00 CNY, with egress (2.00 CNY) and staging (0.00 CNY) of the "
                    "inputs 3.00 CNY in all, it costs 1.00 CNY more and ends 1.00 h sooner (0.9976 CNY an hour)."));
}

TEST(staging, counts_where_data_is_brought_to) {
    workload_spec spec = built::task();
    spec.inputs = {{10, "a", money{500'000, currency::cny}}, {20, "b"}};
    offer a = built::plain("a", 5.0), b = built::plain("b", 1.0);
    a.site.staging_per_gib = money{100'000, currency::cny};  // 20 GiB come: 2
    b.site.staging_per_gib = money{20'000, currency::cny};   // 10 GiB come: 0.20, and 5 for their egress
    const decision made = built::decide_on({a, b}, spec);
    ASSERT_EQ(built::sites_of(made), (std::vector<std::string>{"b", "a"}));
    EXPECT_DOUBLE_EQ(made.ranked[0].cost_base, 1.0 + 5.0 + 0.2);
    EXPECT_DOUBLE_EQ(made.ranked[0].staging_base.value_or(-1), 0.2);
    EXPECT_THAT(explain(made), testing::HasSubstr("with egress (5.00 CNY) and staging (0.20 CNY) of the inputs 6.20"));
    EXPECT_DOUBLE_EQ(made.ranked[1].staging_base.value_or(-1), 2.0);
    EXPECT_DOUBLE_EQ(made.ranked[1].cost_base, 5.0 + 2.0);
}

TEST(origins, the_mean_is_priced_and_the_p95_limits) {
    offer o = built::plain("a");
    o.site.rtt_ms = {{"far", 100.0}, {"near", 10.0}};
    workload_spec spec = built::task();
    spec.interactive = true;
    spec.limits.origins = {{{"near", {}}, 96}, {{"far", {}}, 4}};
    decision made = built::decide_on({o}, spec);
    EXPECT_DOUBLE_EQ(*made.ranked.at(0).rtt_ms, 10 * 0.96 + 100 * 0.04);
    EXPECT_DOUBLE_EQ(*made.ranked[0].rtt_p95_ms, 10);
    spec.limits.max_rtt_ms = 12;
    EXPECT_EQ(built::decide_on({o}, spec).ranked.size(), 1u);
    spec.limits.origins = {{{"near", {}}, 94}, {{"far", {}}, 6}};
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec)), rejection::rtt);
}

fact_expression compare(offer_fact fact, fact_comparison how, double value) {
    fact_expression made;
    made.fact = fact;
    made.comparison = how;
    made.value = value;
    return made;
}

/// The rule of October 2022: 4 800 TOPS by bit length and 600 GB/s together.
compliance_rule rule_of_2022() {
    compliance_rule rule;
    rule.name = "october-2022";
    rule.from_at = built::now - seconds(10);
    rule.forbid.is = fact_expression::form::all;
    rule.forbid.parts = {compare(offer_fact::tops_by_bit_length, fact_comparison::at_least, 4800),
                         compare(offer_fact::interconnect_gb_s, fact_comparison::at_least, 600)};
    return rule;
}

rejection with_cards(double fp16, double links, const compliance_rule& rule) {
    offer o = built::plain("a");
    o.accelerators = accelerator_facts{
        .model = "x", .count = 8, .memory_gib = 80, .fp16_tflops = fp16, .interconnect_gb_s = links, .stack = "cuda"};
    workload_spec spec = built::task();
    spec.limits.compliance = {rule};
    return built::only_rejection(built::decide_on({o}, spec));
}

TEST(compliance, a_policy_lays_its_rules_beside_those_of_the_workload) {
    offer o = built::plain("a");
    o.accelerators = accelerator_facts{.model = "A100", .count = 8, .fp16_tflops = 312, .interconnect_gb_s = 600};
    policy rules;
    rules.compliance = {rule_of_2022()};
    workload_spec spec = built::task();
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec, rules)), rejection::compliance);
    o.accelerators->interconnect_gb_s = 400;
    EXPECT_EQ(built::decide_on({o}, spec, rules).ranked.size(), 1u);
    compliance_rule stricter = rule_of_2022();
    stricter.forbid = compare(offer_fact::interconnect_gb_s, fact_comparison::at_least, 400);
    spec.limits.compliance = {stricter};
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec, rules)), rejection::compliance);
}

TEST(compliance, caps_hold_together_and_unknown_is_not_zero) {
    const compliance_rule rule = rule_of_2022();
    EXPECT_EQ(with_cards(312, 600, rule), rejection::compliance);  // A100: 16 x 312 = 4 992
    EXPECT_EQ(with_cards(312, 400, rule), rejection::count_);      // A800: its links are below
    EXPECT_EQ(with_cards(100, 900, rule), rejection::count_);
    EXPECT_EQ(with_cards(312, 0, rule), rejection::compliance);  // links not known
    EXPECT_EQ(with_cards(100, 0, rule), rejection::count_);      // whatever they are, it is not both
}

/// A told host link says nothing of links between cards, unless the card is known to have none: L40S, 16 x 362 = 5 792.
TEST(compliance, a_host_link_is_no_interconnect) {
    accelerator_model pcie, other;
    pcie.model = "L40S";
    pcie.pcie_only = true;
    other.model = "X8";
    const accelerator_table known({pcie, other});
    decision_world around = built::world();
    around.accelerators = &known;
    workload_spec spec = built::task();
    spec.limits.compliance = {rule_of_2022()};
    offer o = built::plain("a");
    o.accelerators = accelerator_facts{.model = "X9", .count = 8, .fp16_tflops = 900, .host_link_gb_s = 64};
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec, {}, around)), rejection::compliance);
    o.accelerators->model = "X8";
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec, {}, around)), rejection::compliance);
    o.accelerators->model = "L40S";
    EXPECT_EQ(built::decide_on({o}, spec, {}, around).ranked.size(), 1u);
}

TEST(compliance, rules_hold_between_their_dates) {
    compliance_rule rule = rule_of_2022();
    rule.until_at = built::now;
    EXPECT_EQ(with_cards(312, 600, rule), rejection::count_);
    rule.until_at = built::now + milliseconds(1);
    EXPECT_EQ(with_cards(312, 600, rule), rejection::compliance);
    rule.from_at = built::now + milliseconds(1);
    rule.until_at.reset();
    EXPECT_EQ(with_cards(312, 600, rule), rejection::count_);
}

}  // namespace
}  // namespace westerly
