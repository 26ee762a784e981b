#include "broker/placement/feasible.hpp"

#include "broker/placement/rounding.hpp"
#include "broker/placement/scan.hpp"

#include <algorithm>

namespace westerly {

namespace {

struct placed {
    feasible_offer what;
    standing at;
};

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
                                            const workload_spec& spec, const decision_world& world) {
    static thread_local demand want;
    resolve(book, rules, terms, spec, world, want);
    ranking_rule rule;
    if (!resolve_rule(rules, terms, spec, want, rule))
        return {};
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
        placed p{{i, shape.units, cost, cost, shape.start_ms + site.data_movement_ms, finish_ms(want, site, shape),
                  site.rtt_ms, shape.it_kwh, site.pue, site.green_share},
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
        found.push_back(p);
    }
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
