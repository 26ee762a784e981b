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

/// The total of the rules: of all bit lengths the most of TOPS times the length. 0: not known.
///
/// Each peak is that of a whole card at one length, dense: nothing is added up, because the units that work at 16 bits
/// are the same that work at 8. FP32 and FP64 count at their own lengths, on vector units as well as on others: that is
/// no part of a narrower rate counted again, so it raises the most only where a card really does more at that length
/// (a 4090 at FP32, 2 643 against 2 640 at FP16, before its INT8 is known). TF32 is in none of them: it is told as
/// neither. Wide peaks alone tell nothing, since a card may do more with narrow numbers, as almost all do.
double tops_by_bit_length(const accelerator_facts& cards) {
    const double narrow =
        std::max({cards.fp16_tflops * 16, cards.bf16_tflops * 16, cards.fp8_tflops * 8, cards.int8_tops * 8});
    return narrow > 0 ? std::max({narrow, cards.fp32_tflops * 32, cards.fp64_tflops * 64}) : 0;
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
            return tops_by_bit_length(cards);
        case offer_fact::cards_per_unit:
            return cards.count;
        case offer_fact::jurisdiction:
        case offer_fact::architecture:
            break;  // words
    }
    return 0;
}

/// What an offer has none of is no unknown: no figure of cards is unknown where there are no cards.
bool is_unknown(offer_fact fact, const ruled_facts& of, const accelerator_table& known) {
    return is_word(fact) ? word_of(fact, of).empty() : of.cards && !(figure(fact, *of.cards, known) > 0);
}

bool compared(const fact_expression& by, double is) noexcept {
    switch (by.comparison) {
        case fact_comparison::at_least:
            return is >= by.value;
        case fact_comparison::above:
            return is > by.value;
        case fact_comparison::at_most:
            return is <= by.value;
        case fact_comparison::below:
            return is < by.value;
        case fact_comparison::in:
            break;  // of words
    }
    return false;
}

truth compare(const fact_expression& by, const ruled_facts& of, const accelerator_table& known) {
    if (is_unknown(by.fact, of, known))
        return truth::unknown;
    const bool holds = is_word(by.fact) ? std::ranges::find(by.words, word_of(by.fact, of)) != by.words.end()
                                        : of.cards && compared(by, figure(by.fact, *of.cards, known));
    return holds ? truth::yes : truth::no;
}

truth holds(const fact_expression& by, const ruled_facts& of, const accelerator_table& known) {
    if (by.is == fact_expression::form::compare)
        return compare(by, of, known);
    const bool all = by.is == fact_expression::form::all;
    truth sum = all ? truth::yes : truth::no;
    for (const auto& part : by.parts)
        sum = all ? std::min(sum, holds(part, of, known)) : std::max(sum, holds(part, of, known));
    if (by.is != fact_expression::form::none)
        return sum;
    return sum == truth::unknown ? sum : sum == truth::yes ? truth::no : truth::yes;
}

/// A rule over figures of cards alone says nothing of offers without cards, not even where it forbids `none`.
truth forbids(const compliance_rule& rule, const ruled_facts& of, const accelerator_table& known) {
    const bool spoken_of = of.cards || speaks_of(rule.forbid, offer_fact::jurisdiction) ||
                           speaks_of(rule.forbid, offer_fact::architecture);
    return spoken_of ? holds(rule.forbid, of, known) : truth::no;
}

/// The first fact in it that is not known.
std::optional<offer_fact> first_unknown(const fact_expression& in, const ruled_facts& of,
                                        const accelerator_table& known) {
    if (in.is == fact_expression::form::compare)
        return is_unknown(in.fact, of, known) ? std::optional(in.fact) : std::nullopt;
    for (const auto& part : in.parts)
        if (const auto found = first_unknown(part, of, known))
            return found;
    return std::nullopt;
}

}  // namespace

bool speaks_of(const fact_expression& by, offer_fact fact) noexcept {
    if (by.is == fact_expression::form::compare)
        return by.fact == fact;
    return std::ranges::any_of(by.parts, [&](const fact_expression& part) { return speaks_of(part, fact); });
}

ruled_facts facts_of(const offer_book::shape_row& row, const name_table& names) noexcept {
    return {row.accelerators ? &*row.accelerators : nullptr, names.name(row.jurisdiction),
            names.name(row.architecture)};
}

std::string_view word_of(offer_fact fact, const ruled_facts& of) noexcept {
    if (fact == offer_fact::jurisdiction)
        return of.jurisdiction == jurisdiction_untold ? std::string_view() : of.jurisdiction;
    return fact == offer_fact::architecture ? of.architecture : std::string_view();
}

bool compliance_rules::dated() const noexcept {
    const auto has_dates = [](const compliance_rule& rule) {
        return rule.from_at || rule.until_at;
    };
    return std::ranges::any_of(of_policy, has_dates) || std::ranges::any_of(of_workload, has_dates);
}

bool compliance_rules::speak_of(offer_fact fact) const noexcept {
    const auto has_it = [&](const compliance_rule& rule) {
        return speaks_of(rule.forbid, fact);
    };
    return std::ranges::any_of(of_policy, has_it) || std::ranges::any_of(of_workload, has_it);
}

forbidding_rule first_forbidding(const compliance_rules& rules, const ruled_facts& of, const accelerator_table& known,
                                 std::int64_t from_ms) {
    for (const auto& part : {rules.of_policy, rules.of_workload})
        for (const compliance_rule& rule : part) {
            if (rule.until_at && rule.until_at->time_since_epoch().count() <= from_ms)
                continue;
            const truth found = forbids(rule, of, known);
            if (found == truth::unknown)
                return {&rule, first_unknown(rule.forbid, of, known)};
            if (found == truth::yes)
                return {&rule, std::nullopt};
        }
    return {};
}

void find_forbidden(const compliance_rules& rules, const ruled_facts& of, const accelerator_table& known,
                    std::int64_t from_ms, std::vector<start_dates::time_span>& into) {
    into.clear();
    const auto ms = [](const std::optional<instant>& at, std::int64_t otherwise) {
        return at ? static_cast<std::int64_t>(at->time_since_epoch().count()) : otherwise;
    };
    for (const auto& part : {rules.of_policy, rules.of_workload})
        for (const compliance_rule& rule : part) {
            const std::int64_t begin = ms(rule.from_at, std::numeric_limits<std::int64_t>::min());
            const std::int64_t end = ms(rule.until_at, start_dates::never);
            if (end > from_ms && begin < end && forbids(rule, of, known) != truth::no)
                into.emplace_back(begin, end);
        }
}

}  // namespace westerly
