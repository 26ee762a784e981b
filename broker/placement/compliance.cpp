#include "broker/placement/compliance.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// Kleene's third value: what is not known decides nothing by itself.
enum class truth : std::uint8_t { no, unknown, yes };

/// Card to card. A host link tells of no other only where the card is known to have none; else there may be more.
double links(const accelerator_facts& cards, const accelerator_table& known) {
    if (cards.interconnect_gb_s > 0)
        return cards.interconnect_gb_s;
    const accelerator_model* const it = known.find(cards.model, cards.memory_gib);
    return it && it->pcie_only ? cards.host_link_gb_s : 0;
}

/// 0: not known.
double figure(offer_fact fact, const accelerator_facts& cards, const accelerator_table& known) {
    switch (fact) {
        case offer_fact::fp16_tflops:
            return cards.fp16_tflops;
        case offer_fact::fp64_tflops:
            return cards.fp64_tflops;
        case offer_fact::memory_gib:
            return cards.memory_gib;
        case offer_fact::memory_gb_s:
            return cards.memory_gb_s;
        case offer_fact::interconnect_gb_s:
            return links(cards, known);
        case offer_fact::tops_by_bit_length:
            return cards.fp16_tflops * 16;
        case offer_fact::cards_per_unit:
            return cards.count;
    }
    return 0;
}

truth compare(const fact_expression& by, const accelerator_facts& cards, const accelerator_table& known) {
    const double is = figure(by.fact, cards, known);
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

truth holds(const fact_expression& by, const accelerator_facts& cards, const accelerator_table& known) {
    if (by.is == fact_expression::form::compare)
        return compare(by, cards, known);
    const bool all = by.is == fact_expression::form::all;
    truth sum = all ? truth::yes : truth::no;
    for (const auto& part : by.parts)
        sum = all ? std::min(sum, holds(part, cards, known)) : std::max(sum, holds(part, cards, known));
    if (by.is != fact_expression::form::none)
        return sum;
    return sum == truth::unknown ? sum : sum == truth::yes ? truth::no : truth::yes;
}

/// The first figure in it that is not known.
std::optional<offer_fact> first_unknown(const fact_expression& in, const accelerator_facts& cards,
                                        const accelerator_table& known) {
    if (in.is == fact_expression::form::compare)
        return figure(in.fact, cards, known) > 0 ? std::nullopt : std::optional(in.fact);
    for (const auto& part : in.parts)
        if (const auto found = first_unknown(part, cards, known))
            return found;
    return std::nullopt;
}

}  // namespace

bool compliance_rules::dated() const noexcept {
    const auto has_dates = [](const compliance_rule& rule) {
        return rule.from_at || rule.until_at;
    };
    return std::ranges::any_of(of_policy, has_dates) || std::ranges::any_of(of_workload, has_dates);
}

forbidding_rule first_forbidding(const compliance_rules& rules, const accelerator_facts& cards,
                                 const accelerator_table& known, std::int64_t from_ms) {
    for (const auto& part : {rules.of_policy, rules.of_workload})
        for (const compliance_rule& rule : part) {
            if (rule.until_at && rule.until_at->time_since_epoch().count() <= from_ms)
                continue;
            const truth found = holds(rule.forbid, cards, known);
            if (found == truth::unknown)
                return {&rule, first_unknown(rule.forbid, cards, known)};
            if (found == truth::yes)
                return {&rule, std::nullopt};
        }
    return {};
}

void find_forbidden(const compliance_rules& rules, const accelerator_facts* cards, const accelerator_table& known,
                    std::int64_t from_ms, std::vector<start_dates::time_span>& into) {
    into.clear();
    if (!cards)
        return;
    const auto ms = [](const std::optional<instant>& at, std::int64_t otherwise) {
        return at ? static_cast<std::int64_t>(at->time_since_epoch().count()) : otherwise;
    };
    for (const auto& part : {rules.of_policy, rules.of_workload})
        for (const compliance_rule& rule : part) {
            const std::int64_t begin = ms(rule.from_at, std::numeric_limits<std::int64_t>::min());
            const std::int64_t end = ms(rule.until_at, start_dates::never);
            if (end > from_ms && begin < end && holds(rule.forbid, *cards, known) != truth::no)
                into.emplace_back(begin, end);
        }
}

}  // namespace westerly
