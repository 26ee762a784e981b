// What MISSION.md says of whole trainings, from workload to decision.
#include "tests/unit/placement/builders.hpp"
#include "tests/unit/placement/known_cards.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

/// Nodes of eight A100 at a price a card-hour in USD, whose hardware does not fail.
offer a100_nodes(double usd_card_hour) {
    offer o = built::plain("a100", 8 * usd_card_hour);
    o.price->unit = currency::usd;
    o.unit = offer_unit::node;
    o.units_free.reset();
    o.supply.hazard.hardware_per_card_h = 0;
    o.accelerators = accelerator_facts{.model = "A100", .count = 8, .memory_gib = 80};
    complete(*o.accelerators, known_cards(), o.unit);
    return o;
}

appraisal trained_on(double card_hours, std::uint32_t nodes, double usd_card_hour) {
    workload_spec spec = built::task();
    spec.work = {};
    spec.work.accelerator_hours = card_hours;
    spec.work.reference = reference_cards{"A100", 8};
    spec.tasks = nodes;
    spec.resources.accelerators = {{.model = "A100", .count = 8, .stack = {}}};
    decision_world around = built::world();
    around.accelerators = &known_cards();
    around.rates.base = currency::usd;
    const decision made = built::decide_on({a100_nodes(usd_card_hour)}, spec, {}, around);
    EXPECT_EQ(made.ranked.size(), 1u);
    return made.ranked.empty() ? appraisal{} : made.ranked.front();
}

/// 3 640 PF-days are 3 640 x 24 = 87 360 PF-hours; at the A100's peak of 0.312 PF 280 000 card-hours. 1 024 A100 for a
/// month (NVIDIA's figure for GPT-3) are 737 280 card-hours, so that they reach 280 000 / 737 280 = 38 % of the peak.
/// About 12 million USD for that are 12 000 000 / 280 000 = 42.86 USD a card-hour of peak, x 0.38 = 16.28 of a real
/// one.
TEST(published_figures, one_chatgpt_scale_training_is_12_million_usd) {
    const double peak_pf = known_cards().find("A100")->facts.fp16_tflops / 1000;
    const double at_peak = 3640 * 24 / peak_pf;
    EXPECT_NEAR(at_peak, 280'000, 1e-6);
    const double utilisation = at_peak / (1024.0 * 720);
    EXPECT_NEAR(utilisation, 0.38, 0.0005);
    const double card_hour = 12'000'000 / at_peak * utilisation;
    EXPECT_NEAR(card_hour, 16.276, 0.0005);

    const appraisal month = trained_on(at_peak / utilisation, 128, card_hour);
    EXPECT_EQ(month.billed_s, 720u * 3600) << "the month that NVIDIA says";
    EXPECT_NEAR(month.cost_base, 12'000'000, 1);
    // Half the utilisation takes twice as long, and the money buys card-hours at half the price.
    const appraisal slow = trained_on(at_peak / (utilisation / 2), 128, card_hour / 2);
    EXPECT_EQ(slow.billed_s, 2 * month.billed_s);
    EXPECT_NEAR(slow.cost_base, 12'000'000, 1);
    // At 70 000 CNY a month for eight, 12.15 CNY (1.71 USD at 7.10) a card-hour, the same month comes to 1.26 million.
    EXPECT_NEAR(trained_on(at_peak / utilisation, 128, 70'000 / 5760.0 / 7.1).cost_base, 1'262'000, 500);
}

/// 200 cards for two months at 7.80 a card-hour: 200 x 24 x 60 x 7.80.
TEST(published_figures, pangu_weather_is_over_2_million_yuan) {
    workload_spec spec = built::task();
    spec.work.runtime_s = 60 * 86'400;
    spec.tasks = 25;
    spec.resources.accelerators = {{.model = "A100", .count = 8, .stack = {}}};
    decision_world around = built::world();
    around.accelerators = &known_cards();
    offer nodes = a100_nodes(7.80);
    nodes.price->unit = currency::cny;
    const decision made = built::decide_on({nodes}, spec, {}, around);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked.front().cost, (money{2'246'400'000'000, currency::cny}));
}

}  // namespace
}  // namespace westerly
