// What would help where offers were rejected.
#include "broker/domain/wording.hpp"
#include "broker/placement/compare.hpp"
#include "broker/placement/compliance.hpp"
#include "broker/placement/next_dates.hpp"
#include "broker/placement/units.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace westerly {
namespace {

using notes = std::vector<note>;

bool rejects(const decision& made, rejection why) {
    return std::ranges::any_of(made.rejections, [&](const auto& one) { return one.first == why; });
}

/// What the policy ranks by and offers may not tell.
void on_quantities(const comparison& by, notes& into) {
    note told{note_kind::quantities_read, {}, {}};
    const std::uint8_t reads = by.want.request.reads;
    for (const auto& [columns, word] :
         {std::pair{reads_rtt | reads_rtt_p95, "reads_rtt"}, std::pair{reads_energy | reads_carbon, "reads_power"},
          std::pair{reads_carbon | 0, "reads_carbon"}, std::pair{reads_risk | 0, "reads_hazard"}})
        if (reads & columns)
            told.words.push_back(word);
    if (by.want.foreign_gaps)
        for (const foreign_view& each : by.want.foreign)
            told.words.push_back(std::string(each.what->name));
    if (!told.words.empty())
        into.push_back(std::move(told));
}

constexpr std::size_t names_listed_max = 8;

using names = std::set<std::string>;

/// Why the first rule that does forbids offers with cards, or those without.
struct forbidding_reason {
    std::optional<offer_fact> unknown;  // it turns on this
    bool bare = false;                  // no cards
    auto operator<=>(const forbidding_reason&) const = default;
};
/// By the words that the rule names, as they are there, the models of cards; empty ones of what has none of these.
using forbidden_models = std::map<std::string, names>;
using forbidden_offers = std::map<const compliance_rule*, std::map<forbidding_reason, forbidden_models>>;

std::string_view name_of_fact(offer_fact fact) {
    return offer_fact_names[static_cast<std::size_t>(fact)];
}

/// "US", "US arm64": what the rule's words are of such offers.
std::string words_named(const compliance_rule& rule, const ruled_facts& of) {
    std::string all;
    for (const offer_fact fact : {offer_fact::jurisdiction, offer_fact::architecture}) {
        if (!speaks_of(rule.forbid, fact))
            continue;
        const std::string_view word = word_of(fact, of);
        all += all.empty() ? "" : " ";
        all += word.empty() ? std::string(name_of_fact(fact)) + "?" : std::string(word);
    }
    return all;
}

/// A rule that begins before the data would be there forbids some sites of a shape only.
bool forbidden_at_some_site(const demand& want, std::size_t i) {
    return want.shapes[i].dated && !want.hourly.shapes[want.aside[i].hourly].dates.forbidden.empty();
}

bool forbidden_everywhere(const demand& want, std::size_t i) {
    return want.shapes[i].code == static_cast<std::uint8_t>(rejection::compliance);
}

template <class Which>
forbidden_offers find_forbidden_offers(const comparison& by, const Which& which) {
    forbidden_offers all;
    for (std::size_t i = 0; i < by.want.shapes.size(); ++i) {
        const auto& row = by.book.shapes()[i];
        if (!which(by.want, i))
            continue;
        const ruled_facts of = facts_of(row, by.book.names());
        const forbidding_rule why =
            first_forbidding(by.want.request.compliance, of, known_in(by.world), earliest_launch(row, by.want.request));
        if (!why.rule)
            continue;
        const std::string named = why.unknown ? "" : words_named(*why.rule, of);
        names& models = all[why.rule][{why.unknown, !of.cards}][named];
        if (of.cards)
            models.insert(of.cards->model);
    }
    return all;
}

std::string some_of(const names& all) {
    std::vector<std::string> listed(all.begin(), all.end());
    if (listed.size() > names_listed_max) {
        listed.resize(names_listed_max);
        listed.emplace_back("…");
    }
    return joined(listed, ", ", ", ");
}

/// `named` holds one empty text where the rule names no words; it does where it forbids offers without cards.
note on_rule(const compliance_rule& rule, const forbidding_reason& why, const names& models, const names& named) {
    note told{note_kind::rule_forbids, {rule.name}, {}};
    if (!why.bare)
        told.words.push_back(some_of(models));
    if (why.unknown) {
        told.kind = why.bare ? note_kind::rule_unknown_bare : note_kind::rule_unknown;
        told.words.emplace_back(name_of_fact(*why.unknown));
    } else if (!named.contains("")) {
        told.kind = why.bare ? note_kind::rule_forbids_bare : note_kind::rule_forbids_in;
        told.words.push_back(some_of(named));
    }
    return told;
}

/// In the order of the rules, whatever that of the book. What is forbidden alike in several places is told once.
void on_compliance(const comparison& by, notes& into) {
    forbidden_offers all = find_forbidden_offers(by, forbidden_everywhere);
    if (all.empty())
        all = find_forbidden_offers(by, forbidden_at_some_site);
    for (const auto& rules : {by.want.request.compliance.of_policy, by.want.request.compliance.of_workload})
        for (const compliance_rule& rule : rules) {
            const auto found = all.find(&rule);
            if (found == all.end())
                continue;
            for (const auto& [why, models_of] : found->second) {
                std::map<names, names> by_models;
                for (const auto& [named, models] : models_of)
                    by_models[models].insert(named);
                for (const auto& [models, named] : by_models)
                    into.push_back(on_rule(rule, why, models, named));
            }
        }
}

/// Cards that are asked for may stand in another class than the one that is meant by leaving it out.
void on_class(const comparison& by, notes& into) {
    if (by.spec.resources.accelerators.empty())
        return;
    std::optional<compute_class> other;
    for (const auto& row : by.book.shapes()) {
        const accelerator_facts* cards = row.accelerators ? &*row.accelerators : nullptr;
        const unit_shape unit{row.divisible, row.vcpus, row.memory_mib, row.disk_mib, cards ? cards->count : 0};
        if (row.compute != by.spec.compute && fit_gang(unit, cards, by.spec, known_in(by.world)).units > 0)
            other = std::min(other.value_or(row.compute), row.compute);
    }
    const auto name = [](compute_class of) {
        return std::string(compute_class_names[static_cast<std::size_t>(of)]);
    };
    if (other)
        into.push_back({note_kind::class_of_cards, {name(*other), name(by.spec.compute)}, {}});
}

/// A deadline that nothing would keep, with everything free: by the shortest run, wherever it is.
void on_deadline(const comparison& by, notes& into) {
    std::optional<std::int64_t> first_end;
    for (const shape_view& shape : by.want.shapes)
        if (shape.code == passes && (!first_end || shape.start_ms + shape.run_ms < *first_end))
            first_end = shape.start_ms + shape.run_ms;
    const instant deadline = *by.spec.when.deadline_at;
    if (first_end && *first_end > *by.want.request.deadline_ms && deadline > by.world.now)
        into.push_back({note_kind::deadline_unreachable,
                        {format_rfc3339(deadline), format_rfc3339(instant(milliseconds(*first_end)))},
                        {}});
}

}  // namespace

void advise(const comparison& by, const decision& made, std::vector<note>& into) {
    if (rejects(made, rejection::compliance))
        on_compliance(by, into);
    if (!made.ranked.empty())
        return;
    if (by.want.request.deadline_ms)
        on_deadline(by, into);
    if (rejects(made, rejection::quantity_unknown))
        on_quantities(by, into);
    if (rejects(made, rejection::compute_class))
        on_class(by, into);
    const lifting_dates dates =
        next_dates(by.book, by.rules, by.spec, known_in(by.world), made, by.world.plan_only_too);
    for (const note& told : dates.told())
        if (told.kind != note_kind::wait_tried_again_at)  // nobody tries a plan again
            into.push_back(told);
}

}  // namespace westerly
