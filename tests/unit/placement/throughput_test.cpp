#include "broker/placement/throughput.hpp"

#include "broker/placement/gang_sizes.hpp"
#include "tests/unit/placement/builders.hpp"
#include "tests/unit/placement/known_cards.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace westerly {
namespace {

constexpr std::uint64_t month_s = 30 * 86'400;
constexpr card_links nvlink{.b_up = 900, .b_out = 0, .domain = 8};

double time_against_8_h100(double communication, double b_up) {
    const double g0 = exchange_time(8, nvlink), g = exchange_time(8, {.b_up = b_up, .b_out = 0, .domain = 8});
    return scaling_efficiency(communication, 1, 8, 8, 1, 1) / scaling_efficiency(communication, 1, 8, 8, 1, g / g0);
}

// Decision-model §2, P2: c = 0.20 on 8 x H100 at 900 GB/s. η0 = 0.8; at 400 GB/s η = 1 / (1 + 0.25 x 900 / 400) = 0.64.
TEST(throughput, eight_h800_are_as_much_slower_as_their_links) {
    EXPECT_NEAR(time_against_8_h100(0.20, 400), 1.25, 1e-9);
    EXPECT_NEAR(time_against_8_h100(0.20, 450), 1.20, 1e-9);
    EXPECT_NEAR(time_against_8_h100(0.08, 400), 1.10, 1e-9);
    EXPECT_NEAR(time_against_8_h100(0.24, 400), 1.30, 1e-9);
}

// c = 0.20 stated on 1 024 A100 itself: X = 1 024 x 0.8 = 819. 10 000 V100 at r = 1 / 4.3: the network between servers,
// 12.5 GB/s a card, leaves η = 0.350 and X = 813: fewer cards do more.
TEST(throughput, a_thousand_a100_outdo_ten_thousand_v100) {
    const card_links a100{.b_up = 600, .b_out = 50, .domain = 8}, v100{.b_up = 300, .b_out = 12.5, .domain = 8};
    const double g0 = exchange_time(1024, a100);
    const double at_home = scaling_efficiency(0.20, 1, 1024, 1024, 1, 1);
    EXPECT_NEAR(1024 * at_home, 819.2, 1e-6);
    const double r = 1 / 4.3;
    const double afar = scaling_efficiency(0.20, r, 10'000, 1024, 1, exchange_time(10'000, v100) / g0);
    EXPECT_NEAR(afar, 0.350, 0.0005);
    EXPECT_NEAR(10'000 * r * afar, 813, 1);
}

TEST(throughput, one_card_and_no_communication_lose_nothing) {
    EXPECT_EQ(scaling_efficiency(0.5, 2, 1, 8, 1, 0), 1);
    EXPECT_EQ(scaling_efficiency(0, 2, 64, 8, 1, std::nan("")), 1);
    EXPECT_TRUE(std::isnan(scaling_efficiency(0.2, 1, 8, 8, 1, exchange_time(8, {}))));
}

TEST(throughput, more_bandwidth_never_lowers_the_efficiency) {
    double last = 0;
    for (double b_up = 50; b_up < 2000; b_up *= 1.5) {
        const card_links by{.b_up = b_up, .b_out = b_up / 20, .domain = 8};
        const double now = scaling_efficiency(0.3, 1, 256, 8, 1, exchange_time(256, by) / exchange_time(8, nvlink));
        EXPECT_GE(now, last);
        last = now;
    }
}

// λ s = 0.1: E = (e^0.1 - 1) / 0.1 = 1.0517 hours for one.
TEST(interruption, a_run_without_checkpoints_begins_anew) {
    const expected_run run = expect_run(3600, 0.1, std::nullopt, 600);
    EXPECT_NEAR(run.billed_s, std::expm1(0.1) / 0.1 * 3600, 1e-6);
    EXPECT_NEAR(run.interruptions, std::expm1(0.1), 1e-9);
    EXPECT_NEAR(run.wall_s, run.billed_s + 600 * run.interruptions, 1e-6);
}

// Four hours in segments of 1 h + 60 s, the last of 1 h unsaved; each start costs 300 s of restoring.
TEST(interruption, checkpoints_bound_what_is_lost) {
    const checkpoint_rule saves{.interval_s = 3600, .write_s = 60, .restore_s = 300};
    const double rate = 0.05 / 3600;
    const double sum = 3 * std::expm1(rate * 3660) + std::expm1(rate * 3600);
    EXPECT_NEAR(expect_run(4 * 3600, 0.05, saves, 0).billed_s, std::exp(rate * 300) / rate * sum, 1e-6);
    EXPECT_EQ(expect_run(4 * 3600, 0, saves, 0).billed_s, 4 * 3600 + 3 * 60);
    EXPECT_LT(expect_run(400 * 3600, 0.05, saves, 0).billed_s,
              expect_run(40 * 3600, 0.05, std::nullopt, 0).billed_s * 20);
}

TEST(interruption, hardware_is_assumed_where_it_tells) {
    EXPECT_EQ(hazard_of({}, true, 8, 62.5).per_h, 0);  // 8 x 2e-5 x 62.5 = 0.01 interruptions
    const gang_hazard thousand = hazard_of({}, true, 1000, 720);
    EXPECT_NEAR(thousand.per_h, 0.02, 1e-12);
    EXPECT_TRUE(thousand.assumed);
    EXPECT_EQ(hazard_of({.hardware_per_card_h = 0.0}, true, 1000, 720).per_h, 0);
    EXPECT_NEAR(hazard_of({.spot_per_h = 0.1, .hardware_per_card_h = 1e-3, .provider_per_h = 0.01}, true, 8, 1).per_h,
                0.118, 1e-12);
}

TEST(accelerator_names, are_found_however_they_are_written) {
    for (const char* name : {"A100-80G-SXM", "a100 80gb", "A100-SXM4-80GB", "NVIDIA A100-80GB", "A100_80G"})
        EXPECT_EQ(known_cards().find(name), known_cards().find("A100-80G-SXM")) << name;
    EXPECT_EQ(known_cards().find("A100", 40)->model, "A100-40G-SXM");
    EXPECT_EQ(known_cards().find("H100")->model, "H100-SXM-80G");
    EXPECT_EQ(known_cards().find("Siyuan 590")->model, "MLU590");
    EXPECT_EQ(known_cards().find("no such card"), nullptr);
    const accelerator_facts told{.model = "A100 40GB", .count = 8, .memory_gib = 40};
    EXPECT_TRUE(known_cards().means("A100", told));
    EXPECT_FALSE(known_cards().means("A100-80GB", told));
    for (const char* named : {"V100", "T4", "A100", "A800", "H100", "H800", "TPU v4", "Dojo D1", "Athena", "MI250X",
                              "Kunlun", "MLU590", "CloudBlazer", "BR100", "BI-V100"})
        EXPECT_NE(known_cards().find(named), nullptr) << named;
}

TEST(accelerator_names, what_was_not_told_is_filled_in) {
    accelerator_facts told{.model = "A800-80GB", .count = 8, .memory_gib = 80, .fp16_tflops = 300};
    complete(told, known_cards(), offer_unit::card);
    EXPECT_EQ(told.fp16_tflops, 300);
    EXPECT_EQ(told.interconnect_gb_s, 400);
    EXPECT_EQ(told.stack, "cuda");
    EXPECT_TRUE(told.training);
}

/// The model's servers join eight; a machine of four joins four, and single cards as the unit stand in such servers.
TEST(accelerator_names, a_machine_joins_no_more_cards_than_it_has) {
    const auto joined_by = [](std::uint32_t count, offer_unit unit) {
        accelerator_facts told{.model = "A100", .count = count, .memory_gib = 80};
        complete(told, known_cards(), unit);
        return told.scale_up_cards;
    };
    EXPECT_EQ(joined_by(8, offer_unit::node), 8u);
    EXPECT_EQ(joined_by(4, offer_unit::node), 4u);
    EXPECT_EQ(joined_by(1, offer_unit::instance), 1u);
    EXPECT_EQ(joined_by(1, offer_unit::card), 8u);
    EXPECT_EQ(joined_by(16, offer_unit::node), 8u);
}

// 10 to 30 % slower on the same work (decision-model §2, P2) is what its links make of it: one card is as fast as an
// H100.
TEST(accelerator_names, the_h800_is_the_h100_with_slower_links) {
    const accelerator_facts &slow = known_cards().find("H800")->facts, &fast = known_cards().find("H100")->facts;
    EXPECT_EQ(slow.training_speed, fast.training_speed);
    EXPECT_LT(slow.interconnect_gb_s, fast.interconnect_gb_s);
}

/// One node of eight cards at a price a card-hour.
offer node_of(const std::string& model, std::uint32_t memory_gib, double card_hour) {
    offer o = built::plain(model, card_hour * 8);
    o.id = "p/" + model + "/n/on_demand";
    o.unit = offer_unit::node;
    o.accelerators = accelerator_facts{.model = model, .count = 8, .memory_gib = memory_gib};
    complete(*o.accelerators, known_cards(), o.unit);
    return o;
}

workload_spec gang_of_8() {
    workload_spec spec = built::task();
    spec.work = {};
    spec.work.accelerator_hours = 500;
    spec.work.reference = reference_cards{"A100", 8};
    spec.resources.accelerators = {{.model = "A100", .count = 8, .stack = {}},
                                   {.model = "Ascend 910B", .count = 8, .stack = {}},
                                   {.model = "V100", .count = 8, .stack = {}}};
    return spec;
}

decision decide_known(const std::vector<offer>& offers, const workload_spec& spec) {
    decision_world around = built::world();
    around.accelerators = &known_cards();
    return built::decide_on(offers, spec, {}, around);
}

/// P1. 500 reference hours at c = 0. A100: 500 x 7.80 = 3 900. Ascend 910B at r = 0.80: 500 / 0.80 x 5.20 = 3 250, and
/// at the ends of its range 3 513.51 and 3 023.26. V100 at r = 0.343: 500 / 0.343 x 3.00 = 4 373.18.
const std::vector<offer>& p1_offers() {
    static const std::vector<offer> offers{node_of("A100", 80, 7.80), node_of("Ascend 910B", 64, 5.20),
                                           node_of("V100", 32, 3.00)};
    return offers;
}

TEST(effective_price, the_slower_card_that_finishes_cheaper_wins) {
    workload_spec spec = gang_of_8();
    spec.work.speeds = {{"Ascend 910B", {0.80, 0.74, 0.86}}, {"V100", {0.343, 0.343, 0.343}}};
    const decision made = decide_known(p1_offers(), spec);
    ASSERT_EQ(built::sites_of(made), (std::vector<std::string>{"Ascend 910B", "A100", "V100"}));
    EXPECT_NEAR(made.ranked[0].cost_base, 3250, 0.01);
    EXPECT_NEAR(made.ranked[0].cost_low, 3023.26, 0.01);
    EXPECT_NEAR(made.ranked[0].cost_high, 3513.51, 0.02);
    EXPECT_NEAR(made.ranked[1].cost_base, 3900, 0.01);
    EXPECT_NEAR(made.ranked[2].cost_base, 4373.18, 0.02);
    EXPECT_EQ(made.rivals, std::vector<offer_id>{});
    EXPECT_NEAR(made.ranked[0].run->effective_cards, 6.4, 1e-9);
}

/// Two hours of bringing (8 381.9 GiB at 10 Gbit/s) are paid for once, however fast the cards are: 2 x 41.60.
TEST(effective_price, the_ends_of_a_speed_pay_alike_for_the_data_that_are_brought) {
    workload_spec spec = gang_of_8();
    spec.work.speeds = {{"Ascend 910B", {0.80, 0.74, 0.86}}};
    offer o = node_of("Ascend 910B", 64, 5.20);
    const appraisal there = decide_known({o}, spec).ranked.at(0);
    o.billing_starts = billing_start::allocation;
    spec.inputs = {{7'200 / 0.8589934592, "elsewhere"}};
    const appraisal brought = decide_known({o}, spec).ranked.at(0);
    EXPECT_NEAR(brought.cost_base - there.cost_base, 83.20, 0.03);
    EXPECT_NEAR(brought.cost_low - there.cost_low, 83.20, 0.03);
    EXPECT_NEAR(brought.cost_high - there.cost_high, 83.20, 0.03);
}

TEST(effective_price, a_winner_that_the_ranges_can_unseat_is_not_robust) {
    const decision made = decide_known(p1_offers(), gang_of_8());  // by the table: V100 0.193 to 0.527
    ASSERT_EQ(made.ranked.front().site, "Ascend 910B");
    // 500 / 0.527 x 3.00 = 2 846 beats 500 / 0.743 x 5.20 = 3 499, and so does the A100? 3 900 does not.
    EXPECT_EQ(made.rivals, std::vector<offer_id>{"p/V100/n/on_demand"});
    EXPECT_NE(explain(made).find("Not robust"), std::string::npos);
}

TEST(effective_price, a_dearer_offer_of_the_same_cards_makes_nothing_uncertain) {
    offer dearer = node_of("Ascend 910B", 64, 5.30);
    dearer.id = "p/dearer/n/on_demand";
    const decision made = decide_known({node_of("Ascend 910B", 64, 5.20), dearer}, gang_of_8());
    ASSERT_EQ(made.ranked.size(), 2u);
    EXPECT_TRUE(made.rivals.empty());
}

// Servers of 8 joined by 1 GB/s a card, at c = 0.2 stated on 8: two of them exchange over 1 GB/s what one does over
// 600, so that 16 cards are slower than 8. With c = 0 the time saved decides: 64 cards at no more cost.
TEST(effective_price, the_gang_is_as_large_as_pays) {
    workload_spec spec = gang_of_8();
    spec.resources.accelerators = {{.model = "A100", .count = 8, .stack = {}}};
    spec.tasks_max = 8;
    spec.work.communication = 0.2;
    offer o = node_of("A100", 80, 7.80);
    o.accelerators->scale_out_gb_s = 1;
    decision made = decide_known({o}, spec);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked[0].tasks, 1u);
    EXPECT_NE(explain(made).find("A gang of 1 was chosen, of 1 to 8"), std::string::npos);
    spec.work.communication = 0;
    made = decide_known({o}, spec);
    EXPECT_EQ(made.ranked[0].tasks, 8u);  // as dear as one node to a hundredth, and an eighth of the time
    EXPECT_EQ(made.ranked[0].run->cards, 64);
}

/// Work told on 1 024 cards at c = 0.20, for so many nodes of eight.
workload_spec month_on_1024(const std::string& model, std::uint32_t nodes) {
    workload_spec spec = gang_of_8();
    spec.tasks = nodes;
    spec.resources.accelerators = {{.model = {}, .count = 8, .stack = {}}};
    spec.work = {};
    spec.work.runtime_s = month_s;
    spec.work.reference = reference_cards{model, 1024};
    spec.work.communication = 0.20;
    return spec;
}

appraisal on_nodes_of(const std::string& model, std::uint32_t memory_gib, double scale_out_gb_s,
                      const workload_spec& spec) {
    offer o = node_of(model, memory_gib, 7.80);
    o.units_free.reset();
    o.supply.hazard.hardware_per_card_h = 0;
    if (scale_out_gb_s > 0)
        o.accelerators->scale_out_gb_s = scale_out_gb_s;
    const decision made = decide_known({o}, spec);
    return made.ranked.empty() ? appraisal{} : made.ranked.front();
}

// The check of decision-model §2 from workload to decision: W = 720 h x 1 024 x 0.8, so that 1 024 A100 take the 30
// days that are stated, and 10 000 V100 at r = 1 / 4.3 come to X = 813 of 819.2.
TEST(effective_price, a_thousand_a100_take_the_time_that_was_stated_on_them) {
    workload_spec spec = month_on_1024("A100", 128);
    const appraisal at_home = on_nodes_of("A100", 80, 50, spec);
    EXPECT_EQ(at_home.billed_s, month_s);
    EXPECT_NEAR(at_home.run->efficiency, 0.80, 1e-9);
    spec = month_on_1024("A100", 1250);
    spec.work.speeds = {{"V100", {1 / 4.3, 1 / 4.3, 1 / 4.3}}};
    const appraisal afar = on_nodes_of("V100", 32, 12.5, spec);
    EXPECT_NEAR(afar.run->efficiency, 0.350, 0.0005);
    EXPECT_NEAR(afar.run->effective_cards, 813, 1);
    EXPECT_NEAR(static_cast<double>(afar.billed_s), month_s * 819.2 / 813, month_s * 0.001);
}

/// c = 0.2 on 8 x A100: g0 = 7/8 / 600. Two machines of four over 12.5 GB/s a card: g = 3/4 / 600 + 1/2 / (4 x 12.5) =
/// 7.714 g0, and eta = 1 / (1 + 0.25 x 7.714) = 0.341.
TEST(effective_price, machines_of_four_exchange_over_the_network) {
    workload_spec spec = gang_of_8();
    spec.tasks = 2;
    spec.resources.accelerators = {{.model = "A100", .count = 4, .stack = {}}};
    spec.work.communication = 0.2;
    offer o = built::plain("a", 31.2);
    o.unit = offer_unit::node;
    o.accelerators = accelerator_facts{.model = "A100", .count = 4, .memory_gib = 80, .scale_out_gb_s = 12.5};
    complete(*o.accelerators, known_cards(), o.unit);
    const decision made = decide_known({o}, spec);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_NEAR(made.ranked[0].run->efficiency, 0.3415, 0.0001);
}

TEST(effective_price, cards_are_no_faster_for_what_their_offer_does_not_tell) {
    const workload_spec spec = month_on_1024("A100", 128);
    EXPECT_EQ(on_nodes_of("A100", 80, 0, spec).run->efficiency, on_nodes_of("A100", 80, 50, spec).run->efficiency);
}

// Of the H100 the table knows no network between servers: it is the offer's own, until the workload states one.
TEST(effective_price, the_reference_has_the_offers_network_where_none_is_known) {
    workload_spec spec = month_on_1024("H100", 128);
    for (const double own : {25.0, 100.0})
        EXPECT_EQ(on_nodes_of("H100", 80, own, spec).billed_s, month_s) << own;
    spec.work.reference->scale_out_gb_s = 100;
    EXPECT_EQ(on_nodes_of("H100", 80, 100, spec).billed_s, month_s);
    // g = 7/8 / 900 + 127/128 / (8 x 25), g0 the same with 100.
    const double g0 = 0.875 / 900 + 127.0 / 128 / 800, g = 0.875 / 900 + 127.0 / 128 / 200;
    EXPECT_NEAR(on_nodes_of("H100", 80, 25, spec).run->efficiency, 1 / (1 + 0.25 * g / g0), 1e-9);
    spec.work.reference->interconnect_gb_s = 450;
    spec.work.reference->scale_up_cards = 4;
    const double small = 0.75 / 450 + 255.0 / 256 / 400;
    EXPECT_NEAR(on_nodes_of("H100", 80, 25, spec).run->efficiency, 1 / (1 + 0.25 * g / small), 1e-9);
}

TEST(throughput, more_bandwidth_between_servers_never_lowers_the_efficiency_on_an_unknown_reference) {
    work_estimate told;
    told.reference = reference_cards{"H100", 1024};
    told.communication = 0.3;
    work_view work;
    work.told = &told;
    work.reference_links = nvlink;
    for (const double cards : {8, 64, 1024, 4096}) {
        double last = 0;
        for (double b_out = 1; b_out < 1000; b_out *= 1.5) {
            const double now = throughput_of(work, cards, 1, {.b_up = 400, .b_out = b_out, .domain = 8}).efficiency;
            EXPECT_GE(now, last - 1e-12) << cards << " cards at " << b_out;
            last = now;
        }
    }
}

// 8 reference hours, c = 0, time at 1 CNY an hour. A100 at 1.00 a card-hour takes 8 CNY in any size, least time with 8
// nodes: J = 8 + t / 8. V100 at 0.50 and r = 0.55 (0.4 to 1) has one node: 8 x 0.50 / 0.55 = 7.27 CNY and 1.818 h. It
// wins below (8 - 7.2727) / (1.81818 - 0.125) = 0.4295 CNY an hour, and at r = 1 by 4 + 1 against 8.125.
TEST(effective_price, a_winner_is_held_against_others_in_all_their_sizes) {
    workload_spec spec = gang_of_8();
    spec.work.accelerator_hours = 8;
    spec.work.speeds = {{"V100", {0.55, 0.4, 1.0}}};
    spec.tasks_max = 8;
    std::vector<offer> offers{node_of("A100", 80, 1.00), node_of("V100", 32, 0.50)};
    offers[1].units_free = 1;
    policy rules;
    rules.prices = {{"time", 1, 0, 0, {}}};
    decision_world around = built::world();
    around.accelerators = &known_cards();
    const decision made = built::decide_on(offers, spec, rules, around);
    ASSERT_EQ(made.ranked.front().site, "A100");
    ASSERT_EQ(made.ranked.front().tasks, 8u);
    EXPECT_EQ(made.rivals, std::vector<offer_id>{"p/V100/n/on_demand"});
    const auto told = std::ranges::find(made.switches, "time", &switch_price::term);
    ASSERT_NE(told, made.switches.end());
    EXPECT_TRUE(told->below);
    EXPECT_NEAR(told->at, 0.4295, 0.001);  // billed by the second
}

TEST(effective_price, sizes_are_all_of_a_few_and_doubles_of_many) {
    EXPECT_EQ(gang_sizes(3, 6), (std::vector<std::uint32_t>{3, 4, 5, 6}));
    EXPECT_EQ(gang_sizes(4, 100), (std::vector<std::uint32_t>{4, 8, 16, 32, 64, 100}));
}

TEST(effective_price, a_thousand_cards_without_checkpoints_never_finish_and_it_says_so) {
    workload_spec spec = gang_of_8();
    spec.tasks = 125;
    spec.work.accelerator_hours = 720.0 * 1000;
    offer o = node_of("A100", 80, 7.80);
    o.units_free.reset();
    const decision lost = decide_known({o}, spec);
    EXPECT_EQ(built::only_rejection(lost), rejection::never_finishes);
    EXPECT_NE(explain(lost).find("never finish"), std::string::npos);
    spec.checkpoint = checkpoint_rule{.interval_s = 3600, .write_s = 60, .restore_s = 300};
    const decision saved = decide_known({o}, spec);
    ASSERT_EQ(saved.ranked.size(), 1u);
    EXPECT_TRUE(saved.ranked[0].run->hazard_assumed);
    EXPECT_NEAR(saved.ranked[0].run->interruptions, 0.02 * static_cast<double>(saved.ranked[0].run->wall_s) / 3600,
                0.1);
    EXPECT_LT(saved.ranked[0].run->wall_s, 1.06 * 720 * 3600);
}

TEST(effective_price, cards_without_known_speed_or_links_are_told_apart) {
    offer unknown = node_of("Nobody's card", 64, 1);
    workload_spec spec = gang_of_8();
    spec.resources.accelerators = {{.model = {}, .count = 8, .stack = {}}};
    EXPECT_EQ(built::only_rejection(decide_known({unknown}, spec)), rejection::throughput_unknown);
    offer unlinked = node_of("A100", 80, 1);
    unlinked.accelerators->interconnect_gb_s = 0;
    spec.work.communication = 0.2;
    EXPECT_EQ(built::only_rejection(decide_known({unlinked}, spec)), rejection::throughput_unknown);
    spec.work.communication = 0;
    EXPECT_EQ(decide_known({unlinked}, spec).ranked.size(), 1u);
    spec.work.reference->model = "Nobody's card";
    EXPECT_NE(explain(decide_known({unlinked}, spec)).find("not in the broker's table"), std::string::npos);
}

TEST(effective_price, a_run_too_long_for_its_limit_is_refused) {
    workload_spec spec = gang_of_8();
    spec.when.max_runtime_s = 62 * 3600;  // the A100 needs 62.5 h
    EXPECT_EQ(built::only_rejection(decide_known({p1_offers()[0]}, spec)), rejection::runtime_limit);
    spec.when.max_runtime_s = 225'000;
    EXPECT_EQ(decide_known({p1_offers()[0]}, spec).ranked.size(), 1u);
}

TEST(effective_price, the_order_of_accelerators_breaks_ties_between_sizes_too) {
    workload_spec spec = gang_of_8();
    spec.tasks_max = 2;
    spec.work.speeds = {{"Ascend 910B", {1, 1, 1}}};
    spec.resources.accelerators = {{.model = "Ascend 910B", .count = 8, .stack = {}},
                                   {.model = "A100", .count = 8, .stack = {}}};
    const std::vector<offer> equal{node_of("A100", 80, 8), node_of("Ascend 910B", 64, 8)};
    EXPECT_EQ(decide_known(equal, spec).ranked.at(0).site, "Ascend 910B");
    std::swap(spec.resources.accelerators[0], spec.resources.accelerators[1]);
    EXPECT_EQ(decide_known(equal, spec).ranked.at(0).site, "A100");
}

}  // namespace
}  // namespace westerly
