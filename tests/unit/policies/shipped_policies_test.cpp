#include "broker/codec/config_json.hpp"
#include "broker/support/files.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

using built::plain;
using built::sites_of;
using built::task;

policy decoded(std::string_view name, const std::string& text) {
    const auto read = decode_policy(name, text);
    if (!read) {
        for (const auto& f : read.error().faults)
            ADD_FAILURE() << f.pointer << ": " << f.message;
        return {};
    }
    return *read;
}

policy shipped(const std::string& name) {
    const auto text = read_file(std::string(WESTERLY_SOURCE_DIR) + "/policies/" + name + ".json", 1 << 20);
    EXPECT_TRUE(text) << name;
    return decoded(name, *text);
}

workload_spec waited_for() {
    workload_spec spec = task();
    spec.interactive = true;
    spec.limits.from = origin{.region = "here", .latitude_longitude = {}};
    return spec;
}

offer at_rtt(const std::string& site, double price, double rtt_ms) {
    offer o = plain(site, price);
    o.site.rtt_ms = {{"here", rtt_ms}};
    return o;
}

class every_shipped_policy : public testing::TestWithParam<std::string> {};

TEST_P(every_shipped_policy, is_valid_by_its_terms) {
    const policy p = shipped(GetParam());
    EXPECT_EQ(p.name, GetParam());
    EXPECT_FALSE(p.description.empty());
    EXPECT_TRUE(check_policy(p, built_in_terms()));
}

INSTANTIATE_TEST_SUITE_P(all, every_shipped_policy,
                         testing::Values("cheapest", "nearest", "greenest", "lowest_carbon", "balanced"),
                         [](const auto& info) { return info.param; });

TEST(cheapest, is_cost_alone) {
    offer far = at_rtt("far", 0.9, 200);
    far.site.green_power_share = built::said(0);
    EXPECT_EQ(sites_of(built::decide_on({at_rtt("near", 1.0, 1), far}, waited_for(), shipped("cheapest")))[0], "far");
}

TEST(nearest, counts_whole_milliseconds_then_cost) {
    const policy rules = shipped("nearest");
    // 9.1 and 9.9 ms are both ten steps, so cost decides; 10.1 ms is eleven.
    const auto made =
        built::decide_on({at_rtt("a", 2.0, 9.1), at_rtt("b", 1.0, 9.9), at_rtt("c", 0.1, 10.1)}, waited_for(), rules);
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"b", "a", "c"}));
}

/// The dearer offer is bought for its distance, so the sentence against the cheapest says how much nearer it is. Of two
/// origins with three quarters and a quarter of the users, 95 % of the demand stay within the farther one's RTT.
TEST(nearest, tells_how_much_nearer_the_dearer_offer_is) {
    const policy rules = shipped("nearest");
    workload_spec spec = waited_for();
    const std::vector<offer> offers{at_rtt("near", 2.0, 9.5), at_rtt("far", 1.0, 49.5)};
    const auto told = [&](std::string_view words) {
        const std::string text = explain(built::decide_on(offers, spec, rules));
        EXPECT_NE(text.find(words), std::string::npos) << text;
    };
    told("it costs 1.00 CNY more and is 40.0 ms nearer (0.025 CNY each).");
    spec.kind = workload_kind::service;
    told("it costs 1.00 CNY more and is 40.0 ms nearer (0.025 CNY each).");
    spec.kind = workload_kind::batch;
    spec.interactive = false;
    EXPECT_EQ(explain(built::decide_on(offers, spec, rules)).find("nearer"), std::string::npos) << "nobody waits at it";
}

TEST(nearest, compares_what_95_percent_of_the_demand_stay_within) {
    workload_spec spec = waited_for();
    spec.limits.origins = {{{.region = "here", .latitude_longitude = {}}, 3},
                           {{.region = "there", .latitude_longitude = {}}, 1}};
    spec.limits.from.reset();
    std::vector<offer> offers{at_rtt("even", 2.0, 20), at_rtt("uneven", 1.0, 5)};
    offers[0].site.rtt_ms.emplace_back("there", 20);
    offers[1].site.rtt_ms.emplace_back("there", 60);  // mean 18.75
    const std::string text = explain(built::decide_on(offers, spec, shipped("nearest")));
    EXPECT_NE(text.find("chooses p/even/"), std::string::npos) << text;
    EXPECT_NE(text.find("it costs 1.00 CNY more and is 40.0 ms nearer (0.025 CNY each)."), std::string::npos) << text;
}

TEST(nearest, interactive_batch_goes_to_its_data_first) {
    workload_spec spec = waited_for();
    spec.inputs = {{1000, "far"}};  // 859 s at 10 Gbit/s: 15 steps of 60 s
    const auto rules = shipped("nearest");
    EXPECT_EQ(sites_of(built::decide_on({at_rtt("near", 1, 1), at_rtt("far", 1, 80)}, spec, rules))[0], "far");
    spec.kind = workload_kind::service;
    EXPECT_EQ(sites_of(built::decide_on({at_rtt("near", 1, 1), at_rtt("far", 1, 80)}, spec, rules))[0], "near");
}

TEST(nearest, other_batch_knows_data_and_cost_only) {
    workload_spec spec = waited_for();
    spec.interactive = false;
    const auto rules = shipped("nearest");
    EXPECT_EQ(sites_of(built::decide_on({at_rtt("near", 1, 1), at_rtt("far", 0.9, 80)}, spec, rules))[0], "far");
    spec.inputs = {{60, "near"}};  // 51.5 s: one step against none
    EXPECT_EQ(sites_of(built::decide_on({at_rtt("near", 1, 1), at_rtt("far", 0.9, 80)}, spec, rules))[0], "near");
}

offer green(const std::string& site, double price, double share, double g_per_kwh) {
    offer o = plain(site, price);
    o.max_w = 1000;  // with PUE 1.2 for an hour: 1.2 kWh
    o.site.green_power_share = built::said(share);
    o.site.carbon_g_per_kwh = built::said(g_per_kwh);
    return o;
}

TEST(greenest, counts_tenths_of_a_kilowatt_hour_then_carbon_then_cost) {
    const policy rules = shipped("greenest");
    // Non-green 0.24, 0.216 and 0.192 kWh: three, three and two steps.
    EXPECT_EQ(sites_of(built::decide_on(
                  {green("a", 1.0, 0.80, 500), green("b", 1.1, 0.82, 400), green("c", 1.2, 0.84, 900)}, task(), rules)),
              (std::vector<std::string>{"c", "b", "a"}));
    EXPECT_EQ(sites_of(built::decide_on({green("a", 1.2, 0.8, 500), green("b", 1.1, 0.8, 500)}, task(), rules))[0],
              "b");
}

TEST(greenest, pays_at_most_half_as_much_again) {
    const policy rules = shipped("greenest");
    EXPECT_EQ(sites_of(built::decide_on({green("a", 1.0, 0, 500), green("b", 1.5, 1, 500)}, task(), rules))[0], "b");
    EXPECT_EQ(sites_of(built::decide_on({green("a", 1.0, 0, 500), green("b", 1.51, 1, 500)}, task(), rules))[0], "a");
}

// 1 kW for an hour at PUE 1.2 is 1.2 kWh: 0.6, 0.59988 and 0.48 kg are 60, 60 and 48 steps.
TEST(lowest_carbon, counts_hundredths_of_a_kilogram_then_cost) {
    const policy rules = shipped("lowest_carbon");
    EXPECT_EQ(sites_of(built::decide_on({green("a", 1.1, 1, 500), green("b", 1.0, 0, 499.9), green("c", 1.4, 0, 400)},
                                        task(), rules)),
              (std::vector<std::string>{"c", "b", "a"}));
    EXPECT_EQ(sites_of(built::decide_on({green("a", 1.0, 0, 500), green("b", 1.51, 0, 10)}, task(), rules))[0], "a");
}

TEST(balanced, prices_what_the_decision_model_states) {
    offer o = at_rtt("a", 2.0, 10);
    o.queue_wait_s = 1800;
    const decision made = built::decide_on({o}, waited_for(), shipped("balanced"));
    const std::vector<std::pair<std::string, double>> terms = {
        {"latency", 0.10 * 10}, {"green_power", 0.61 * 0.06}, {"time", 5 * 1.5}};
    ASSERT_EQ(made.ranked[0].terms.size(), terms.size());
    for (std::size_t i = 0; i < terms.size(); ++i) {
        EXPECT_EQ(made.ranked[0].terms[i].first, terms[i].first);
        EXPECT_NEAR(made.ranked[0].terms[i].second, terms[i].second, 1e-12);
    }
    EXPECT_NEAR(made.ranked[0].j, 2.0 + 1.0 + 0.0366 + 7.5, 1e-12);
}

TEST(balanced, batch_pays_no_latency_and_services_no_time) {
    const policy rules = shipped("balanced");
    workload_spec spec = waited_for();
    const auto names = [&](const workload_spec& s) {
        const decision made = built::decide_on({at_rtt("a", 2.0, 10)}, s, rules);
        std::vector<std::string> all;
        for (const auto& [term, money] : made.ranked.at(0).terms)
            all.push_back(term);
        return all;
    };
    spec.interactive = false;
    EXPECT_EQ(names(spec), (std::vector<std::string>{"green_power", "time"}));
    spec.kind = workload_kind::service;
    EXPECT_EQ(names(spec), (std::vector<std::string>{"latency", "green_power"}));
}

TEST(weights, are_prices_in_other_words) {
    // pi = (w / w_price) x (ref_price / ref): 0.3 / 0.6 x 10 / 50 = 0.1 CNY per ms·replica-h, 0.1 / 0.6 x 10 / 2 =
    // 0.8333 per kWh.
    const policy weighed = decoded("w", R"({"weights": {
        "price": {"weight": 0.6, "reference": "10.00", "currency": "CNY"},
        "latency": {"weight": 0.3, "reference": 50, "per": "ms·replica-h"},
        "green_power": {"weight": 0.1, "reference": 2, "per": "kWh"}}})");
    policy priced;
    priced.prices = {{"latency", 0.1, 0, 0, {}}, {"green_power", 10.0 / 12.0, 0, 0, {}}};
    ASSERT_EQ(weighed.prices.size(), 2u);
    for (const double cost : {0.5, 1.0, 1.9, 2.1, 4.0}) {
        const std::vector<offer> offers = {at_rtt("a", 1.0, 20), at_rtt("b", cost, 10), at_rtt("c", cost / 2, 25)};
        const decision by_weight = built::decide_on(offers, waited_for(), weighed);
        const decision by_price = built::decide_on(offers, waited_for(), priced);
        EXPECT_EQ(sites_of(by_weight), sites_of(by_price));
        EXPECT_NEAR(by_weight.ranked[0].j, by_price.ranked[0].j, 1e-12);
    }
}

TEST(scenarios, p1_the_cheaper_finished_work_wins_in_the_form_of_this_depth) {
    // 500 reference hours in a gang of 8. The runtime on each card is what the tenant states for it.
    const auto run = [](double hours, double price) {
        offer o = plain("s", price);
        o.unit = offer_unit::card;
        o.units_free = 8;
        workload_spec spec = task();
        spec.tasks = 8;
        spec.resources.vcpus = 8;  // one task a card
        spec.work.runtime_s = static_cast<std::uint64_t>(hours * 3600);
        return built::decide_on({o}, spec).ranked.at(0).cost;
    };
    EXPECT_EQ(run(500.0 / 8, 7.80), (money{3'900'000'000, currency::cny}));         // A100
    EXPECT_EQ(run(500.0 / 8 / 0.80, 5.20), (money{3'250'000'000, currency::cny}));  // Ascend 910B: wins
    EXPECT_GT(run(500.0 / 8 / 0.343, 3.00).micros, 3'900'000'000);                  // V100: loses
}

TEST(scenarios, p5_a_worse_offer_does_not_turn_the_choice_round) {
    workload_spec service = waited_for();
    service.kind = workload_kind::service;
    policy rules;
    rules.prices = {{"latency", 0.1, 0, 0, {}}};  // 10 ms are worth 1 CNY/h
    std::vector<offer> offers = {at_rtt("a", 20, 10), at_rtt("b", 18, 25)};
    EXPECT_EQ(sites_of(built::decide_on(offers, service, rules))[0], "b");
    offers.push_back(at_rtt("z", 60, 30));
    EXPECT_EQ(sites_of(built::decide_on(offers, service, rules))[0], "b");
}

struct refusal {
    std::string_view name;
    policy rules;
    std::string_view pointer, message;
};

class check_policy_test : public testing::TestWithParam<refusal> {};

TEST_P(check_policy_test, names_the_term_and_the_remedy) {
    const auto checked = check_policy(GetParam().rules, built_in_terms());
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, errc::invalid);
    ASSERT_EQ(checked.error().faults.size(), 1u);
    EXPECT_EQ(checked.error().faults[0].pointer, GetParam().pointer);
    EXPECT_NE(checked.error().faults[0].message.find(GetParam().message), std::string::npos);
    EXPECT_FALSE(checked.error().faults[0].remedy.empty());
}

policy with_price(priced_term price) {
    policy p;
    p.prices = {std::move(price)};
    return p;
}

policy with_order(std::vector<ordered_key> keys) {
    policy p;
    p.order_batch = std::move(keys);
    return p;
}

INSTANTIATE_TEST_SUITE_P(
    all, check_policy_test,
    testing::Values(
        refusal{"unknown_price", with_price({"latncy", 1, 0, 0, {}}), "/prices/latncy", "not a term"},
        refusal{"cost_has_no_price", with_price({"cost", 1, 0, 0, {}}), "/prices/cost", "may not stand"},
        refusal{"unknown_weight", with_price({"grean", 1, 1, 2, {}}), "/weights/grean", "not a term"},
        refusal{"wrong_unit", with_price({"green_power", 1, 0, 0, "MWh"}), "/prices/green_power/per", "not the unit"},
        refusal{"unknown_key", with_order({{"cost", 0}, {"speed", 0}}), "/order/batch/1/term", "not a term"},
        refusal{"no_order_by_latency", with_order({{"latency", 0}}), "/order/batch/0/term", "may not stand"},
        refusal{"too_many_keys", with_order(std::vector<ordered_key>(9, {"cost", 0})), "/order/batch", "more than 8"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(with_units, a_price_without_a_unit_is_told_the_terms) {
    const auto read = decode_policy("p", R"({"prices": {"green_power": {"amount": "1", "currency": "CNY"}}})");
    ASSERT_FALSE(read);
    EXPECT_EQ(with_units(read.error(), built_in_terms()).faults.at(0).remedy,
              R"(state the price per kWh: "per": "kWh")");
}

TEST(terms, have_unique_names_units_and_a_sentence) {
    std::vector<std::string_view> names;
    for (const term& t : built_in_terms()) {
        names.push_back(t.name);
        EXPECT_FALSE(t.unit.empty() || t.meaning.empty()) << t.name;
        EXPECT_TRUE(t.priceable || t.orderable) << t.name;
    }
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace westerly
