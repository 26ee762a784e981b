#include "broker/placement/feasible.hpp"

#include "broker/placement/rounding.hpp"
#include "broker/placement/scan.hpp"

#include <algorithm>

namespace westerly {

namespace {

struct placed {
    feasible_offer what;
    standing at;
    double bounded = 0;  // of the term that the policy holds near its least
};

/// What within_of_least leaves.
void keep_near_least(double within, std::vector<placed>& found) {
    std::pair least{true, std::numeric_limits<double>::infinity()};
    for (const placed& p : found)
        least = std::min(least, std::pair(!p.at.launchable, p.bounded));
    std::erase_if(found,
                  [&](const placed& p) { return !(p.bounded <= least.second * (1.0 + within) * (1 + rounding)); });
}

/// The ε-form's limit, from the cheapest that starts at once where it may.
std::optional<double> dearest_of(const offer_book& book, const policy& rules, const demand& want) {
    if (!rules.within_of_cheapest)
        return std::nullopt;
    double cheapest = std::numeric_limits<double>::infinity();
    for (std::uint32_t i = 0; i < book.size(); ++i)
        if (verdict(book, want, i) == passes)
            cheapest = std::min(cheapest, cost_of(book, want, i, may_start_at_once(book, want, i)));
    return cheapest * (1.0 + *rules.within_of_cheapest) * (1 + rounding);
}

}  // namespace

std::vector<feasible_offer> feasible_offers(const offer_book& book, const policy& rules, term_table terms,
                                            const workload_spec& spec, const decision_world& world,
                                            std::vector<hourly_costs>* hours) {
    static thread_local demand want;
    resolve(book, rules, terms, spec, world, want);
    ranking_rule rule;
    if (!resolve_rule(rules, terms, spec, want, rule))
        return {};
    if (hours != nullptr)
        hours->clear();
    std::vector<placed> found;
    const auto dearest = dearest_of(book, rules, want);
    if (dearest)
        want.hourly.limit(*dearest);
    for (std::uint32_t i = 0; i < book.size(); ++i) {
        if (verdict(book, want, i) != passes)
            continue;
        const site_view& site = want.sites[book.cols().site[i]];
        const shape_view& shape = want.shapes[book.cols().shape[i]];
        const double cost = cost_of(book, want, i);
        if (dearest && cost > *dearest)
            continue;
        placed p{{.index = i,
                  .units = shape.units,
                  .cost_base = cost,
                  .j = cost,
                  .start_ms = shape.start_ms + site.data_movement_ms,
                  .delay_ms = start_of(want, site, shape).delay_ms,
                  .finish_ms = finish_ms(want, site, shape),
                  .late_ms = want.aside[book.cols().shape[i]].late_ms,
                  .rtt_ms = site.rtt_ms,
                  .it_kwh = shape.it_kwh,
                  .pue = site.pue,
                  .green_share = site.green_share},
                 standing_of(book, want, i)};
        std::size_t keys = 0;
        for (const ranking_rule::part& each : rule.parts) {
            const double quantity = each.applies ? quantity_of(book, want, spec, world.now, *each.what, i) : 0.0;
            if (rule.ordered)
                p.at.keys[keys++] = in_steps(quantity, each.factor);
            else
                p.what.j += each.factor * quantity;
        }
        if (!rule.ordered)
            p.at.keys[0] = p.what.j;
        if (hours != nullptr && shape.hourly) {
            p.what.hours = static_cast<std::uint32_t>(hours->size());
            hours->push_back(hourly_costs_of(want, site, shape));
            const start_rule& by = want.hourly.rule;
            const std::int64_t first_ms = p.what.finish_ms - p.what.delay_ms;
            const double put_off_h = by.target_ms ? by.hours_until(p.what.finish_ms) - by.hours_until(first_ms)
                                                  : static_cast<double>(p.what.delay_ms) / 3'600'000.0;
            hours->back().rest_base = p.what.j - cost - by.per_hour * put_off_h;
        }
        if (rule.bounded)
            p.bounded = quantity_of(book, want, spec, world.now, *rule.bounded, i);
        found.push_back(p);
    }
    if (rule.bounded)
        keep_near_least(rules.within_of_least->within, found);
    const std::size_t keys = rule.ordered ? rule.parts.size() : 1;
    std::ranges::sort(found, [&](const placed& a, const placed& b) { return better(a.at, b.at, keys); });
    std::vector<feasible_offer> all;
    all.reserve(found.size());
    for (const placed& p : found) {
        all.push_back(p.what);
        if (rule.ordered)
            all.back().j = static_cast<double>(all.size() - 1);
    }
    return all;
}

}  // namespace westerly
