// Ceilings over what a card does in all, over places and over processors.
#include "broker/placement/compliance.hpp"

#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace westerly::built {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr milliseconds hour{3'600'000};

fact_expression figure(offer_fact fact, fact_comparison how, double value) {
    fact_expression made;
    made.fact = fact;
    made.comparison = how;
    made.value = value;
    return made;
}

fact_expression word(offer_fact fact, std::vector<std::string> words) {
    fact_expression made;
    made.fact = fact;
    made.comparison = fact_comparison::in;
    made.words = std::move(words);
    return made;
}

fact_expression join(fact_expression::form how, std::vector<fact_expression> parts) {
    fact_expression made;
    made.is = how;
    made.parts = std::move(parts);
    return made;
}

fact_expression outside(std::vector<std::string> places) {
    return join(fact_expression::form::none, {word(offer_fact::jurisdiction, std::move(places))});
}

workload_spec under(fact_expression forbid, std::optional<instant> from = {}, std::optional<instant> until = {}) {
    workload_spec spec = task();
    spec.limits.compliance = {{"rule", from, until, std::move(forbid)}};
    return spec;
}

offer in(const std::string& jurisdiction, std::optional<accelerator_facts> cards = {}) {
    offer o = plain("in-" + jurisdiction);
    o.site.jurisdiction = jurisdiction;
    o.accelerators = std::move(cards);
    return o;
}

/// Figures as schema/facts/accelerators.json has them.
accelerator_facts a100() {
    accelerator_facts card{.model = "A100", .count = 8, .memory_gib = 80, .fp16_tflops = 312, .interconnect_gb_s = 600};
    card.fp64_tflops = 9.7;
    card.fp32_tflops = 19.5;
    card.bf16_tflops = 312;
    card.int8_tops = 624;
    return card;
}

accelerator_facts rtx_4090() {
    accelerator_facts card{.model = "RTX 4090", .count = 8, .memory_gib = 24, .fp16_tflops = 165};
    card.fp32_tflops = 82.6;
    card.bf16_tflops = 165;
    card.fp8_tflops = 330;
    card.int8_tops = 660;
    return card;
}

bool forbidden(const offer& o, const workload_spec& spec) {
    const decision made = decide_on({o}, spec);
    EXPECT_TRUE(made.ranked.size() == 1 || only_rejection(made) == rejection::compliance);
    return made.ranked.empty();
}

/// Its total is exactly that: at least so much, and not above.
bool totals(const accelerator_facts& cards, double exactly) {
    constexpr auto total = offer_fact::tops_by_bit_length;
    return forbidden(in("CN", cards), under(figure(total, fact_comparison::at_least, exactly))) &&
           !forbidden(in("CN", cards), under(figure(total, fact_comparison::above, exactly)));
}

TEST(tops_by_bit_length, is_the_most_over_all_bit_lengths) {
    EXPECT_TRUE(totals(a100(), 4992));      // 312 x 16 = 624 x 8; 19.5 x 32 = 624, 9.7 x 64 = 620.8
    EXPECT_TRUE(totals(rtx_4090(), 5280));  // 660 x 8; 165 x 16 = 2 640, 82.6 x 32 = 2 643.2
    accelerator_facts card = rtx_4090();
    card.int8_tops = 0;
    EXPECT_TRUE(totals(card, 82.6 * 32)) << "of what is known, the most";
    card.fp8_tflops = 331;
    EXPECT_TRUE(totals(card, 331 * 8));
}

TEST(tops_by_bit_length, is_not_known_by_wide_peaks_alone) {
    accelerator_facts card = a100();
    card.fp16_tflops = card.bf16_tflops = card.int8_tops = 0;
    const auto by = [](fact_comparison how) {
        return under(figure(offer_fact::tops_by_bit_length, how, 100'000));
    };
    EXPECT_TRUE(forbidden(in("CN", card), by(fact_comparison::above)));
    card.bf16_tflops = 1;
    EXPECT_FALSE(forbidden(in("CN", card), by(fact_comparison::above)));
    EXPECT_TRUE(totals(card, 19.5 * 32));
}

TEST(places, data_may_not_leave_with_cards_or_without) {
    const workload_spec spec = under(outside({"CN", "HK"}));
    EXPECT_TRUE(forbidden(in("US"), spec));
    EXPECT_TRUE(forbidden(in("US", a100()), spec));
    EXPECT_FALSE(forbidden(in("CN"), spec));
    EXPECT_FALSE(forbidden(in("HK", a100()), spec));
}

TEST(places, what_is_not_told_forbids) {
    for (const std::string untold : {"", "ZZ"}) {
        EXPECT_TRUE(forbidden(in(untold), under(outside({"CN"}))));
        EXPECT_TRUE(forbidden(in(untold), under(word(offer_fact::jurisdiction, {"US"}))));
    }
    offer o = in("CN");
    o.architecture.clear();
    EXPECT_TRUE(forbidden(o, under(word(offer_fact::architecture, {"arm64"}))));
    EXPECT_FALSE(forbidden(in("CN"), under(word(offer_fact::architecture, {"arm64"}))));
}

/// Cards of 4 800 and more may not be used outside CN; of offers without cards it says nothing.
TEST(places, cards_above_a_ceiling_stay_where_they_may_be) {
    const workload_spec spec =
        under(join(fact_expression::form::all,
                   {outside({"CN"}), figure(offer_fact::tops_by_bit_length, fact_comparison::at_least, 4800)}));
    accelerator_facts slow = a100(), untold = a100();
    slow.fp16_tflops = slow.bf16_tflops = 100;
    slow.int8_tops = 200;
    untold.fp16_tflops = untold.bf16_tflops = untold.int8_tops = 0;
    EXPECT_TRUE(forbidden(in("US", a100()), spec));
    EXPECT_FALSE(forbidden(in("CN", a100()), spec));
    EXPECT_FALSE(forbidden(in("US", slow), spec));
    EXPECT_TRUE(forbidden(in("US", untold), spec));
    EXPECT_FALSE(forbidden(in("CN", untold), spec)) << "whatever it is, the place is allowed";
    EXPECT_FALSE(forbidden(in("US"), spec));
}

TEST(places, figures_of_no_cards_hold_in_no_comparison) {
    const fact_expression small =
        join(fact_expression::form::none, {figure(offer_fact::memory_gib, fact_comparison::at_least, 40)});
    EXPECT_FALSE(forbidden(in("US"), under(small))) << "a rule over cards alone says nothing of it";
    EXPECT_TRUE(forbidden(in("US"), under(join(fact_expression::form::all, {outside({"CN"}), small}))));
    EXPECT_FALSE(forbidden(
        in("US"), under(join(fact_expression::form::all,
                             {outside({"CN"}), figure(offer_fact::memory_gib, fact_comparison::at_most, 1e9)}))));
}

TEST(places, a_dated_rule_over_place_and_cards_puts_a_start_off) {
    const fact_expression fast_abroad =
        join(fact_expression::form::all,
             {outside({"CN"}), figure(offer_fact::tops_by_bit_length, fact_comparison::at_least, 4800)});
    workload_spec until = under(fast_abroad, {}, now + hour), from = under(fast_abroad, now + hour);
    until.when.max_delay_s = from.when.max_delay_s = 7200;
    const decision waits = decide_on({in("US", a100())}, until);
    ASSERT_TRUE(waits.put_off);
    EXPECT_EQ(waits.put_off->launch_at, now + hour);
    EXPECT_THAT(waits.put_off->why, HasSubstr("compliance rule forbids p/in-US/n/on_demand until"));
    for (const offer& other : {in("US"), in("CN", a100())})
        EXPECT_FALSE(decide_on({other}, until).put_off);
    offer queued = in("US", a100());
    EXPECT_EQ(decide_on({queued}, from).ranked.size(), 1u);
    queued.queue_wait_s = 3600;
    EXPECT_TRUE(forbidden(queued, from)) << "it would start when the rule is in force";
    queued.site.jurisdiction = "CN";
    EXPECT_FALSE(forbidden(queued, from));
}

TEST(places, a_date_lifts_a_rule_over_offers_without_cards) {
    const std::string text = explain(decide_on({in("US")}, under(outside({"CN"}), {}, now + hour)));
    EXPECT_THAT(text, HasSubstr("an offer is forbidden until 2027-01-15T09:00:00"));
}

TEST(places, are_told_with_what_a_rule_forbids) {
    offer bare = in("US"), h100 = in("JP", a100()), in_us = in("US", a100()), in_jp = in("JP", a100());
    bare.id = "p/in-US/bare/on_demand";
    h100.id = "p/in-JP/h100/on_demand";
    h100.accelerators->model = "H100";
    const decision made = decide_on({bare, h100, in_us, in_jp, in("CN")}, under(outside({"CN"})));
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"in-CN"}));
    const std::string text = explain(made);
    EXPECT_THAT(text, HasSubstr("The compliance rule \"rule\" forbids A100, H100 (JP)."));
    EXPECT_THAT(text, HasSubstr("The compliance rule \"rule\" forbids A100 (US)."));
    EXPECT_THAT(text, HasSubstr("The compliance rule \"rule\" forbids offers without cards (US)."));
    EXPECT_THAT(explain(made, language::zh), HasSubstr("合规规则“rule”禁止使用没有加速卡的报价（US）。"));
    EXPECT_THAT(explain(decide_on({in("ZZ")}, under(outside({"CN"})))),
                HasSubstr("turns on jurisdiction, which is not known of offers without cards"));
    const fact_expression either =
        join(fact_expression::form::any, {outside({"CN"}), word(offer_fact::architecture, {"x86_64", "arm64"})});
    EXPECT_THAT(explain(decide_on({in("ZZ"), in("CN")}, under(either))),
                HasSubstr("forbids offers without cards (CN x86_64, jurisdiction? x86_64)"));
    EXPECT_THAT(
        explain(decide_on({in("CN", a100())}, under(figure(offer_fact::memory_gib, fact_comparison::above, 1)))),
        HasSubstr("forbids A100."));
}

/// Rules that name no jurisdiction cost nothing more for offers that lie in many.
/// It begins half an hour from now; 10 000 GiB at 10 Gbit/s take 2.4 h.
TEST(places, are_told_where_a_rule_begins_before_the_data_are_there) {
    workload_spec spec = under(word(offer_fact::jurisdiction, {"US"}), now + hour / 2);
    spec.inputs = {{10'000, "elsewhere"}};
    const decision made = decide_on({in("US")}, spec);
    ASSERT_TRUE(made.ranked.empty());
    ASSERT_EQ(made.rejections.front().first, rejection::compliance);
    EXPECT_NE(std::ranges::find(made.notes, note{note_kind::rule_forbids_bare, {"rule", "US"}, {}}), made.notes.end());
}

TEST(places, part_shapes_that_know_what_they_share) {
    offer other = in("US");
    other.vcpus = 16;
    other.id = "p/in-US/other/on_demand";
    const offer_book book = book_of({in("CN"), in("JP"), in("US"), other});
    ASSERT_EQ(book.shapes().size(), 4u);
    EXPECT_EQ(std::ranges::count(book.shapes(), 0u, &offer_book::shape_row::first_alike), 3);
    const auto alone = std::ranges::find(book.shapes(), 16u, &offer_book::shape_row::vcpus);
    EXPECT_EQ(alone->first_alike, static_cast<std::size_t>(alone - book.shapes().begin()));
    EXPECT_EQ(decide_on({in("CN"), in("JP"), in("US"), other}, task()).ranked.size(), 4u);
    EXPECT_EQ(decide_on({in("CN"), in("JP"), in("US"), other}, under(outside({"JP", "US"}))).ranked.size(), 3u);
}

}  // namespace
}  // namespace westerly::built
