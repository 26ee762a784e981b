// Work of higher priority, or of a tenant below its guarantee, takes back capacity that runs on terms of being taken
// away; what the others have to do again is charged to its J.
#include "broker/domain/owned.hpp"
#include "broker/domain/waiting.hpp"
#include "broker/engine/core.hpp"
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
        const bool elsewhere = rules && !decide(book_, effective_policy(**rules, w.value.spec->overrides), terms_,
                                                *w.value.spec, world_at(now, &w))
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

/// Tried in vain, and no turn that others can do without gives it a place. Who was displaced itself displaces nobody,
/// and nobody displaces twice before it has started: nothing cascades.
void engine_core::preempt(turn& t, live_workload& w) {
    if (may_go_ == 0 || w.preempts || w.value.attempts_displaced > 0 || !backfill_.may_keep_more())
        return;
    if (const auto* kept = backfill_.of(w.value.id); kept && kept->at <= t.now + soon)
        return;
    const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec);
    if (!rules || (*rules)->ordered())
        return;
    std::vector<backfill::choice> ways = places_ever(w, t.now);
    std::vector<victim> best;
    const backfill::choice* where = nullptr;
    double least = std::numeric_limits<double>::infinity();
    for (backfill::choice& way : ways) {
        const auto at = book_.find(way.on);
        if (const auto* kept = backfill_.on(way.on); kept && kept->pinned)
            continue;  // others are being stopped there for somebody else
        way.free = book_.free_units(*at);
        const offer& on = book_.at(*at);
        lease terms;
        terms.price = on.price.value_or(unit_price{});
        if (has_hourly_prices(on))
            terms.schedule = on.schedule;
        terms.units = way.units;
        terms.rates = rates_;
        auto victims = victims_for(w, way, held_micros_per_h(terms), t.now);
        double charge = 0;
        for (const victim& v : victims)
            charge += v.cost;
        if (victims.empty() || charge > charge_share_max * way.j || way.j + charge >= least)
            continue;
        least = way.j + charge;
        best = std::move(victims);
        where = &way;
    }
    if (where)
        stop_for(t, w, **rules, *where, best);
}

/// Recorded as a decision for the place that they leave, with the charge in its J; it is decided anew when they have
/// left.
void engine_core::stop_for(turn& t, live_workload& w, const policy& rules, const backfill::choice& where,
                           const std::vector<victim>& victims) {
    const auto index = *book_.find(where.on);
    const std::uint64_t free = book_.free_units(index);
    book_.set_free_units(index, std::max(free, where.units));
    const decision_world world = world_at(t.now, &w);
    ++counts_.decisions;
    decision made = decide(book_, effective_policy(rules, w.value.spec->overrides), terms_, *w.value.spec, world);
    if (auto why = why_chosen(rules, *w.value.spec))
        made.notes.push_back(std::move(*why));
    const bool there = !made.ranked.empty() && made.ranked.front().offer == where.on && !made.put_off;
    if (there) {
        made.id = decision_id::make(t.now, t.random);
        made.workload = w.value.id;
        t.changes.bases.push_back(basis_of(t, w, world, made.id));
    }
    book_.set_free_units(index, free);
    if (!there)
        return;
    double charge = 0;
    std::size_t stopped = 0;
    for (const victim& v : victims) {
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
