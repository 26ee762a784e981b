#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace westerly {
namespace {

/// Each row breaks one rule on an otherwise fitting offer; `mend` moves it back to the edge that still passes.
struct filter_case {
    std::string_view name;
    rejection why;
    std::function<void(offer&, workload_spec&, policy&)> break_it;
    std::function<void(offer&, workload_spec&, policy&)> mend_it;
};

class filter_test : public testing::TestWithParam<filter_case> {};

TEST_P(filter_test, rejects_by_name_and_passes_at_the_edge) {
    offer o = built::plain("a");
    workload_spec spec = built::task();
    policy rules;
    GetParam().break_it(o, spec, rules);
    const decision broken = built::decide_on({o}, spec, rules);
    EXPECT_TRUE(broken.ranked.empty());
    EXPECT_EQ(built::only_rejection(broken), GetParam().why);
    GetParam().mend_it(o, spec, rules);
    const decision mended = built::decide_on({o}, spec, rules);
    EXPECT_EQ(mended.ranked.size(), 1u) << to_string(built::only_rejection(mended));
}

using o_ = offer&;
using s_ = workload_spec&;
using p_ = policy&;
const origin shanghai{.region = "cn-shanghai", .latitude_longitude = {}};

std::vector<filter_case> cases() {
    return {
        {"denied", rejection::provider_denied, [](o_, s_ s, p_) { s.limits.providers_deny = {"p"}; },
         [](o_, s_ s, p_) {
             s.limits.providers_deny = {"q"};
         }},
        {"not_allowed", rejection::provider_denied, [](o_, s_ s, p_) { s.limits.providers_allow = {"q"}; },
         [](o_, s_ s, p_) {
             s.limits.providers_allow = {"q", "p"};
         }},
        {"plan_only", rejection::plan_only, [](o_ o, s_, p_) { o.launchable = false; },
         [](o_ o, s_, p_) {
             o.launchable = true;
         }},
        {"not_purchased", rejection::not_purchased, [](o_ o, s_, p_) { o.mode = billing_mode::reserved; },
         [](o_ o, s_, p_) {
             o.mode = billing_mode::spot;
         }},
        {"no_gangs", rejection::not_supported,
         [](o_ o, s_ s, p_) {
             s.tasks = 2;
             o.runs_gangs = false;
         },
         [](o_ o, s_ s, p_) {
             s.tasks = 1;
             o.runs_gangs = false;
         }},
        {"no_files", rejection::not_supported,
         [](o_ o, s_ s, p_) {
             s.variants.at(0).files = "sha256:00";
             o.takes_files = false;
         },
         [](o_ o, s_ s, p_) {
             s.variants.at(0).files.clear();
             o.takes_files = false;
         }},
        {"region", rejection::region,
         [](o_, s_ s, p_) {
             s.limits.regions = {"b", "never-heard-of"};
         },
         [](o_, s_ s, p_) {
             s.limits.regions = {"b", "a"};
         }},
        {"jurisdiction", rejection::jurisdiction, [](o_, s_ s, p_) { s.limits.jurisdictions = {"US"}; },
         [](o_, s_ s, p_) {
             s.limits.jurisdictions = {"CN"};
         }},
        {"compute_class", rejection::compute_class, [](o_ o, s_, p_) { o.compute = compute_class::super; },
         [](o_, s_ s, p_) {
             s.compute = compute_class::super;
         }},
        {"architecture", rejection::architecture, [](o_, s_ s, p_) { s.resources.architecture = "arm64"; },
         [](o_ o, s_, p_) {
             o.architecture = "arm64";
         }},
        {"stack", rejection::stack, [](o_ o, s_, p_) { o.stacks = {"cuda"}; },
         [](o_, s_ s, p_) {
             s.variants.push_back({.stack = "cuda", .command = {}, .env = {}, .files = {}});
         }},
        {"accelerator", rejection::accelerator,
         [](o_, s_ s, p_) { s.resources.accelerators = {{.model = "A100", .stack = {}}}; },
         [](o_ o, s_, p_) {
             o.accelerators = accelerator_facts{.model = "A100", .count = 1, .stack = {}};
         }},
        {"task_shape", rejection::task_shape, [](o_, s_ s, p_) { s.resources.vcpus = 9; },
         [](o_, s_ s, p_) {
             s.resources.vcpus = 8;
         }},
        {"capacity_never", rejection::capacity_never,
         [](o_ o, s_ s, p_) { s.tasks = 2, s.resources.vcpus = 8, o.units_free = 1; },
         [](o_ o, s_, p_) {
             o.units_free = 2;
         }},
        {"rtt", rejection::rtt,
         [](o_ o, s_ s, p_) {
             s.limits.from = shanghai, o.site.rtt_ms = {{"cn-shanghai", 10.5}}, s.limits.max_rtt_ms = 10;
         },
         [](o_ o, s_, p_) {
             o.site.rtt_ms = {{"cn-shanghai", 10.0}};
         }},
        {"rtt_unknown", rejection::rtt_unknown,
         [](o_ o, s_ s, p_) { s.limits.from = shanghai, o.site.latitude_longitude.reset(), s.limits.max_rtt_ms = 999; },
         [](o_ o, s_, p_) {
             o.site.rtt_ms = {{"cn-shanghai", 1.0}};
         }},
        {"pue", rejection::pue, [](o_, s_ s, p_) { s.limits.max_pue = 1.19; },
         [](o_, s_ s, p_) {
             s.limits.max_pue = 1.2;
         }},
        {"pue_unknown", rejection::pue, [](o_ o, s_ s, p_) { o.site.pue.reset(), s.limits.max_pue = 9; },
         [](o_, s_ s, p_) {
             s.limits.max_pue.reset();
         }},
        {"pue_of_policy", rejection::pue, [](o_, s_ s, p_ p) { s.limits.max_pue = 2, p.max_pue = 1.1; },
         [](o_, s_, p_ p) {
             p.max_pue = 1.2;
         }},
        {"green_floor", rejection::green_power_share, [](o_, s_ s, p_) { s.limits.min_green_power_share = 0.51; },
         [](o_, s_ s, p_) {
             s.limits.min_green_power_share = 0.5;
         }},
        {"green_unknown", rejection::green_power_share,
         [](o_ o, s_ s, p_) { o.site.green_power_share.reset(), s.limits.min_green_power_share = 0; },
         [](o_, s_ s, p_) {
             s.limits.min_green_power_share.reset();
         }},
        {"green_floor_of_policy", rejection::green_power_share, [](o_, s_, p_ p) { p.min_green_power_share = 0.6; },
         [](o_ o, s_, p_) {
             o.site.green_power_share = built::said(0.6);
         }},
        {"price_missing", rejection::price_missing, [](o_ o, s_, p_) { o.price.reset(); },
         [](o_ o, s_, p_) {
             o.price = unit_price{0, currency::cny};
         }},
        {"max_price", rejection::max_price,
         [](o_ o, s_ s, p_) {
             o.price->nanos += 1, s.limits.max_price_per_hour = money{1'000'000, currency::cny};
         },
         [](o_ o, s_, p_) {
             o.price->nanos -= 1;
         }},
        {"max_price_of_the_gang", rejection::max_price,
         [](o_, s_ s, p_) {
             s.tasks = 3, s.resources.vcpus = 8, s.limits.max_price_per_hour = money{2'999'999, currency::cny};
         },
         [](o_, s_ s, p_) {
             s.limits.max_price_per_hour = money{3'000'000, currency::cny};
         }},
        {"max_price_in_another_currency", rejection::max_price,
         [](o_ o, s_ s, p_) {
             o.price = unit_price{1'000'000'000, currency::usd};
             s.limits.max_price_per_hour = money{7'099'999, currency::cny};
         },
         [](o_, s_ s, p_) {
             s.limits.max_price_per_hour = money{7'100'000, currency::cny};
         }},
        {"budget", rejection::budget,
         [](o_, s_ s, p_) {
             s.budget = money{999'999, currency::cny};
         },
         [](o_, s_ s, p_) {
             s.budget = money{1'000'000, currency::cny};
         }},
        {"budget_after_the_minimum", rejection::budget,
         [](o_ o, s_ s, p_) {
             o.minimum_s = 7200, s.budget = money{1'999'999, currency::cny};
         },
         [](o_, s_ s, p_) {
             s.budget = money{2'000'000, currency::cny};
         }},
        {"budget_rounds_half_to_even", rejection::budget,
         [](o_ o, s_ s, p_) {
             o.price->nanos = 1'500, s.budget = money{1, currency::cny};
         },  // 1.5 rounds to 2 micros
         [](o_ o, s_, p_) {
             o.price->nanos = 1'499;
         }},
        {"deadline", rejection::deadline,
         [](o_ o, s_ s, p_) { o.queue_wait_s = 61, s.when.deadline_at = built::now + seconds(3660); },
         [](o_ o, s_, p_) {
             o.queue_wait_s = 60;
         }},
        {"deadline_with_data", rejection::deadline,
         [](o_, s_ s, p_) {
             s.inputs = {{10, "b"}}, s.when.deadline_at = built::now + seconds(3608);
         },
         [](o_, s_ s, p_) {
             s.inputs = {{10, "a"}};
         }},
        {"max_carbon", rejection::max_carbon,
         [](o_, s_ s, p_) { s.limits.max_carbon_kg = 0.0599; },  // 0.12 kWh at 500 g
         [](o_, s_ s, p_) {
             s.limits.max_carbon_kg = 0.0601;
         }},
        {"max_carbon_unknown", rejection::max_carbon,
         [](o_ o, s_ s, p_) { o.site.carbon_g_per_kwh.reset(), s.limits.max_carbon_kg = 99; },
         [](o_ o, s_, p_) {
             o.site.carbon_g_per_kwh = built::said(1);
         }},
        {"quantity_unknown", rejection::quantity_unknown,
         [](o_ o, s_, p_ p) {
             o.max_w.reset(), p.prices = {{"green_power", 1, 0, 0, {}}};
         },
         [](o_ o, s_, p_) {
             o.max_w = 0;
         }},
    };
}

INSTANTIATE_TEST_SUITE_P(all, filter_test, testing::ValuesIn(cases()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(filters, unhealthy_providers_are_passed_over) {
    decision_world around = built::world();
    const provider_block blocked[] = {{"p", "adapter down"}};
    around.blocked = blocked;
    EXPECT_EQ(built::only_rejection(built::decide_on({built::plain("a")}, built::task(), {}, around)),
              rejection::provider_unhealthy);
}

TEST(filters, what_our_own_work_holds_comes_free_again) {
    offer o = built::plain("a");
    o.units_free = 2;
    workload_spec spec = built::task();
    spec.tasks = 2;
    spec.resources.vcpus = 8;
    offer_book book = built::book_of({o});
    book.set_our_live_units(o.id, 1);
    const auto decided = [&] {
        return decide(book, {}, built_in_terms(), spec, built::world());
    };
    EXPECT_EQ(built::only_rejection(decided()), rejection::capacity_now);
    book.set_our_live_units(o.id, 0);
    EXPECT_EQ(decided().ranked.size(), 1u);
}

TEST(filters, the_first_failing_reason_counts) {
    offer o = built::plain("a");
    o.price.reset();
    o.units_free = 0;
    workload_spec spec = built::task();
    spec.limits.max_pue = 1.0;
    spec.limits.regions = {"b"};
    const decision made = built::decide_on({o, built::plain("c", 2)}, spec);
    ASSERT_EQ(made.rejections.size(), 1u);
    EXPECT_EQ(made.rejections.front(), (std::pair<rejection, std::uint32_t>(rejection::region, 2)));
    EXPECT_EQ(made.considered, 2u);
}

TEST(filters, what_is_left_of_the_budget_counts_before_the_budget) {
    workload_spec spec = built::task();
    spec.budget = money{10'000'000, currency::cny};
    decision_world around = built::world();
    around.budget_left = money{999'999, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({built::plain("a")}, spec, {}, around)), rejection::budget);
}

TEST(filters, too_dear_for_the_policy_is_counted_against_the_recorded_baseline) {
    policy rules;
    rules.within_of_cheapest = 0.5;
    const decision made = built::decide_on({built::plain("a", 1.0), built::plain("b", 1.5), built::plain("c", 1.51)},
                                           built::task(), rules);
    EXPECT_EQ(built::only_rejection(made), rejection::too_dear_for_policy);
    EXPECT_EQ(built::sites_of(made), (std::vector<std::string>{"a", "b"}));
    ASSERT_TRUE(made.baseline);
    EXPECT_EQ(made.baseline->site, "a");
}

// A double holds no odd number of nanos beyond 2^53, so the sieve leaves such prices to the exact comparison. Behind
// many cheaper ones, because nothing looks at a dear offer again that the sieve lets pass.
TEST(filters, a_price_one_nano_above_the_limit_is_rejected_however_large) {
    constexpr std::int64_t limit_nanos = 9'007'199'254'741'000;  // above 2^53, whole micros
    auto spec = built::task();
    spec.limits.max_price_per_hour = money{limit_nanos / 1000, currency::cny};
    std::vector<offer> offers;
    for (int cheap = 100; cheap < 300; ++cheap)
        offers.push_back(built::plain("a" + std::to_string(cheap)));
    offers.push_back(built::plain("b"));
    offers.back().price = unit_price{limit_nanos, currency::cny};
    EXPECT_TRUE(built::decide_on(offers, spec).rejections.empty());
    offers.back().price = unit_price{limit_nanos + 1, currency::cny};
    const auto made = built::decide_on(offers, spec);
    ASSERT_EQ(built::only_rejection(made), rejection::max_price);
    EXPECT_EQ(made.rejections.front().second, 1u);
}

}  // namespace
}  // namespace westerly
