#include "broker/placement/compliance.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// Kleene's third value: what is not known decides nothing by itself.
enum class truth : std::uint8_t { no, unknown, yes };

double figure(offer_fact fact, const accelerator_facts& cards) {
    switch (fact) {
        case offer_fact::fp16_tflops:
            return cards.fp16_tflops;
        case offer_fact::fp64_tflops:
            return cards.fp64_tflops;
        case offer_fact::memory_gib:
            return cards.memory_gib;
        case offer_fact::memory_gb_s:
            return cards.memory_gb_s;
        case offer_fact::interconnect_gb_s:  // a card on PCIe alone is known to have no other link
            return cards.interconnect_gb_s > 0 ? cards.interconnect_gb_s : cards.host_link_gb_s;
        case offer_fact::tops_by_bit_length:
            return cards.fp16_tflops * 16;
        case offer_fact::cards_per_unit:
            return cards.count;
    }
    return 0;
}

truth compare(const fact_expression& by, const accelerator_facts& cards) {
    const double is = figure(by.fact, cards);
    if (!(is > 0))
        return truth::unknown;
    const auto told = [](bool holds) {
        return holds ? truth::yes : truth::no;
    };
    switch (by.comparison) {
        case fact_comparison::at_least:
            return told(is >= by.value);
        case fact_comparison::above:
            return told(is > by.value);
        case fact_comparison::at_most:
            return told(is <= by.value);
        case fact_comparison::below:
            return told(is < by.value);
    }
    return truth::unknown;
}

truth holds(const fact_expression& by, const accelerator_facts& cards) {
    if (by.is == fact_expression::form::compare)
        return compare(by, cards);
    const bool all = by.is == fact_expression::form::all;
    truth sum = all ? truth::yes : truth::no;
    for (const auto& part : by.parts)
        sum = all ? std::min(sum, holds(part, cards)) : std::max(sum, holds(part, cards));
    if (by.is != fact_expression::form::none)
        return sum;
    return sum == truth::unknown ? sum : sum == truth::yes ? truth::no : truth::yes;
}

}  // namespace

bool forbidden(std::span<const compliance_rule> rules, const accelerator_facts* cards, instant at) {
    return cards && std::ranges::any_of(rules, [&](const compliance_rule& rule) {
               const bool in_force = (!rule.from_at || *rule.from_at <= at) && (!rule.until_at || at < *rule.until_at);
               return in_force && holds(rule.forbid, *cards) != truth::no;
           });
}

}  // namespace westerly
