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

constexpr std::size_t cards_listed_max = 8;

/// Models of cards by the rule that is the first to forbid them, and by the figure that it does not know.
using forbidden_cards = std::map<std::pair<const compliance_rule*, std::optional<offer_fact>>, std::set<std::string>>;

forbidden_cards cards_forbidden(const comparison& by) {
    forbidden_cards all;
    for (std::size_t i = 0; i < by.want.shapes.size(); ++i) {
        const auto& row = by.book.shapes()[i];
        if (!row.accelerators || by.want.shapes[i].code != static_cast<std::uint8_t>(rejection::compliance))
            continue;
        const forbidding_rule why = first_forbidding(by.want.request.compliance, *row.accelerators, known_in(by.world),
                                                     earliest_launch(row, by.want.request));
        if (why.rule)
            all[{why.rule, why.unknown}].insert(row.accelerators->model);
    }
    return all;
}

/// In the order of the rules, whatever that of the book.
void on_compliance(const comparison& by, notes& into) {
    const forbidden_cards all = cards_forbidden(by);
    for (const auto& rules : {by.want.request.compliance.of_policy, by.want.request.compliance.of_workload})
        for (const compliance_rule& rule : rules)
            for (const auto& [why, cards] : all) {
                if (why.first != &rule)
                    continue;
                std::vector<std::string> listed(cards.begin(), cards.end());
                if (listed.size() > cards_listed_max) {
                    listed.resize(cards_listed_max);
                    listed.emplace_back("…");
                }
                note told{note_kind::rule_forbids, {rule.name, joined(listed, ", ", ", ")}, {}};
                if (why.second) {
                    told.kind = note_kind::rule_unknown;
                    told.words.emplace_back(offer_fact_names[static_cast<std::size_t>(*why.second)]);
                }
                into.push_back(std::move(told));
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
