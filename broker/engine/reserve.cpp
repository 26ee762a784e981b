// Places kept for those who cannot start yet, and what that leaves to those behind them.
#include "broker/engine/core.hpp"
#include "broker/placement/feasible.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// Of each shape that waits for a place; and shapes of which they are remembered while the book stays the same.
constexpr std::size_t ways_max = 16;
constexpr std::size_t shapes_remembered_max = 64;
/// What a provider may take to end a run past its limit, the grace apart.
constexpr seconds end_margin{60};
constexpr milliseconds longest = std::chrono::hours(24 * 366 * 100);

milliseconds in_ms(std::uint64_t s) {
    return milliseconds(seconds(static_cast<std::int64_t>(
        std::min<std::uint64_t>(s, static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(longest).count())))));
}

std::optional<milliseconds> limit_of(const workload_spec& spec) {
    if (!spec.when.max_runtime_s)
        return std::nullopt;
    return in_ms(*spec.when.max_runtime_s) + seconds(spec.grace_s) + end_margin;
}

}  // namespace

/// What an estimate says of a run on the offer that was chosen. One that nobody stated is none.
run_bounds engine_core::bounds_of(const workload_spec& spec, const decision& made) {
    run_bounds takes{std::nullopt, limit_of(spec)};
    const appraisal& where = made.ranked.front();
    if (spec.kind == workload_kind::batch && !made.runtime_assumed)
        takes.expected = std::min(where.finish_at - made.at, longest);
    return takes;
}

/// After a start the decision is not at hand: only what the workload says of any offer.
run_bounds engine_core::bounds_of(const workload_spec& spec) {
    run_bounds takes{std::nullopt, limit_of(spec)};
    if (spec.kind == workload_kind::batch && spec.work.runtime_s && !spec.work.reference)
        takes.expected = in_ms(*spec.work.runtime_s);
    return takes;
}

/// Units of an offer that must stay free beside its own: work that somebody waits at may take the last ones.
std::uint64_t engine_core::headroom_for(const live_workload& w, std::size_t offer) const {
    const bool waited_at = w.value.spec->kind == workload_kind::service || w.value.spec->interactive;
    return waited_at ? 0 : std::min(book_.at(offer).supply.latency_headroom, latency_headroom_max);
}

bool engine_core::overdue(const live_workload& w, instant now) const {
    return w.waits_since + fair_.overdue_after() <= now;
}

/// The order of waiting_room::next.
bool engine_core::goes_before(const live_workload& a, const live_workload& b, instant now) const {
    const bool late = overdue(a, now);
    if (late != overdue(b, now))
        return late;
    if (late)
        return std::tie(a.waits_since, a.value.id) < std::tie(b.waits_since, b.value.id);
    const auto rank = [&](const live_workload& w) {
        return std::tuple(-std::int64_t{w.value.spec->priority}, fair_.served(w.value.tenant, now), w.value.created_at,
                          w.value.id);
    };
    return rank(a) < rank(b);
}

/// Where it could run if nothing of ours ran: worked out once for each shape while the book stays the same.
const std::vector<backfill::choice>& engine_core::places_ever(const live_workload& w, instant now) {
    if (places_of_book_ != book_.version() || places_ever_.size() >= shapes_remembered_max)
        places_ever_.clear();
    places_of_book_ = book_.version();
    static const std::vector<backfill::choice> none;
    if (!places_ever_.contains(w.shape) && looks_left_ < book_.size())
        return none;  // with the next input
    const auto [at, fresh] = places_ever_.try_emplace(w.shape);
    if (!fresh)
        return at->second;
    looks_left_ -= book_.size();
    const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec);
    if (!rules)
        return at->second;
    const auto taken = book_.less_free();
    for (const auto& [index, free] : taken)
        book_.set_free_units(index, book_.total_units(index));
    const bool ordered = (*rules)->ordered();
    for (const auto& each :
         feasible_offers(book_, effective_policy(**rules, *w.value.spec), terms_, *w.value.spec, world_at(now, &w))) {
        if (at->second.size() == ways_max)
            break;
        if (book_.free_units(each.index) != offer_book::unlimited)
            at->second.push_back({book_.at(each.index).id, each.units + headroom_for(w, each.index), 0,
                                  ordered ? each.cost_base : each.j});
    }
    for (const auto& [index, free] : taken)
        book_.set_free_units(index, free);
    return at->second;
}

/// It was tried in vain because nothing has enough units free.
void engine_core::reserve_place(const live_workload& w, instant now) {
    const reservation* own = backfill_.of(w.value.id);
    if (own && own->pinned)
        return;                       // where others were stopped for it
    std::vector<workload_id> behind;  // the last in turn first
    for (const auto& kept : backfill_.all())
        if (!kept.pinned && goes_before(w, workloads.at(kept.holder), now))
            behind.push_back(kept.holder);
    if (behind.empty() && !backfill_.may_gather_more() && !own)
        return;
    std::ranges::sort(behind, [&](const workload_id& a, const workload_id& b) {
        return goes_before(workloads.at(b), workloads.at(a), now);
    });
    std::vector<backfill::choice> ways = places_ever(w, now);
    // Whoever needs one unit takes the first that is free: there is nothing to gather for it.
    std::erase_if(ways, [](const backfill::choice& way) { return way.units < 2; });
    for (auto& way : ways)
        way.free = book_.free_units(*book_.find(way.on));
    backfill_.reserve(w.value.id, ways, behind, now, overdue(w, now));
}

void engine_core::release_place(const workload_id& who) {
    if (backfill_.release(who))
        room_.wake(wake_on_capacity);
}

/// How many units of the winner it may take; nullopt: all that are free. Whoever goes before the holder takes what it
/// likes, but not what others were stopped for.
std::optional<std::uint64_t> engine_core::left_for(const live_workload& w, const decision& made, instant now) const {
    const appraisal& where = made.ranked.front();
    const reservation* kept = backfill_.on(where.offer);
    if (!kept || kept->holder == w.value.id || (!kept->pinned && !goes_before(workloads.at(kept->holder), w, now)))
        return std::nullopt;
    const auto at = *book_.find(where.offer);
    const std::uint64_t spare = backfill_.spare(*kept, book_.free_units(at), now, bounds_of(*w.value.spec, made));
    // The last units are for work that somebody waits at, whoever of the others keeps a place there.
    const std::uint64_t kept_free = std::min(book_.at(at).supply.latency_headroom, latency_headroom_max);
    return headroom_for(w, at) == 0 ? std::max(spare, std::min(kept_free, book_.free_units(at))) : spare;
}

/// Decides; where the winner is kept for somebody before it, again with what that leaves. `set_aside` names those
/// offers with what is free of them: the caller tells the book so again once the decision's basis is taken.
decision engine_core::decide_behind(const policy& rules, const live_workload& w, const decision_world& world,
                                    std::vector<std::pair<std::size_t, std::uint64_t>>& set_aside) {
    for (;;) {
        ++counts_.decisions;
        decision made = decide(book_, rules, terms_, *w.value.spec, world);
        const auto at = made.ranked.empty() ? std::nullopt : book_.find(made.ranked.front().offer);
        const bool known = at && std::ranges::any_of(set_aside, [&](const auto& one) { return one.first == *at; });
        const auto most = at && !known ? left_for(w, made, world.now) : std::nullopt;
        if (!most || made.ranked.front().units <= *most)
            return made;
        set_aside.emplace_back(*at, book_.free_units(*at));
        book_.set_free_units(*at, std::min(book_.free_units(*at), *most + headroom_for(w, *at)));
    }
}

}  // namespace westerly
