// Work of higher priority, or of a tenant below its guarantee, takes back capacity that runs on terms of being taken
// away; what the others have to do again is charged to its J.
#include "broker/domain/explain.hpp"
#include "broker/domain/owned.hpp"
#include "broker/domain/waiting.hpp"
#include "broker/engine/core.hpp"
#include "broker/placement/market_based.hpp"
#include "broker/placement/replay.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

/// Where a place is known to become free within so long, nobody is stopped for it.
constexpr seconds soon{600};
/// A run that was displaced before is left alone for so long after its new start.
constexpr seconds left_alone{3600};
/// What stopping others may come to, of what the run itself comes to; more is no bargain for anybody.
constexpr double charge_share_max = 0.5;
/// Looked at for each of them: whether they could go on elsewhere at once.
constexpr std::size_t victims_looked_at_max = 16;
/// Stopping a run that has nowhere to go counts as so much dearer.
constexpr double nowhere_to_go = 2;

/// `look` sees as many units of an offer free as are wanted there.
template <class Look>
void with_freed(offer_book& book, const backfill::choice& where, Look look) {
    const auto index = *book.find(where.on);
    const std::uint64_t free = book.free_units(index);
    book.set_free_units(index, std::max(free, where.units));
    look();
    book.set_free_units(index, free);
}

}  // namespace

/// What would be done again, in money of the base currency: since the last checkpoint, restoring and writing one;
/// without checkpoints all of it.
double engine_core::redo_cost(const live_attempt& a, instant now) const {
    const auto& saves = workloads.at(a.value.workload).value.spec->checkpoint;
    double again_s = std::max(0.0, static_cast<double>((now - *a.value.started_at).count()) / 1000.0);
    if (saves) {
        const double segment_s = static_cast<double>(saves->interval_s) + saves->write_s;
        again_s = std::fmod(again_s, std::max(segment_s, 1.0)) + saves->restore_s + saves->write_s;
    }
    return static_cast<double>(held_micros_per_h(a.value.terms)) * 1e-6 * again_s / 3600.0;
}

bool engine_core::agreed_to_go(const attempt& a, const workload_spec& spec) {
    return a.terms.mode == billing_mode::spot || spec.preemptible;
}

/// Its terms or its own word say that it may be taken away, it saves itself in the notice it gets (or said that it need
/// not), and it was not displaced just now.
bool engine_core::may_be_displaced(const live_attempt& a, instant now) const {
    const workload& w = workloads.at(a.value.workload).value;
    const workload_spec& spec = *w.spec;
    return a.value.state == attempt_state::running && a.value.started_at && !a.value.cancel_wanted &&
           !a.value.given_up_at && !w.cancel_wanted && w.current == a.value.id && agreed_to_go(a.value, spec) &&
           (spec.checkpoint ? spec.grace_s >= spec.checkpoint->write_s : spec.preemptible) &&
           (w.attempts_displaced == 0 || *a.value.started_at + left_alone <= now);
}

/// For a workload of higher priority, but not below the guarantee of its own tenant; or for a tenant that is itself
/// below its guarantee, of what another has borrowed.
displacement engine_core::why_displaced(const live_attempt& victim, const live_workload& by, std::int64_t wants,
                                        instant now) const {
    if (!may_be_displaced(victim, now))
        return displacement::none;
    const workload& of = workloads.at(victim.value.workload).value;
    const std::int64_t own = fair_.guaranteed(of.tenant);
    const bool borrowed = fair_.held(of.tenant) - held_micros_per_h(victim.value.terms) >= own;
    if (of.tenant != by.value.tenant && borrowed && fair_.guaranteed(by.value.tenant) > 0 &&
        fair_.held(by.value.tenant) + wants <= fair_.guaranteed(by.value.tenant))
        return displacement::reclaim;
    const bool lower = of.spec->priority < by.value.spec->priority;
    return lower && (own == 0 || borrowed || of.tenant == by.value.tenant) ? displacement::preemptor
                                                                           : displacement::none;
}

/// The cheapest runs to stop so that `way` becomes free; empty: there are not enough. Those that can go on elsewhere at
/// once before others.
std::vector<engine_core::victim> engine_core::victims_for(const live_workload& by, const backfill::choice& way,
                                                          std::int64_t wants, instant now) {
    std::vector<victim> all;
    std::uint64_t units = way.free;
    backfill_.each_on(way.on, [&](const attempt_id& id, std::uint64_t held) {
        const live_attempt& a = attempts.at(id);
        if (a.value.cancel_wanted)  // it goes already; what was stopped for somebody is that one's
            units += a.value.displaced_for == displacement::none ? held : 0;
        else if (const auto why = why_displaced(a, by, wants, now); why != displacement::none)
            all.push_back({id, held, redo_cost(a, now), why});
    });
    std::ranges::sort(all, {},
                      [](const victim& v) { return std::tuple(v.cost / static_cast<double>(v.units), v.run); });
    for (std::size_t i = 0; i < std::min(all.size(), victims_looked_at_max); ++i) {
        const live_workload& w = workloads.at(attempts.at(all[i].run).value.workload);
        const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec);
        ++counts_.decisions;
        const bool elsewhere =
            rules && !decide(book_, effective_policy(**rules, *w.value.spec), terms_, *w.value.spec, world_at(now, &w))
                          .ranked.empty();
        all[i].cost *= elsewhere ? 1 : nowhere_to_go;
    }
    std::ranges::sort(all, {},
                      [](const victim& v) { return std::tuple(v.cost / static_cast<double>(v.units), v.run); });
    std::vector<victim> chosen;
    std::map<tenant_id, std::int64_t> taken;
    for (const victim& v : all) {
        if (units >= way.units)
            break;
        // Each alone leaves its tenant the guarantee; together they have to, too.
        const attempt& run = attempts.at(v.run).value;
        std::int64_t& from = taken[run.tenant];
        from += held_micros_per_h(run.terms);
        const bool lent = fair_.held(run.tenant) - from >= fair_.guaranteed(run.tenant);
        if (!lent && fair_.guaranteed(run.tenant) > 0 && run.tenant != by.value.tenant) {
            from -= held_micros_per_h(run.terms);
            continue;
        }
        units += v.units;
        chosen.push_back(v);
    }
    if (units < way.units)
        return {};
    // Whom it does not need after all, the dearest first.
    for (std::size_t i = chosen.size(); i-- > 0;)
        if (units - chosen[i].units >= way.units) {
            units -= chosen[i].units;
            chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(i));
        }
    return chosen;
}

/// Others are being stopped there for somebody else, or an overdue one that goes before it gathers units there: what is
/// freed there is that one's.
bool engine_core::is_spoken_for(const offer_id& place, const live_workload& by, instant now) const {
    const reservation* kept = backfill_.on(place);
    if (!kept || kept->pinned)
        return kept != nullptr;
    if (kept->holder == by.value.id)
        return false;
    const live_workload& holder = workloads.at(kept->holder);
    return overdue(holder, now) && goes_before(holder, by, now);
}

/// Where it costs the least that others are stopped for it, with what it would cost itself there; under a policy that
/// orders, the first in its order. Nowhere where that is no bargain; what was lent is taken back whatever that costs.
std::optional<engine_core::stops> engine_core::cheapest_stops(const live_workload& w, const policy& rules,
                                                              instant now) {
    std::optional<stops> best;
    double least = std::numeric_limits<double>::infinity();
    std::vector<backfill::choice> ways = places_ever(w, now);
    for (backfill::choice& way : ways) {
        const auto at = book_.find(way.on);
        if (is_spoken_for(way.on, w, now))
            continue;
        way.free = book_.free_units(*at);
        const offer& on = book_.at(*at);
        lease terms;
        terms.price = on.price.value_or(unit_price{});
        if (has_hourly_prices(on))
            terms.schedule = on.schedule;
        terms.units = way.units;
        terms.rates = rates_;
        auto victims = victims_for(w, way, held_micros_per_h(terms), now);
        double charge = 0, of_priority = 0;
        for (const victim& v : victims) {
            charge += v.cost;
            of_priority += v.why == displacement::reclaim ? 0 : v.cost;
        }
        if (victims.empty() || of_priority > charge_share_max * way.j || way.j + charge >= least)
            continue;
        least = way.j + charge;
        best = stops{way, std::move(victims)};
        if (rules.ordered())
            break;
    }
    return best;
}

/// Tried in vain, and no turn that others can do without gives it a place. Who was displaced itself displaces nobody,
/// and nobody displaces twice before it has started: nothing cascades.
void engine_core::preempt(turn& t, live_workload& w) {
    if (may_go_ == 0 || w.preempts || w.value.attempts_displaced > 0 || !backfill_.may_keep_more())
        return;
    if (const auto* kept = backfill_.of(w.value.id); kept && kept->at <= t.now + soon)
        return;
    const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec);
    if (const auto chosen = rules ? cheapest_stops(w, **rules, t.now) : std::nullopt)
        stop_for(t, w, **rules, *chosen);
}

foreseen_preemption engine_core::told_of(const stops& chosen, instant now) const {
    foreseen_preemption told;
    std::set<tenant_id> whose;
    for (const victim& v : chosen.victims) {
        const live_attempt& run = attempts.at(v.run);
        told.charge_base += redo_cost(run, now);
        whose.insert(run.value.tenant);
    }
    told.offer = chosen.where.on;
    told.runs = static_cast<std::uint32_t>(chosen.victims.size());
    told.tenants = static_cast<std::uint32_t>(whose.size());
    return told;
}

/// What a submit would come to now, by the same rules: a plan keeps nothing, and names nobody.
void engine_core::foresee_preemption(const plan_workload& in, const policy& rules, instant now, plan_result& shown) {
    const bool full = std::ranges::any_of(shown.made.rejections,
                                          [](const auto& told) { return told.first == rejection::capacity_now; });
    const appraisal* won = winner_of(shown.made);
    if (may_go_ == 0 || !full || (won && won->launchable) || !backfill_.may_keep_more())
        return;
    live_workload as_if;
    as_if.value.tenant = in.who.tenant;
    as_if.value.spec = in.spec;
    as_if.value.created_at = as_if.waits_since = now;
    as_if.shape = shape_now(as_if);
    looks_left_ = offers_looked_at_max;
    const policy by = effective_policy(rules, *in.spec);
    const auto there = [&] {  // the first, without those that are for plans only
        ++counts_.decisions;
        const decision made = decide(book_, by, terms_, *in.spec, world_at(now, &as_if));
        return made.ranked.empty() || made.put_off ? offer_id() : made.ranked.front().offer;
    };
    if (!there().empty())
        return;
    for (const backfill::choice& way : places_ever(as_if, now))
        if (const auto at = backfill_.free_at(way.on, way.units, book_.free_units(*book_.find(way.on)), now, false);
            way.units > 1 && at && *at <= now + soon)
            return;
    const auto chosen = cheapest_stops(as_if, rules, now);
    if (!chosen)
        return;
    bool starts = false;
    with_freed(book_, chosen->where, [&] { starts = there() == chosen->where.on; });
    if (!starts)
        return;
    foreseen_preemption told = told_of(*chosen, now);
    shown.made.notes.push_back({note_kind::would_preempt,
                                {told.offer},
                                {static_cast<double>(told.runs), static_cast<double>(told.tenants), told.charge_base}});
    shown.preemption = std::move(told);
}

/// Recorded as a decision for the place that they leave, with the charge in its J; it is decided anew when they have
/// left.
void engine_core::stop_for(turn& t, live_workload& w, const policy& rules, const stops& chosen) {
    const backfill::choice& where = chosen.where;
    decision made;
    bool there = false;
    with_freed(book_, where, [&] {
        const decision_world world = world_at(t.now, &w);
        ++counts_.decisions;
        made = decide(book_, effective_policy(rules, *w.value.spec), terms_, *w.value.spec, world);
        if (auto why = why_chosen(rules, *w.value.spec))
            made.notes.push_back(std::move(*why));
        there = !made.ranked.empty() && made.ranked.front().offer == where.on && !made.put_off;
        if (there) {
            made.id = decision_id::make(t.now, t.random);
            made.workload = w.value.id;
            t.changes.bases.push_back(basis_of(t, w, world, made.id));
            t.changes.bases.back().certificates =
                count_certificates(w.value.tenant, *w.value.spec, told_of_offers(made));
        }
    });
    if (!there)
        return;
    double charge = 0;
    std::size_t stopped = 0;
    for (const victim& v : chosen.victims) {
        const std::string words =
            "Stopped, with notice, for " +
            std::string(v.why == displacement::reclaim ? "a tenant that takes back what it had lent"
                                                       : "a workload of higher priority") +
            " (" + to_string(w.value.id) + ")";
        if (!displace(t, attempts.at(v.run), v.why, words))
            continue;
        charge += redo_cost(attempts.at(v.run), t.now);
        ++stopped;
    }
    w.preempts = true;
    made.ranked.front().terms.emplace_back(preemption_charge, charge);
    made.ranked.front().j += charge;
    w.value.last_decision = made.id;
    t.changes.decisions.push_back(std::move(made));
    keep_place(w, where.on, where.units, t.now);
    show_reasons(
        t, w,
        {reason_of(std::string(waits_for_stopped),
                   {stopped == 1 ? note{note_kind::wait_stopping_one, {where.on}, {}}
                                 : note{note_kind::wait_stopping, {where.on}, {static_cast<double>(stopped)}}})});
}

}  // namespace westerly
