// Those who were given a place in one turn make room for each other: turns decide who starts, costs decide where.
#include "broker/engine/core.hpp"
#include "broker/placement/feasible.hpp"
#include "broker/placement/together.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

/// Beyond it, and beyond offers_looked_at_max, the others keep what their turns gave them.
constexpr std::size_t shapes_together_max = 32;
/// Of each workload; what its turn gave it is among them.
constexpr std::size_t ways_max = 16;
/// A tenant pays so much more at most to make room for another tenant's workload; for its own as much as it takes.
constexpr double for_others_max = 0.25;

bool waits_for_capacity(const placement_round::refusal& one) {
    return std::ranges::find(one.reasons, "no_capacity", &wait_reason::code) != one.reasons.end();
}

/// Units of each offer that the round holds, and by which shapes.
struct held_by_round {
    std::uint64_t units = 0;
    std::vector<demand_shape> shapes;  // distinct
};

}  // namespace

/// The wishes of a round in numbers: first those of its starts named here, then those of its refused ones.
struct engine_core::together_table {
    std::vector<together_wish> wishes;
    std::vector<together_free> free;
    std::vector<workload_id> whose;            // by wish
    std::vector<std::size_t> starts, refused;  // into the round
};

/// Services and those for whom somebody waits go where their turn says, as do policies that order: their figures are no
/// money to be added up. So do gangs that may have several sizes, and what may be put off: elsewhere it might be.
bool engine_core::goes_anywhere(const live_workload& w) const {
    const workload_spec& spec = *w.value.spec;
    if (spec.kind != workload_kind::batch || spec.interactive || spec.tasks_max > spec.tasks || spec.when.max_delay_s)
        return false;
    const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), spec);
    return rules && !(*rules)->ordered();
}

/// Whether somebody of another shape could have had what the round holds. Those of one shape have the same ways, so
/// that nothing is won by trading among them.
bool engine_core::contested(const placement_round& round) const {
    if (round.starts.size() + round.refused.size() < 2)
        return false;
    std::map<std::size_t, held_by_round> held;
    std::map<demand_shape, const live_workload*> wanted;
    for (const auto& one : round.starts) {
        const live_workload& w = workloads.at(one.who);
        wanted.emplace(w.shape, &w);
        const auto at = book_.find(one.made.ranked.front().offer);
        if (!at || book_.free_units(*at) == offer_book::unlimited)
            continue;
        held_by_round& here = held[*at];
        here.units += one.terms.units;
        if (std::ranges::find(here.shapes, w.shape) == here.shapes.end())
            here.shapes.push_back(w.shape);
    }
    for (const auto& one : round.refused)
        if (waits_for_capacity(one))
            wanted.emplace(workloads.at(one.who).shape, &workloads.at(one.who));
    if (wanted.size() < 2)
        return false;
    for (const auto& [index, here] : held) {
        const offer& on = book_.at(index);
        const std::uint64_t free = book_.free_units(index);
        for (const auto& [shape, w] : wanted) {
            if (here.shapes.size() == 1 && here.shapes.front() == shape)
                continue;
            const std::uint64_t units = units_needed(on, *w->value.spec, options_.accelerators);
            const std::uint64_t takes = std::max(units, on.supply.minimum_units) + headroom_for(*w, index);
            if (units > 0 && free < takes && free + here.units >= takes)
                return true;
        }
    }
    return false;
}

/// Every way of those who may move, on the book without them.
std::optional<engine_core::together_table> engine_core::gather(turn& t, const placement_round& round) {
    const std::size_t shapes_max =
        std::min(shapes_together_max, offers_looked_at_max / std::max<std::size_t>(book_.size(), 1));
    together_table table;
    std::map<demand_shape, std::vector<feasible_offer>> ways;
    const auto joins = [&](const live_workload& w) {
        if (!goes_anywhere(w) || (!ways.contains(w.shape) && ways.size() >= shapes_max))
            return false;
        ways.try_emplace(w.shape);
        return true;
    };
    const auto launches_count = [&](const provider_id& id) {
        const auto at = providers_.find(id);
        return at == providers_.end() || at->second.gate.counts();
    };
    for (std::size_t i = 0; i < round.starts.size(); ++i)
        if (!round.starts[i].kept && !launches_count(round.starts[i].made.ranked.front().provider) &&
            joins(workloads.at(round.starts[i].who)))
            table.starts.push_back(i);
    for (std::size_t i = 0; i < round.refused.size(); ++i)
        if (waits_for_capacity(round.refused[i]) && joins(workloads.at(round.refused[i].who)))
            table.refused.push_back(i);
    if (table.starts.empty() || table.starts.size() + table.refused.size() < 2)
        return std::nullopt;

    const auto each_hold = [&](std::int64_t sign) {
        for (const std::size_t i : table.starts)
            hold_units(round.starts[i].made.ranked.front().offer,
                       sign * static_cast<std::int64_t>(round.starts[i].terms.units));
    };
    each_hold(-1);
    std::set<tenant_id> tenants;
    std::map<std::uint32_t, std::uint64_t> free;
    const auto add = [&](const live_workload& w, const offer_id* given) {
        std::vector<feasible_offer>& all = ways.at(w.shape);
        if (all.empty()) {
            const policy& rules = *policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec).value();
            all = feasible_offers(book_, effective_policy(rules, *w.value.spec), terms_, *w.value.spec,
                                  world_at(t.now, &w));
            std::erase_if(all, [&](const feasible_offer& f) {
                return !std::isfinite(f.j) || f.j < 0 || launches_count(book_.at(f.index).provider);
            });
        }
        tenants.insert(w.value.tenant);
        table.whose.push_back(w.value.id);
        together_wish wish;
        wish.priority = w.value.spec->priority;
        for (const feasible_offer& f : all) {
            const bool own = given && book_.at(f.index).id == *given;
            const reservation* kept = own ? nullptr : backfill_.on(book_.at(f.index).id);
            if ((wish.ways.size() >= ways_max && !own) || (kept && kept->holder != w.value.id))
                continue;
            if (own)
                wish.turn = static_cast<std::uint32_t>(wish.ways.size());
            wish.ways.push_back({f.index, f.units, f.j});
            if (const auto units = book_.free_units(f.index); units != offer_book::unlimited)
                free[f.index] = units - std::min(units, headroom_for(w, f.index));
        }
        table.wishes.push_back(std::move(wish));
    };
    for (const std::size_t i : table.starts)
        add(workloads.at(round.starts[i].who), &round.starts[i].made.ranked.front().offer);
    for (const std::size_t i : table.refused)
        add(workloads.at(round.refused[i].who), nullptr);
    each_hold(1);
    for (const auto& [offer, units] : free)
        table.free.push_back({offer, units});
    for (together_wish& wish : table.wishes)
        if (tenants.size() > 1 && !wish.ways.empty())
            wish.dearest = wish.ways[wish.turn.value_or(0)].j * (1 + for_others_max);
    // Whose own place is not among the ways (a decision of an instant ago must be): nothing is moved on such ground.
    const bool sound = std::ranges::all_of(table.wishes.begin(),
                                           table.wishes.begin() + static_cast<std::ptrdiff_t>(table.starts.size()),
                                           [](const together_wish& wish) { return wish.turn.has_value(); });
    return sound ? std::optional(std::move(table)) : std::nullopt;
}

void engine_core::assign_round(turn& t, placement_round& round) {
    if (!contested(round))
        return;
    const auto table = gather(t, round);
    if (!table)
        return;
    move_to(t, round, *table, assign_together(table->wishes, table->free));
    std::map<workload_id, const together_wish*> wishes;
    for (std::size_t k = 0; k < table->wishes.size(); ++k)
        wishes[table->whose[k]] = &table->wishes[k];
    for (auto& one : round.starts) {
        const auto wish = wishes.find(one.who);
        if (wish == wishes.end() || wish->second->ways.empty())
            continue;
        const appraisal& won = one.made.ranked.front();
        const together_way& best = wish->second->ways.front();
        if (const offer_id& alone = book_.at(best.offer).id; alone != won.offer)
            one.made.notes.push_back({note_kind::assigned_together,
                                      {alone},
                                      {static_cast<double>(table->wishes.size() - 1), won.j - best.j}});
    }
}

/// Who goes elsewhere decides anew, with the others where they shall be: each record is a decision like any other, made
/// with what the others leave, and is replayed as such.
void engine_core::move_to(turn& t, placement_round& round, const together_table& table,
                          const std::vector<std::optional<std::uint32_t>>& places) {
    std::vector<std::size_t> moved;
    for (std::size_t k = 0; k < table.wishes.size(); ++k)
        if (places[k] && places[k] != table.wishes[k].turn)
            moved.push_back(k);
    const auto occupy = [&](std::size_t k, std::int64_t sign) {
        const together_way& way = table.wishes[k].ways[*places[k]];
        hold_units(book_.at(way.offer).id, sign * static_cast<std::int64_t>(way.units));
    };
    for (const std::size_t k : moved)
        if (k < table.starts.size())
            let_go(round.starts[table.starts[k]], t.now);
    for (const std::size_t k : moved)
        occupy(k, 1);
    std::set<workload_id> gone, served;
    std::vector<given_start> more;
    for (const std::size_t k : moved) {
        occupy(k, -1);
        live_workload& w = workloads.at(table.whose[k]);
        if (w.seated)
            room_.remove(seat_of(w));
        w.seated = false;
        release_place(w.value.id);
        const auto rules = policy_for(policies_, name_of_tenant(w.value.tenant), *w.value.spec);
        decision made;
        std::size_t kept = 0;
        bool heard = true;  // else its turn comes again, and they are asked then
        auto one = choose(t, w, **rules, made, kept, heard);
        if (one)
            hold(*one, t.now);
        else if (!w.place_due)
            seat(t, w);  // its ground has moved: its turn comes again
        if (k >= table.starts.size()) {
            served.insert(w.value.id);
            if (one)
                more.push_back(std::move(*one));
        } else if (one) {
            round.starts[table.starts[k]] = std::move(*one);
        } else {
            gone.insert(w.value.id);
        }
    }
    std::erase_if(round.starts, [&](const given_start& one) { return gone.contains(one.who); });
    std::erase_if(round.refused, [&](const placement_round::refusal& one) { return served.contains(one.who); });
    std::ranges::move(more, std::back_inserter(round.starts));
}

}  // namespace westerly
