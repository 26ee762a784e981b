// The precision that cards are to work in: who passes, and what is derived of their speed.
#include "broker/placement/throughput.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The reference: 312 TFLOP/s at FP16 and BF16, 19.5 at FP32, 9.7 at FP64.
accelerator_table table() {
    accelerator_model a{"A100-80G", "A100", {}, {}, std::nullopt};
    a.facts = {.model = a.model, .memory_gib = 80, .fp16_tflops = 312, .fp64_tflops = 9.7, .memory_gb_s = 2000};
    a.facts.fp32_tflops = 19.5;
    a.facts.bf16_tflops = 312;
    a.facts.training_speed = {1, 1, 1};
    return accelerator_table({a});
}

accelerator_facts other() {
    accelerator_facts card{.model = "X", .count = 8, .fp16_tflops = 624, .fp64_tflops = 19.4, .memory_gb_s = 1000};
    card.training_speed = {1.5, 1.4, 1.6};
    return card;
}

offer with_cards(const std::string& site, const accelerator_facts& cards) {
    offer o = built::plain(site);
    o.vcpus = 64;
    o.memory_mib = 1 << 20;
    o.accelerators = cards;
    return o;
}

workload_spec in_precision(std::optional<number_precision> precision) {
    workload_spec spec = built::task();
    spec.resources.accelerators = {accelerator_need{}};
    spec.resources.precision = precision;
    return spec;
}

TEST(precision, passes_only_cards_that_are_known_to_have_it) {
    accelerator_facts brain = other();
    brain.bf16_tflops = 500;
    const std::vector<offer> all = {with_cards("a", other()), with_cards("b", brain)};
    EXPECT_THAT(built::sites_of(built::decide_on(all, in_precision(std::nullopt))), ElementsAre("a", "b"));
    EXPECT_THAT(built::sites_of(built::decide_on(all, in_precision(number_precision::fp64))), ElementsAre("a", "b"));
    const decision made = built::decide_on(all, in_precision(number_precision::bf16));
    EXPECT_THAT(built::sites_of(made), ElementsAre("b"));
    EXPECT_THAT(explain(made), HasSubstr("1 with cards that are not known to work in the precision asked for"));
    EXPECT_EQ(built::only_rejection(built::decide_on(all, in_precision(number_precision::fp8))), rejection::precision);
}

TEST(precision, comes_behind_the_cards_themselves) {
    workload_spec spec = in_precision(number_precision::bf16);
    spec.resources.accelerators[0].model = "A100";
    EXPECT_EQ(built::only_rejection(built::decide_on({with_cards("a", other())}, spec)), rejection::accelerator);
    EXPECT_EQ(built::only_rejection(built::decide_on({built::plain("a")}, spec)), rejection::accelerator);
}

card_speed speed(work_class kind, std::optional<number_precision> precision, const accelerator_facts& card) {
    const accelerator_table known = table();
    work_estimate work;
    work.reference = reference_cards{"A100", 1};
    return speed_of(work, kind, precision, card, *known.find("A100"), known);
}

TEST(precision, speeds_are_derived_from_the_peaks_at_it) {
    accelerator_facts card = other();
    card.fp32_tflops = 39;
    const card_speed hpc = speed(work_class::hpc, number_precision::fp32, card);
    EXPECT_DOUBLE_EQ(hpc.r.value, 2);
    EXPECT_EQ(hpc.method, "derived from FP32 peaks");
    const card_speed training = speed(work_class::training, number_precision::fp32, card);
    EXPECT_DOUBLE_EQ(training.r.value, 2 * 0.66) << "with the spread of training";
    EXPECT_EQ(training.method, "derived from FP32 peaks");
    EXPECT_EQ(speed(work_class::training, number_precision::bf16, card).method, "measured elsewhere")
        << "in mixed precision";
    EXPECT_EQ(speed(work_class::decoding, number_precision::fp32, card).method, "derived from memory bandwidths");
}

TEST(precision, peaks_of_one_card_only_tell_nothing) {
    accelerator_facts card = other();
    card.int8_tops = 1000;  // the reference tells none
    const card_speed told = speed(work_class::hpc, number_precision::int8, card);
    EXPECT_DOUBLE_EQ(told.r.value, 2);
    EXPECT_EQ(told.method, "derived from FP64 peaks");
}

}  // namespace
}  // namespace westerly
