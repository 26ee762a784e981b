#include "broker/placement/spread_cost.hpp"

#include "broker/domain/owned.hpp"
#include "broker/domain/wording.hpp"
#include "broker/placement/bill.hpp"
#include "broker/placement/compare.hpp"
#include "broker/placement/data_movement.hpp"
#include "broker/placement/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double sum_slack = 1e-9;  // sums of parts against limits that hold for single offers to the last digit

bool reads_users(const term& what) noexcept {
    return (what.reads & (reads_rtt | reads_rtt_p95)) != 0;
}

/// Parts run side by side: the latest counts.
bool takes_the_most(const term& what) noexcept {
    return (what.reads & (reads_data_movement | reads_finish)) != 0;
}

/// Each part may be lost by itself.
bool is_a_chance(const term& what) noexcept {
    return (what.reads & reads_risk) != 0;
}

std::string name_of(const origin& from) {
    if (!from.latitude_longitude)
        return from.region;
    return shortest(from.latitude_longitude->first) + "," + shortest(from.latitude_longitude->second);
}

}  // namespace

spread_costs::spread_costs(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                           const decision_world& world)
    : book_(book), policy_(policy), terms_(terms), spec_(spec), world_(world), one_(spec) {
    one_.tasks = 1;
    one_.limits.from.reset();
    one_.limits.origins.clear();
    one_.limits.max_rtt_ms.reset();
    resolve(book, policy, terms, one_, world, want_);
    if (!resolve_rule(policy, terms, spec, want_, rule_))
        problem_ = spread_problem::not_ranked;
    for (const auto& each : rule_.parts)
        if (each.what->foreign)
            problem_ = spread_problem::term_of_library;
    if (policy.within_of_least)
        problem_ = spread_problem::near_least;
    origins_ = origins_of(book, spec, world);
    sites_max_ = std::min<std::size_t>(spec.spread ? spec.spread->max_sites : 1, spec.tasks);
    if (problem_ == spread_problem::none && !origins_.empty() && origins_.size() <= spread_origins_max)
        find_candidates();
    if (problem_ == spread_problem::none && candidates_.empty())
        problem_ = spread_problem::nothing_fits;
}

void spread_costs::find_candidates() {
    std::vector<candidate> all = all_that_fit();
    fit_ = all.size();
    if (all.size() > spread_offers_max)
        keep_some(all);
    candidates_ = std::move(all);
    bool roomy = true;
    for (candidate& at : candidates_) {
        at.replicas_max = room_at(at);
        roomy &= at.replicas_max == spec_.tasks;
    }
    if (roomy)  // more sites than origins serve somebody only where some are full
        sites_max_ = std::min(sites_max_, origins_.size());
    parts_.resize(candidates_.size() * (spec_.tasks + 1));
    quantities_.resize(parts_.size() * rule_.parts.size());
}

std::vector<spread_costs::candidate> spread_costs::all_that_fit() {
    const auto unknown = [](const told_rtt& told) {
        return std::isnan(told.ms);
    };
    rtts_.resize(book_.sites().size());
    std::vector<candidate> all;
    for (std::uint32_t i = 0; i < book_.size(); ++i) {
        if (verdict(book_, want_, i) != passes)
            continue;
        const std::uint32_t site = book_.cols().site[i];
        auto& told = rtts_[site];
        if (told.empty())
            for (const origin_view& from : origins_)
                told.push_back(rtt_between(from, book_.sites()[site], world_.now));
        if (!std::ranges::all_of(told, unknown))
            all.push_back({i, site, book_.cols().shape[i]});
    }
    return all;
}

/// Of each site the two offers that are cheapest for one replica and for all of them.
std::vector<std::size_t> spread_costs::cheapest_of_sites(const std::vector<candidate>& all) {
    demand whole;
    one_.tasks = spec_.tasks;
    resolve(book_, policy_, terms_, one_, world_, whole);
    std::map<std::uint32_t, std::array<std::pair<double, std::size_t>, 2>> best;  // by site: cost, number
    for (std::size_t c = 0; c < all.size(); ++c) {
        const std::uint32_t i = all[c].index;
        const bool takes_all = verdict(book_, whole, i) == passes;
        auto& two =
            best.try_emplace(all[c].site, std::array{std::pair(infinity, c), std::pair(infinity, c)}).first->second;
        two[0] = std::min(two[0], std::pair(cost_of(book_, want_, i), c));
        two[1] = std::min(two[1], std::pair(takes_all ? cost_of(book_, whole, i) : infinity, c));
    }
    std::vector<std::size_t> some;
    for (const auto& [site, two] : best) {
        some.push_back(two[0].second);
        if (two[1].second != two[0].second)
            some.push_back(two[1].second);
    }
    return some;
}

/// Of those, by turns, what is best for each origin and what is cheapest.
void spread_costs::keep_some(std::vector<candidate>& all) {
    const std::vector<std::size_t> some = cheapest_of_sites(all);
    std::vector<std::vector<std::pair<double, std::size_t>>> orders(origins_.size() + 1);
    const double ms = rule_.ordered ? 0 : per_ms(all.front()) / spec_.tasks;
    for (const std::size_t c : some) {
        const double cost = cost_of(book_, want_, all[c].index);
        for (std::size_t o = 0; o < origins_.size(); ++o) {
            const double rtt = rtts_[all[c].site][o].ms;
            orders[o].emplace_back(std::isnan(rtt) ? infinity : ms > 0 ? ms * rtt + cost : rtt, c);
        }
        orders.back().emplace_back(cost, c);
    }
    for (auto& order : orders)
        std::ranges::sort(order);
    std::vector<bool> kept(all.size());
    std::size_t left = std::min(spread_offers_max, some.size());
    for (std::size_t rank = 0; left > 0 && rank < some.size(); ++rank)
        for (const auto& order : orders)
            if (left > 0 && !kept[order[rank].second]) {
                kept[order[rank].second] = true;
                --left;
            }
    std::size_t c = 0;
    std::erase_if(all, [&](const candidate&) { return !kept[c++]; });
}

/// `want_` then speaks of so many replicas on its shape.
void spread_costs::set_size(const candidate& of, std::uint32_t replicas) {
    one_.tasks = replicas;
    resolve_sized(book_, policy_, one_, world_, of.shape, want_);
}

std::span<double> spread_costs::quantities(std::size_t candidate, std::uint32_t replicas) {
    const std::size_t each = rule_.parts.size();
    return {quantities_.data() + (candidate * (spec_.tasks + 1) + replicas) * each, each};
}

const spread_costs::part_cost& spread_costs::part(std::size_t number, std::uint32_t replicas) {
    part_cost& made = parts_[number * (spec_.tasks + 1) + replicas];
    if (made.known)
        return made;
    made.known = true;
    const candidate& at = candidates_[number];
    set_size(at, replicas);
    made.fits = verdict(book_, want_, at.index) == passes;
    if (!made.fits) {
        set_size(at, 1);  // which fits: who asks for terms of RTT reads how long a run is
        return made;
    }
    const site_view& site = want_.sites[at.site];
    const shape_view& shape = want_.shapes[at.shape];
    const offer& on = book_.at(at.index);
    unit_price billed = billed_price(on).value_or(unit_price{});
    if (shape.hourly)  // of a limit for the hour the dearest counts
        billed.nanos = hourly_price_over(want_, site, shape, hourly_best(want_, site, shape).start_ms).most;
    made.cost = cost_of(book_, want_, at.index);
    made.hourly = static_cast<double>(billed.nanos) * static_cast<double>(shape.units) *
                  (static_cast<double>(rate_nanos(world_.rates, billed.unit)) / 1e18);
    made.billed = want_.aside[at.shape].bills_other_price()
                      ? paid_base_at(want_, site, shape, billed.nanos) + site.egress_base
                      : made.cost;
    made.carbon_kg = least_carbon_kg(want_, site, shape);
    const auto told = quantities(number, replicas);
    for (std::size_t p = 0; p < rule_.parts.size(); ++p)
        if (rule_.parts[p].applies && !reads_users(*rule_.parts[p].what))
            told[p] = quantity_of(book_, want_, one_, world_.now, *rule_.parts[p].what, at.index);
    return made;
}

/// How many limits the set breaks, and by how much the RTT is too long, so that a search finds its way.
double spread_costs::broken_limits(const spread_set& set) {
    double broken = 0, hourly = 0, billed = 0, carbon = 0;
    for (std::size_t m = 0; m < set.size; ++m) {
        const part_cost& each = part(set.of[m], set.replicas[m]);
        broken += each.fits ? 0 : 1;
        hourly += each.hourly;
        billed += each.billed;
        carbon += each.carbon_kg;
        const std::string& host = book_.at(candidates_[set.of[m]].index).supply.host;
        for (std::size_t before = 0; !host.empty() && before < m; ++before)
            broken += book_.at(candidates_[set.of[before]].index).supply.host == host ? 1 : 0;
    }
    const auto past = [](double sum, double limit) {
        return sum > limit * (1 + sum_slack) ? 1.0 : 0.0;
    };
    if (const auto& limit = spec_.limits.max_price_per_hour)
        broken += past(hourly, static_cast<double>(limit->micros) / 1e6 *
                                   (static_cast<double>(rate_nanos(world_.rates, limit->unit)) / 1e9));
    if (want_.request.budget_base)
        broken += past(billed, *want_.request.budget_base);
    if (spec_.limits.max_carbon_kg)
        broken += past(carbon, *spec_.limits.max_carbon_kg * (1 + rounding));
    if (const auto& limit = spec_.limits.max_rtt_ms; limit && set.rtt_p95_ms > *limit)
        broken += 1 + (set.rtt_p95_ms - *limit) / 1e6;
    return broken;
}

/// Of one part of the rule, over the set.
double spread_costs::quantity(const spread_set& set, std::size_t rule_part) {
    const auto& by = rule_.parts[rule_part];
    if (!by.applies)
        return 0;
    if (reads_users(*by.what))
        return of_users(*by.what, candidates_[set.of[0]], set.rtt_ms, set.rtt_p95_ms);
    double all = 0;
    for (std::size_t m = 0; m < set.size; ++m) {
        const double one = quantities(set.of[m], set.replicas[m])[rule_part];
        all = takes_the_most(*by.what) ? std::max(all, one) : is_a_chance(*by.what) ? all + one * (1 - all) : all + one;
    }
    return all;
}

void spread_costs::reckon(spread_set& set, double dearest) {
    static thread_local flows served;
    set.keys = {};
    set.violation = assign(set, served);
    if (set.violation > 0)
        return;
    set.violation = broken_limits(set);
    set.cost = 0;
    for (std::size_t m = 0; m < set.size; ++m)
        set.cost += part(set.of[m], set.replicas[m]).cost;
    set.violation += set.cost > dearest ? 1 : 0;
    if (!rule_.ordered)
        set.keys[0] = set.cost;
    for (std::size_t p = 0; p < rule_.parts.size(); ++p) {
        const double amount = quantity(set, p);
        if (rule_.ordered)
            set.keys[p] = in_steps(amount, rule_.parts[p].factor);
        else
            set.keys[0] += rule_.parts[p].factor * amount;
    }
}

/// Terms of RTT read nothing else of an offer but how long its run is: all replicas, so far from all demand.
double spread_costs::of_users(const term& what, const candidate& any, double rtt_ms, double rtt_p95_ms) {
    want_.sites[any.site].rtt_ms = rtt_ms;
    want_.sites[any.site].rtt_p95_ms = rtt_p95_ms;
    return quantity_of(book_, want_, spec_, world_.now, what, any.index);
}

double spread_costs::per_ms(const candidate& any) {
    double sum = 0;
    for (const auto& each : rule_.parts)
        if (each.applies && reads_users(*each.what))
            sum += each.factor * of_users(*each.what, any, 1, 1);
    return sum;
}

bool spread_costs::all_add_up() const {
    return !rule_.ordered && std::ranges::none_of(rule_.parts, [](const ranking_rule::part& each) {
        return each.applies && (takes_the_most(*each.what) || is_a_chance(*each.what));
    });
}

double spread_costs::j_alone(std::size_t candidate, std::uint32_t replicas) {
    const part_cost& at = part(candidate, replicas);
    if (!at.fits)
        return infinity;
    double j = at.cost;
    for (std::size_t p = 0; p < rule_.parts.size(); ++p)
        if (rule_.parts[p].applies && !reads_users(*rule_.parts[p].what))
            j += rule_.parts[p].factor * quantities(candidate, replicas)[p];
    return j;
}

std::optional<double> spread_costs::least_per_replica(std::size_t candidate) {
    if (!all_add_up())
        return std::nullopt;
    // More replicas never cost less, so that of several numbers the least J over the most replicas is a bound.
    constexpr std::uint32_t one_by_one = 32, stride = 8;
    double least = infinity;
    for (std::uint32_t from = 1; from <= spec_.tasks;) {
        const std::uint32_t to = std::min(from < one_by_one ? from : from + stride - 1, spec_.tasks);
        least = std::min(least, j_alone(candidate, from) / to);
        from = to + 1;
    }
    return least;
}

void spread_costs::tell(const spread_set& set, spread_plan& into) {
    flows served;
    spread_set again = set;
    assign(again, served);
    std::ranges::sort(served, {}, &flow::origin);
    into.cost_base = set.cost;
    into.rtt_ms = set.rtt_ms;
    into.rtt_p95_ms = set.rtt_p95_ms;
    into.j = rule_.ordered ? set.cost : set.keys[0];
    for (std::size_t p = 0; p < rule_.parts.size(); ++p)
        if (rule_.ordered)
            into.keys.push_back(set.keys[p]);
        else if (rule_.parts[p].applies)
            into.terms.emplace_back(std::string(rule_.parts[p].what->name), rule_.parts[p].factor * quantity(set, p));
    double brought_base = 0;
    for (std::size_t m = 0; m < set.size; ++m) {
        const candidate& at = candidates_[set.of[m]];
        const offer& on = book_.at(at.index);
        set_size(at, set.replicas[m]);
        const site_view& site = want_.sites[at.site];
        const shape_view& shape = want_.shapes[at.shape];
        const facility_energy used = facility_at(want_, site, shape);
        spread_part& made = into.parts.emplace_back();
        made.offer = on.id;
        made.provider = on.provider;
        made.site = on.site.site;
        made.region = on.site.region;
        made.launchable = on.launchable;
        made.replicas = set.replicas[m];
        made.units = shape.units;
        made.price = ranked_price(on).value_or(unit_price{});
        made.cost = {cumulative_micros(made.price, made.units,
                                       milliseconds(static_cast<std::int64_t>(want_.runs[at.shape].billed_s) * 1000)),
                     made.price.unit};
        if (shape.hourly) {
            const auto hours = hourly_price_over(want_, site, shape, hourly_best(want_, site, shape).start_ms);
            made.price.nanos = hours.mean;
            made.cost.micros = charged_micros(hours.nano_ms, made.units);
            into.notes.push_back(note_on_hours(on.id, hours, made.price.unit, world_.rates));
        }
        made.cost_base = cost_of(book_, want_, at.index);
        made.egress_base = site.egress_base;
        brought_base += site.egress_base;
        if (!std::isnan(used.kwh))
            made.energy_kwh = used.kwh;
        if (!std::isnan(used.carbon_kg))
            made.carbon_kg = used.carbon_kg;
        double share = 0;
        for (const flow& each : served) {
            if (each.member != m)
                continue;
            const told_rtt& told = rtts_[at.site][each.origin];
            const origin& from = spec_.limits.from ? *spec_.limits.from : spec_.limits.origins[each.origin].from;
            made.serves.push_back(
                {name_of(from), each.share, told.ms, in_words(told.source, told.ms), nearest(set, each.origin) != m});
            made.rtt_ms += told.ms * each.share;
            share += each.share;
        }
        made.rtt_ms /= share;
    }
    if (const double stay_h = service_stay_h(spec_); brought_base > 0)
        into.notes.push_back({note_kind::brought_along, {}, {brought_base * stay_h, stay_h}});
}

}  // namespace westerly
