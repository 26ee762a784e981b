#include "broker/placement/feasible.hpp"

#include "broker/placement/scan.hpp"

#include <algorithm>

namespace westerly {

namespace {

struct part {
    const term* what;
    double factor;
    bool applies;
};

/// The terms that count here; nullopt when the policy names one that the table does not have, or one of a library that
/// failed and may not be ignored.
std::optional<std::vector<part>> parts_of(const policy& rules, term_table terms, const workload_spec& spec,
                                          const demand& want) {
    std::vector<part> parts;
    const auto add = [&](const std::string& name, double factor) {
        const term* known = find_term(terms, name);
        if (!known)
            return false;
        const foreign_view* of_library = want.foreign_named(*known);
        const bool failed = of_library && !of_library->failure.empty();
        const bool applies = !failed && known->applies(spec);
        if (rules.ordered() || applies)
            parts.push_back({known, factor, applies});
        return !failed || of_library->ignored_on_failure;
    };
    if (rules.ordered()) {
        for (const auto& key : order_of(rules, spec))
            if (!add(key.term, key.step))
                return std::nullopt;
    } else {
        for (const auto& price : rules.prices)
            if (!add(price.term, price.per_unit))
                return std::nullopt;
    }
    return parts;
}

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
    return cheapest * (1.0 + *rules.within_of_cheapest);
}

}  // namespace

std::vector<feasible_offer> feasible_offers(const offer_book& book, const policy& rules, term_table terms,
                                            const workload_spec& spec, const decision_world& world) {
    static thread_local demand want;
    resolve(book, rules, terms, spec, world, want);
    const auto parts = parts_of(rules, terms, spec, want);
    if (!parts)
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
        for (const part& each : *parts) {
            const double quantity = each.applies ? quantity_of(book, want, spec, world.now, *each.what, i) : 0.0;
            if (rules.ordered())
                p.at.keys[keys++] = in_steps(quantity, each.factor);
            else
                p.what.j += each.factor * quantity;
        }
        if (!rules.ordered())
            p.at.keys[0] = p.what.j;
        found.push_back(p);
    }
    const std::size_t keys = rules.ordered() ? parts->size() : 1;
    std::ranges::sort(found, [&](const placed& a, const placed& b) { return better(a.at, b.at, keys); });
    std::vector<feasible_offer> all;
    all.reserve(found.size());
    for (const placed& p : found) {
        all.push_back(p.what);
        if (rules.ordered())
            all.back().j = static_cast<double>(all.size() - 1);
    }
    return all;
}

}  // namespace westerly
