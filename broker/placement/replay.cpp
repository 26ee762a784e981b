#include "broker/placement/replay.hpp"

#include "broker/placement/demand.hpp"
#include "broker/placement/overrides.hpp"
#include "broker/placement/policy_choice.hpp"

namespace westerly {

past_book::past_book(const market_past& past, accelerator_table accelerators)
    : seq_(past.seq), regions_(past.facts.regions), accelerators_(std::move(accelerators)) {
    for (const auto& [provider, offers] : past.offers)
        book_.replace_provider(provider, offers);
}

namespace {

/// A policy's term that cannot be had of the past: "" where there is none.
std::string lost_term(const policy& rules, term_table terms, const workload_spec& spec) {
    const auto look_at = [&](const std::string& name) -> std::string {
        const term* known = find_term(terms, name);
        if (!known)
            return "its policy weighs the term \"" + name + "\", which this broker does not have";
        return known->foreign ? "its policy weighs the term \"" + name + "\" of a library, of which no history is kept"
                              : std::string();
    };
    for (const auto& price : rules.prices)
        if (auto lost = look_at(price.term); !lost.empty())
            return lost;
    for (const auto& key : order_of(rules, spec))
        if (auto lost = look_at(key.term); !lost.empty())
            return lost;
    return {};
}

}  // namespace

result<decision> past_book::decide_again(const decision& first, const decision_basis& basis, const policy& rules,
                                         term_table terms, const workload_spec& spec) {
    if (basis.with_signals)
        return fail(errc::conflict, "it was made with signals of the grids, of which no history is kept");
    if (auto lost = lost_term(rules, terms, spec); !lost.empty())
        return fail(errc::conflict, std::move(lost));
    for (const auto& taken : basis.less_free)
        if (taken.index >= book_.size())
            return fail(errc::invalid, "the record tells of an offer that there was not");
    // What of the last replay still is taken is free again.
    for (const auto& [index, free] : book_.less_free())
        book_.set_free_units(index, book_.total_units(index));
    for (const auto& taken : basis.less_free)
        book_.set_free_units(taken.index, taken.free);

    for (const auto& [provider, at] : basis.confirmed)
        book_.date_provider(provider, at);

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
    decision again = decide(book_, effective_policy(rules, spec.overrides), terms, spec, world);
    if (auto why = why_chosen(rules, spec))
        again.notes.push_back(std::move(*why));
    // Why it was made, or went where it did: the run that it was held against, and the others of its round, stand in no
    // record but by the units that they held.
    for (const auto& each : first.notes)
        if (each.kind == note_kind::moved || each.kind == note_kind::moved_in_order ||
            each.kind == note_kind::assigned_together)
            again.notes.push_back(each);
    // So does what stopping others was charged.
    if (!first.ranked.empty() && !again.ranked.empty() && !first.ranked.front().terms.empty())
        if (const auto& [name, charge] = first.ranked.front().terms.back(); name == preemption_charge) {
            again.ranked.front().terms.emplace_back(name, charge);
            again.ranked.front().j += charge;
        }
    again.id = first.id;
    again.workload = first.workload;
    again.book_version = first.book_version;
    return again;
}

}  // namespace westerly
