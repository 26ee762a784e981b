#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// After so many offers were written as changes, all of them are written once: a replay has few rows to read.
constexpr std::size_t changes_between_wholes_min = 256;

}  // namespace

/// A start has no offers, whatever the last run had; its facts may be those of a newer version.
void engine_core::remember_start(turn& t) {
    history_entry begun;
    begun.seq = ++history_seq_;
    begun.at = t.now;
    begun.facts = {options_.regions, options_.accelerators_text};
    t.changes.history.push_back(std::move(begun));
}

/// What of a provider's offers is new, other or gone, as against the book, before that takes them over.
void engine_core::remember_offers(turn& t, const provider_id& provider, const offer_list& sorted) {
    history_entry entry;
    entry.at = t.now;
    entry.provider = provider;
    std::vector<offer_list::shared> changed;
    auto next = sorted.all().begin();
    const auto end = sorted.all().end();
    book_.each_of(provider, [&](std::size_t i) {
        const auto& known = book_.share(i);
        for (; next != end && (*next)->id < known->id; ++next)
            changed.push_back(*next);
        if (next == end || (*next)->id != known->id)
            entry.gone.push_back(known->id);
        else if (const auto& now = *next++; now != known && !same_but_date(*now, *known))
            changed.push_back(now);
    });
    changed.insert(changed.end(), next, end);
    if (changed.empty() && entry.gone.empty())
        return;
    const auto [written, first] = history_written_.try_emplace(provider, 0);
    written->second += changed.size() + entry.gone.size();
    entry.whole = first || written->second > std::max(changes_between_wholes_min, sorted.size());
    if (entry.whole) {
        written->second = 0;
        entry.offers = sorted;
        entry.gone.clear();
    } else {
        entry.offers = offer_list(std::move(changed));
    }
    entry.seq = ++history_seq_;
    t.changes.history.push_back(std::move(entry));
}

/// Before anything of the decision is carried out: what is free is what it saw.
void engine_core::remember_basis(turn& t, const live_workload& w, const decision_id& of) const {
    decision_basis basis;
    basis.of = of;
    basis.history_seq = history_seq_;
    for (const auto& block : blocks_)
        basis.blocked.push_back(block.provider);
    basis.budget_left = budget_left(w.value);
    basis.with_signals = !signals_.empty();
    const auto measured = speeds_.of(w.value.tenant, w.value.spec->name);
    basis.measured.assign(measured.begin(), measured.end());
    for (const auto& [index, free] : book_.less_free())
        basis.less_free.push_back({index, free});
    t.changes.bases.push_back(std::move(basis));
}

void engine_core::remember_policies(turn& t, const std::vector<policy>& rules) const {
    for (const auto& rule : rules) {
        const auto known = policies_.find(rule.name);
        if (known == policies_.end() || known->second.version != rule.version)
            t.changes.policies.push_back({rule.name, rule.version, rule.text});
    }
}

bool same_but_date(const offer& a, const offer& b) {
    if (&a == &b || a == b)
        return true;
    offer dated = a;
    dated.as_of = b.as_of;
    return dated == b;
}

}  // namespace westerly
