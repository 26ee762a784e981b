#include "broker/engine/wait_reasons.hpp"

#include "broker/engine/waiting_room.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// A piece with the counts that `skip` does not speak of already.
note counts_in(note_kind kind, const decision& made, std::initializer_list<rejection> skip) {
    note told{kind, {}, {}};
    for (const auto& [why, count] : made.rejections)
        if (std::ranges::find(skip, why) == skip.end()) {
            told.words.emplace_back(to_string(why));
            told.figures.push_back(count);
        }
    return told;
}

note one_or_many(note_kind one, note_kind many, std::uint32_t count, std::vector<std::string> words = {}) {
    return count == 1 ? note{one, std::move(words), {}} : note{many, std::move(words), {static_cast<double>(count)}};
}

std::string names_of(std::span<const provider_block> blocks) {
    std::string names;
    for (const auto& block : blocks)
        names += (names.empty() ? "" : "; ") + block.provider + ": " + block.why;
    return names;
}

void append(std::vector<note>& pieces, const std::vector<note>& more) {
    pieces.insert(pieces.end(), more.begin(), more.end());
}

/// Units that become free do not help then.
bool too_late(const note& told) noexcept {
    return told.kind == note_kind::deadline_unreachable || told.kind == note_kind::deadline_passed;
}

/// Notes of a decision that say what would help who waits.
bool helps(const note& told) noexcept {
    constexpr note_kind kinds[] = {
        note_kind::region_unknown,    note_kind::region_misspelt,   note_kind::rule_forbids,
        note_kind::rule_forbids_in,   note_kind::rule_forbids_bare, note_kind::rule_unknown,
        note_kind::rule_unknown_bare, note_kind::quantities_read,   note_kind::class_of_cards};
    return too_late(told) || std::ranges::find(kinds, told.kind) != std::end(kinds);
}

/// None of the offers will do, whatever becomes free.
wait_reason nothing_fits(const decision& made, const lifting_dates& dates) {
    if (made.considered == 0)
        return reason_of("no_feasible_offer", {{note_kind::wait_nothing_offered, {}, {}}});
    const auto kind = dates.first() ? note_kind::wait_none_fits_yet : note_kind::wait_none_fits;
    std::vector<note> pieces{counts_in(kind, made, {})};
    pieces.front().figures.push_back(made.considered);
    append(pieces, dates.told());
    for (const note& told : made.notes)
        if (helps(told))
            pieces.push_back(told);
    return reason_of("no_feasible_offer", std::move(pieces));
}

}  // namespace

std::uint32_t count_of(const decision& made, rejection why) noexcept {
    for (const auto& [kind, count] : made.rejections)
        if (kind == why)
            return count;
    return 0;
}

std::vector<wait_reason> reasons_of(const decision& made, std::span<const provider_block> blocks, std::size_t kept,
                                    const lifting_dates& dates) {
    std::vector<wait_reason> reasons;
    for (const note& told : made.notes)
        if (told.kind == note_kind::term_failed)
            reasons.push_back(reason_of("term_failed", {told, {note_kind::wait_asked_again, {}, {}}}));
    if (!reasons.empty())
        return reasons;
    const note others =
        counts_in(note_kind::wait_passed_over, made, {rejection::capacity_now, rejection::provider_unhealthy});
    const auto add = [&](const char* code, std::vector<note> pieces) {
        if (reasons.empty() && !others.words.empty()) {
            pieces.push_back(others);
            append(pieces, dates.told());
        }
        reasons.push_back(reason_of(code, std::move(pieces)));
    };
    const auto full = count_of(made, rejection::capacity_now);
    if (full && std::ranges::none_of(made.notes, too_late)) {
        std::vector<note> pieces{one_or_many(note_kind::wait_full_one, note_kind::wait_full, full)};
        if (kept > 0)
            pieces.push_back({note_kind::wait_kept, {}, {static_cast<double>(kept)}});
        add("no_capacity", std::move(pieces));
    }
    if (const auto blocked = count_of(made, rejection::provider_unhealthy))
        add("provider_unhealthy",
            {one_or_many(note_kind::wait_blocked_one, note_kind::wait_blocked, blocked, {names_of(blocks)})});
    if (reasons.empty())
        reasons.push_back(nothing_fits(made, dates));
    return reasons;
}

wait_reason policy_reason(const policy_table& known, const workload_spec& spec, const error& why) {
    if (!spec.policy.empty() && !known.contains(spec.policy))
        return reason_of("policy_missing", {{note_kind::wait_policy_missing, {spec.policy}, {}}});
    return reason_of("policy_refused", {{note_kind::wait_policy_refused, {why.detail + " " + why.remedy}, {}}});
}

std::uint8_t what_lifts(const std::vector<wait_reason>& reasons) {
    std::uint8_t mask = wake_on_offers | wake_on_policies;
    for (const auto& reason : reasons) {
        if (reason.code == "no_capacity")
            mask |= wake_on_capacity;
        if (reason.code == "provider_unhealthy")
            mask |= wake_on_providers;
    }
    return mask;
}

}  // namespace westerly
