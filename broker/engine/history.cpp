#include "broker/engine/core.hpp"
#include "broker/placement/market_based.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// After so many offers were written as changes, all of them are written once: a replay has few rows to read.
constexpr std::size_t changes_between_wholes_min = 256;
/// After so many words of a feed that were written as changes its signals are written whole.
constexpr std::size_t words_between_wholes = 64;

}  // namespace

/// A start has no offers, whatever the last run had; its facts may be those of a newer version.
void engine_core::remember_start(turn& t) {
    history_entry begun;
    begun.seq = ++history_seq_;
    begun.at = t.now;
    begun.facts = {options_.regions, options_.accelerators_text};
    t.changes.history.push_back(std::move(begun));
}

/// What the book has taken over of a provider's offers. `offers_in_all`: of its list.
void engine_core::remember_offers(turn& t, const provider_id& provider, const offer_book::part_change& made,
                                  std::size_t offers_in_all) {
    if (!made.anything())
        return;
    history_entry entry;
    entry.at = t.now;
    entry.provider = provider;
    const auto [written, first] = history_written_.try_emplace(provider, 0);
    written->second += made.changed.size() + made.gone.size();
    if (written->second > std::max(changes_between_wholes_min, offers_in_all))
        wholes_.try_emplace(provider);
    entry.whole = first;
    entry.offers = offer_list(made.changed);
    entry.gone = made.gone;
    entry.seq = ++history_seq_;
    t.changes.history.push_back(std::move(entry));
}

/// A piece of what is written whole, so that a replay has few changes to read.
void engine_core::gather_whole(turn& t) {
    const provider_id& provider = wholes_.begin()->first;
    gathering& of = wholes_.begin()->second;
    if (of.layout != book_.layout())  // another provider's offers came or went: indices mean other offers now
        of = {.layout = book_.layout()};
    const std::size_t end = std::min(of.next + gathered_per_input, book_.size());
    book_.each_of(
        provider, [&](std::size_t i) { of.offers.push_back(book_.share(i)); }, of.next, end);
    of.next = end;
    if (end < book_.size())
        return;
    history_entry entry;
    entry.at = t.now;
    entry.provider = provider;
    entry.offers = offer_list(std::move(of.offers));
    entry.seq = ++history_seq_;
    history_written_[provider] = 0;
    t.changes.history.push_back(std::move(entry));
    wholes_.erase(wholes_.begin());
}

bool engine_core::dates_its_list(const provider_id& provider) const {
    const auto at = providers_.find(provider);
    return at != providers_.end() && at->second.config && at->second.config->kind != "catalogue";
}

/// An adapter's listing has one date for all that it offers, and often nothing else that is new: it makes no entry, but
/// goes into the bases of decisions. Of a catalogue, of which nothing is launched, no decision is stored that saw it.
void engine_core::remember_confirmation(const provider_id& provider, const offer_list& listed) {
    confirming_.erase(provider);
    if (listed.empty() || !dates_its_list(provider))
        confirmed_.erase(provider);
    else
        confirmed_[provider] = listed[0].as_of;
}

/// The part of a listing that is taken over has its date already. A list may be followed by the next one before its
/// end.
void engine_core::remember_part(const provider_id& provider, instant at, const offer_id& through) {
    if (!dates_its_list(provider))
        return;
    auto& parts = confirming_[provider];
    std::erase_if(parts, [&](const auto& part) { return part.second <= through; });
    parts.emplace_back(at, through);
}

/// What a feed tells in place of `before`. Only pointers are copied here: the store finds what differs.
void engine_core::remember_signals(turn& t, const std::string& feed, signal_list before) {
    signal_entry entry;
    entry.seq = ++history_seq_;
    entry.at = t.now;
    entry.feed = feed;
    entry.now = signals_.told_by(feed);
    const auto [written, first] = signals_written_.try_emplace(feed, 0);
    entry.whole = first || ++written->second > words_between_wholes;
    if (entry.whole)
        written->second = 0;
    else
        entry.before = std::move(before);
    t.changes.signal_history.push_back(std::move(entry));
}

/// What libraries had said to this decision, written once for all decisions that saw it.
heard_terms engine_core::remember_terms(turn& t, const demand_shape& shape, std::span<const foreign_column> said) {
    if (said.empty())
        return {heard_terms::kept::nothing, 0};
    score_board::entry& e = scores_.at(shape);
    if (e.kept)
        return *e.kept;
    auto runs = runs_of(said);
    if (!runs) {
        e.kept = heard_terms{heard_terms::kept::too_much, 0};
        return *e.kept;
    }
    e.kept = heard_terms{heard_terms::kept::whole, ++history_seq_};
    t.changes.terms_history.push_back({history_seq_, t.now, std::move(*runs)});
    return *e.kept;
}

/// Before anything of the decision is carried out: what is free is what it saw.
decision_basis engine_core::basis_of(turn& t, const live_workload& w, const decision_world& seen,
                                     const decision_id& of) {
    decision_basis basis;
    basis.of = of;
    basis.heard = remember_terms(t, w.shape, seen.foreign);
    basis.history_seq = history_seq_;
    for (const auto& block : blocks_)
        basis.blocked.push_back(block.provider);
    basis.budget_left = seen.budget_left;
    basis.progress = seen.progress;
    basis.asked_at = seen.asked_at;
    basis.with_signals = !signals_.empty();
    if (basis.with_signals)
        basis.signals_chosen_at = signals_.chosen_at();
    basis.measured.assign(seen.measured.begin(), seen.measured.end());
    for (const auto& [index, free] : book_.less_free())
        basis.less_free.push_back({index, free});
    basis.confirmed.assign(confirmed_.begin(), confirmed_.end());
    for (const auto& [provider, parts] : confirming_)
        for (const auto& [at, through] : parts)
            basis.confirming.push_back({provider, at, through});
    return basis;
}

/// Certificates are given when a run has ended, so a decision tells what they could cover now, and ranks by none of it:
/// two that are made at once count the same MWh. Returns what it counted of what there was, for its basis. A service
/// has no end, and what an hour of it could be given says nothing of the next.
std::vector<allocable_power> engine_core::count_certificates(const tenant_id& whose, const workload_spec& spec,
                                                             std::span<appraisal* const> told) const {
    if (certificates_.held().empty() || spec.kind == workload_kind::service)
        return {};
    const certificate_scope scope = certificate_scope_of(book_, told);
    const auto there = certificates_.allocable(name_of_tenant(whose), scope.grids, scope.from, scope.to);
    return westerly::count_certificates(book_, there, told);
}

void engine_core::remember_policies(turn& t, const std::vector<policy>& rules) const {
    for (const auto& rule : rules) {
        const auto known = policies_.find(rule.name);
        if (known == policies_.end() || known->second.version != rule.version)
            t.changes.policies.push_back({rule.name, rule.version, rule.text});
    }
}

}  // namespace westerly
