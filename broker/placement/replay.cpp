#include "broker/placement/replay.hpp"

#include "broker/placement/demand.hpp"
#include "broker/placement/market_based.hpp"
#include "broker/placement/overrides.hpp"
#include "broker/placement/policy_choice.hpp"

#include <algorithm>

namespace westerly {

past_book::past_book(const market_past& past, accelerator_table accelerators)
    : seq_(past.seq), regions_(past.facts.regions), accelerators_(std::move(accelerators)) {
    for (const auto& [provider, offers] : past.offers)
        book_.replace_provider(provider, offers);
    signals_.restore(past.signals, {});
}

namespace {

/// Why a policy's term cannot be had of the past: "" where it can.
class lost_terms {
public:
    lost_terms(const decision& first, const decision_basis& basis, const policy& rules, term_table terms,
               std::span<const foreign_column> said)
        : how_(basis.heard.how),
          own_(rules.name == first.policy && rules.version == without_overrides(first.policy_version)),
          terms_(terms),
          said_(said) {}

    std::string first_of(const policy& rules, const workload_spec& spec) const {
        for (const auto& price : rules.prices)
            if (auto lost = why(price.term); !lost.empty())
                return lost;
        for (const auto& key : order_of(rules, spec))
            if (auto lost = why(key.term); !lost.empty())
                return lost;
        return {};
    }

private:
    using kept = heard_terms::kept;

    static std::string without_overrides(const std::string& version) { return version.substr(0, version.find('+')); }

    /// A decision by its own policy goes on without what it did not hear; another policy would have asked.
    std::string why(const std::string& name) const {
        const term* known = find_term(terms_, name);
        const std::string weighs = "its policy weighs the term \"" + name + "\"";
        if (!known)
            return weighs + ", which this broker does not have";
        if (!known->foreign)
            return {};
        if (how_ == kept::untold)
            return weighs + " of a library, and a version made it that kept nothing of what libraries said";
        if (how_ == kept::too_much)
            return weighs + " of a library, which said more than is kept of it";
        if (own_ || std::ranges::any_of(said_, [&](const foreign_column& each) { return each.term == name; }))
            return {};
        return "the policy weighs the term \"" + name + "\" of a library, which was not asked for this decision";
    }

    const kept how_;
    const bool own_;
    const term_table terms_;
    const std::span<const foreign_column> said_;
};

/// Versions before this did not tell staging from egress.
bool tells_staging(const decision& made) {
    return std::ranges::none_of(made.ranked,
                                [](const appraisal& a) { return a.egress_base != 0 && !a.staging_base; }) &&
           (!made.baseline || made.baseline->egress_base == 0 || made.baseline->staging_base);
}
void tell_no_staging(decision& made) {
    for (appraisal& a : made.ranked)
        a.staging_base.reset();
    if (made.baseline)
        made.baseline->staging_base.reset();
}

/// What an earlier version told of the world around the decision in a narrower way stands as it was told.
void keep_narrow_switches(const decision& first, const workload_spec& spec, decision& again) {
    again.narrow_switches = true;
    again.switches = first.switches;
    if (spec.tasks_max <= spec.tasks || again.rivals == first.rivals)
        return;
    std::erase_if(again.notes, [](const note& each) { return each.kind == note_kind::not_robust; });
    again.rivals = first.rivals;
    if (!again.rivals.empty())
        again.notes.push_back({note_kind::not_robust, again.rivals, {}});
}

}  // namespace

/// Free units, dates and the choice among the signals, which entries of the history do not tell.
void past_book::look_as_then(const decision_basis& basis) {
    // What of the last replay still is taken is free again.
    for (const auto& [index, free] : book_.less_free())
        book_.set_free_units(index, book_.total_units(index));
    for (const auto& taken : basis.less_free)
        book_.set_free_units(taken.index, taken.free);
    for (const auto& [provider, at] : basis.confirmed)
        book_.date_provider(provider, at);
    for (const auto& part : basis.confirming)
        book_.date_provider(part.provider, part.at, &part.through);
    if (basis.signals_chosen_at)
        signals_.choose_as_at(*basis.signals_chosen_at);
}

result<decision> past_book::decide_again(const decision& first, const decision_basis& basis, const policy& rules,
                                         term_table terms, const workload_spec& spec,
                                         std::span<const foreign_column> said) {
    if (basis.with_signals && !basis.signals_chosen_at)
        return fail(errc::conflict, "it was made with signals of the grids, by a version that kept no history of them");
    if (auto lost = lost_terms(first, basis, rules, terms, said).first_of(rules, spec); !lost.empty())
        return fail(errc::conflict, std::move(lost));
    for (const auto& taken : basis.less_free)
        if (taken.index >= book_.size())
            return fail(errc::invalid, "the record tells of an offer that there was not");
    look_as_then(basis);

    std::vector<provider_block> blocked;
    for (const auto& provider : basis.blocked)
        blocked.push_back({provider, {}});
    decision_world world;
    world.now = first.at;
    world.rates = first.rates;
    world.regions = regions_;
    world.accelerators = &accelerators_;
    world.blocked = blocked;
    world.budget_left = basis.budget_left;
    world.measured = basis.measured;
    world.progress = basis.progress;
    world.asked_at = basis.asked_at;
    world.signals = basis.signals_chosen_at ? &signals_ : nullptr;
    world.foreign = said;
    decision again = decide(book_, effective_policy(rules, spec), terms, spec, world);
    if (first.narrow_switches)
        keep_narrow_switches(first, spec, again);
    if (auto why = why_chosen(rules, spec))
        again.notes.push_back(std::move(*why));
    // Why it was made, or went where it did, or came so late: the run that it was held against, the others of its round
    // and the reasons for its wait stand in no record but by the units that they held.
    for (const auto& each : first.notes)
        if (each.kind == note_kind::moved || each.kind == note_kind::moved_in_order ||
            each.kind == note_kind::assigned_together || each.kind == note_kind::waited ||
            each.kind == note_kind::room_ahead)
            again.notes.push_back(each);
    if (std::ranges::find(first.notes, note_kind::room_ahead, &note::kind) != first.notes.end())
        again.put_off = first.put_off;  // what ran there, and until when, stands in no record
    // So does what stopping others was charged.
    if (!first.ranked.empty() && !again.ranked.empty() && !first.ranked.front().terms.empty())
        if (const auto& [name, charge] = first.ranked.front().terms.back(); name == preemption_charge) {
            again.ranked.front().terms.emplace_back(name, charge);
            again.ranked.front().j += charge;
        }
    count_certificates(book_, basis.certificates, told_of_offers(again));
    if (!tells_staging(first))
        tell_no_staging(again);
    again.id = first.id;
    again.workload = first.workload;
    again.book_version = first.book_version;
    return again;
}

}  // namespace westerly
