#include "tests/property/world_parts.hpp"

#include <algorithm>
#include <map>

namespace westerly::laws {
namespace {

/// A table in which the reference is known well, and another card only by its peaks.
accelerator_table small_table() {
    accelerator_model a{"A100-80G", "A100", {"A100 80GB"}, {}, std::nullopt};
    a.facts = {.model = a.model, .memory_gib = 80, .fp16_tflops = 312, .interconnect_gb_s = 600, .stack = "cuda"};
    a.facts.fp64_tflops = 9.7;
    a.facts.bf16_tflops = 312;
    a.facts.memory_gb_s = 2039;
    a.facts.scale_up_cards = 8;
    a.facts.training_speed = {1, 1, 1};
    accelerator_model b{"910B", "", {}, {}, std::nullopt};
    b.facts = {.model = b.model, .memory_gib = 64, .fp16_tflops = 376, .stack = "cann"};
    b.pcie_only = true;  // where an offer tells of no other link
    return accelerator_table({a, b});
}

policy random_policy(dice& chance) {
    constexpr const char* shipped[] = {"cheapest", "nearest", "greenest", "lowest_carbon", "balanced"};
    policy p = chance.once_in(3) ? random_priced_policy(chance) : shipped_policy(chance.one_of(shipped));
    if (chance.once_in(6))
        p.within_of_cheapest = chance.between(0, 1);
    if (chance.once_in(8))
        p.max_pue = chance.between(1.2, 1.7);
    if (chance.once_in(8))
        p.min_green_power_share = chance.between(0, 0.6);
    return p;
}

/// Carbon and risk by turns, as a rule that no shipped policy has.
policy random_order(dice& chance) {
    policy p;
    p.name = "random";
    const double step = chance.once_in(2) ? 0.02 : 0;
    const ordered_key risk{"risk", step}, carbon{"carbon", 0.5};
    const bool risk_first = chance.once_in(2);
    p.order_service = p.order_interactive = p.order_batch = {
        risk_first ? risk : carbon, risk_first ? carbon : risk, {chance.once_in(2) ? "cost" : "finish", 0}};
    return p;
}

/// What came later than the rest, drawn last, so that the rest of a world stays what it was.
void weigh_more(dice& chance, world& w) {
    constexpr const char* bounded[] = {"carbon", "finish", "risk", "rtt", "non_green_energy", "data_movement", "time"};
    if (chance.once_in(3))
        w.spec.when.target_at = start + seconds(chance.below(40'000));
    if (!w.rules.ordered())
        price_risk(chance, w.rules);
    else if (chance.once_in(8))
        w.rules = random_order(chance);
    if (!w.rules.within_of_cheapest && chance.once_in(5))
        w.rules.within_of_least = least_rule{chance.one_of(bounded), chance.between(0, 1)};
}

/// Some sellers sell what one host has.
void share_hosts(dice& chance, std::vector<offer>& offers) {
    for (offer& o : offers)
        if (chance.once_in(2)) {
            o.supply.host = chance.once_in(2) ? "h0" : "h1";
            if (chance.once_in(6))
                o.supply.host_units = 1 + chance.below(40);
        }
}

/// Some bill while data are brought. Thrown apart, so that what seeds make of the rest stays what it was.
void start_bills(dice apart, std::vector<offer>& offers) {
    if (apart.once_in(2))
        for (offer& o : offers)
            if (apart.once_in(2))
                o.billing_starts = billing_start::allocation;
}

/// What sites are cleared for, and what work asks of it.
void clear_sites(dice& chance, world& w) {
    constexpr const char* classes[] = {"public", "internal", "personal"};
    if (chance.once_in(6))
        w.spec.data_class = chance.one_of(classes);
    if (chance.once_in(8))
        w.spec.licences = {"ansys"};
    if (chance.once_in(20))
        w.spec.licences.emplace_back("matlab");
    std::map<std::string, site_facts> cleared;
    for (offer& o : w.offers) {
        const auto [at, fresh] = cleared.try_emplace(o.provider + "/" + o.site.site);
        if (fresh && chance.once_in(2))
            at->second.data_classes = {"internal", "public"};
        if (fresh && chance.once_in(6))
            at->second.data_classes = {"personal"};
        if (fresh && !chance.once_in(4))
            at->second.licences = {"ansys"};
        if (fresh && chance.once_in(3))
            at->second.licences.emplace_back("matlab");
        o.site.data_classes = at->second.data_classes;
        o.site.licences = at->second.licences;
    }
}

/// What cards are known to work in, and what work asks of it.
void tell_precisions(dice& chance, world& w) {
    constexpr number_precision asked[] = {number_precision::fp64, number_precision::fp16, number_precision::bf16};
    if (!w.spec.resources.accelerators.empty() && chance.once_in(3))
        w.spec.resources.precision = chance.one_of(asked);
    for (offer& o : w.offers)
        if (o.accelerators && !chance.once_in(3))
            o.accelerators->bf16_tflops = chance.between(50, 500);
}

/// Rules and quotes that begin and end while a start may be put off, and more cards for rules to speak of.
void date_starts(dice& chance, world& w) {
    const auto soon = [&] {
        return start + seconds(chance.below(40'000)) - seconds(10'000);
    };
    for (auto left = chance.below(4); left > 0; --left) {
        compliance_rule rule = random_rule(chance);
        if (!chance.once_in(3))
            rule.from_at = soon();
        if (!chance.once_in(3))
            rule.until_at = soon();
        (chance.once_in(4) ? w.rules.compliance : w.spec.limits.compliance).push_back(std::move(rule));
    }
    for (offer& o : w.offers) {
        if (!o.accelerators && chance.once_in(2))
            o.accelerators = random_cards(chance);
        if (chance.once_in(4))
            o.supply.price_until = soon();
    }
}

/// Rules that name places and processors, beside figures or alone, over offers with cards and without; and what is not
/// told of them, or told at eight bits only. Drawn last of all.
void rule_by_place(dice& chance, world& w) {
    if (!chance.once_in(10))
        return;
    for (auto left = 1 + chance.below(2); left > 0; --left) {
        compliance_rule rule = random_rule(chance);
        fact_expression place;
        place.comparison = fact_comparison::in;
        const bool by_place = !chance.once_in(3);
        place.fact = by_place ? offer_fact::jurisdiction : offer_fact::architecture;
        place.words = {by_place ? chance.one_of(jurisdictions) : "arm64"};
        const auto alone = chance.below(3);
        if (alone == 0)
            rule.forbid.parts = {place};
        else if (alone == 1)
            rule.forbid.parts.push_back(place);
        else
            rule.forbid = fact_expression{.is = fact_expression::form::all, .parts = {place, rule.forbid}};
        (chance.once_in(3) ? w.rules.compliance : w.spec.limits.compliance).push_back(std::move(rule));
    }
    std::map<std::string, const char*> untold;
    for (offer& o : w.offers) {
        const auto [at, fresh] = untold.try_emplace(o.provider + "/" + o.site.site, nullptr);
        if (fresh && chance.once_in(5))
            at->second = chance.once_in(2) ? "" : "ZZ";
        if (at->second)
            o.site.jurisdiction = at->second;
        if (o.accelerators && chance.once_in(3))
            o.accelerators->int8_tops = chance.between(50, 900);
    }
}

}  // namespace

policy random_priced_policy(dice& chance) {
    policy p;
    p.name = "random";
    const auto price = [&](const char* term, double high) {
        if (chance.once_in(2))
            p.prices.push_back({term, chance.between(0, high), 0, 0, {}});
    };
    price("latency", 1);
    price("green_power", 3);
    price("carbon", 3);
    price("time", 20);
    p.counted_twice_meant = true;
    return p;
}

void price_risk(dice& chance, policy& p) {
    if (chance.once_in(3))
        p.prices.push_back({"risk", chance.between(0, 200), 0, 0, {}});
}

policy shipped_policy(std::string_view name) {
    policy p;
    p.name = name;
    if (name == "balanced")
        p.prices = {{"latency", 0.10, 0, 0, {}}, {"green_power", 0.61, 0, 0, {}}, {"time", 5, 0, 0, {}}};
    if (name == "nearest") {
        p.order_service = {{"rtt", 1}, {"cost", 0}};
        p.order_interactive = {{"data_movement", 60}, {"rtt", 1}, {"cost", 0}};
        p.order_batch = {{"data_movement", 60}, {"cost", 0}};
    }
    if (name == "lowest_carbon") {
        p.order_service = p.order_interactive = p.order_batch = {{"carbon", 0.01}, {"cost", 0}};
        p.within_of_cheapest = 0.5;
    }
    if (name == "greenest") {
        p.order_service = p.order_interactive = p.order_batch = {{"non_green_energy", 0.1}, {"carbon", 0}, {"cost", 0}};
        p.within_of_cheapest = 0.5;
    }
    return p;
}

offer_book world::book() const {
    offer_book b;
    std::vector<std::string> providers;
    for (const auto& o : offers)
        if (std::ranges::find(providers, o.provider) == providers.end())
            providers.push_back(o.provider);
    for (const auto& p : providers) {
        std::vector<offer> of_it;
        for (const auto& o : offers)
            if (o.provider == p)
                of_it.push_back(o);
        b.replace_provider(p, std::move(of_it));
    }
    for (const auto& [id, units] : live)
        b.set_our_live_units(id, units);
    return b;
}

namespace {

world world_of_offers(dice& chance) {
    world w;
    w.around.now = start;
    w.around.rates.usd_nanos = static_cast<std::int64_t>(6'000'000'000 + chance.below(2'000'000'000));
    w.regions = {{"r0", 31.2, 121.5}, {"r1", 23.1, 113.2}, {"r2", 37.5, 105.2}};
    w.accelerators = small_table();
    w.spec = random_spec(chance);
    w.rules = random_policy(chance);
    // Without a throw, so that worlds stay what they were.
    if (const auto s = w.spec.work.runtime_s.value_or(1); w.spec.kind == workload_kind::batch && s % 4 == 0)
        w.spec.when.value_of_time = unit_price{static_cast<std::int64_t>(s % 80) * 1'000'000'000, currency::cny};
    if (const auto s = w.spec.work.runtime_s.value_or(2); s % 5 == 1)
        w.spec.work.utilisation = static_cast<double>(s % 11) / 10;
    if (chance.once_in(8))
        w.blocked = {{"p2", "down"}};
    const bool hosts = chance.once_in(6);
    if (chance.once_in(10))
        w.around.budget_left = random_money(chance, 400'000'000);
    const int site_count = static_cast<int>(1 + chance.below(6));
    for (int s = 0; s < site_count; ++s) {
        const site_facts site = random_site(chance, s);
        const std::string provider = "p" + std::to_string(s % 3);
        for (int n = static_cast<int>(1 + chance.below(7)); n > 0; --n) {
            w.offers.push_back(random_offer(chance, site, provider, n));
            if (chance.once_in(5)) {
                offer clone = w.offers.back();
                clone.id = provider + "/" + site.site + "/clone" + std::to_string(n) + "/on_demand";
                w.offers.push_back(std::move(clone));
            }
            if (chance.once_in(6))
                w.live.emplace_back(w.offers.back().id, chance.below(10));
        }
    }
    if (hosts)
        share_hosts(chance, w.offers);
    if (chance.once_in(4))
        for (offer& o : w.offers)
            if (o.price && chance.once_in(3))
                o.schedule = random_hours(chance);
    clear_sites(chance, w);
    tell_precisions(chance, w);
    weigh_more(chance, w);
    start_bills(chance, w.offers);
    return w;
}

}  // namespace

world random_world(dice& chance) {
    world w = world_of_offers(chance);
    rule_by_place(chance, w);
    return w;
}

/// An order that takes hours of the finish together, as one that wants it "today" does.
void look_at_the_finish(dice& chance, policy& p) {
    const auto step = [&](double of) {
        return chance.once_in(2) ? of : 0;
    };
    p.prices.clear();
    p.order_batch = {{"finish", chance.between(0.5, 6)}, {"carbon", step(0.05)}, {"cost", step(0.5)}};
    if (chance.once_in(3))
        std::swap(p.order_batch[1], p.order_batch[2]);
    p.order_service = p.order_interactive = p.order_batch;
}

world random_world_with_signals(dice& chance) {
    constexpr const char* zones[] = {"Z0", "Z1", "Z2", "unknown"};
    world w = world_of_offers(chance);
    std::map<std::string, const char*> zone_of;
    for (offer& o : w.offers) {
        const auto [at, fresh] = zone_of.try_emplace(o.provider + "/" + o.site.site, "");
        if (fresh)
            at->second = chance.one_of(zones);
        o.site.grid_zone = at->second;
    }
    for (const char* zone : {"Z0", "Z1", "Z2"}) {
        if (chance.once_in(4))
            continue;
        signal_series one;
        one.zone = zone;
        one.source = "world";
        one.quality = quality_class::modelled_hourly;
        instant at = start - seconds(chance.below(3600));
        for (auto left = 1 + chance.below(20); left > 0; --left) {
            const instant end = at + seconds(600 + chance.below(5000));
            one.intervals.push_back({at, end, chance.once_in(4) ? 300.0 : chance.between(0, 900), true});
            at = end;
        }
        if (one.intervals.back().end_at > start)  // else it tells nothing of now
            w.hourly.push_back(std::move(one));
    }
    w.signals.receive("world", w.hourly, start);
    if (w.spec.kind == workload_kind::service || !chance.once_in(4))
        w.spec.when.max_delay_s = chance.below(60'000);
    if (chance.once_in(4))
        w.rules.max_delay_s = chance.below(20'000);
    if (chance.once_in(2) && !w.rules.ordered())
        w.rules.prices.push_back({.term = "carbon", .per_unit = chance.between(0, 20)});
    if (chance.once_in(4))
        date_starts(chance, w);
    if (chance.once_in(4))
        w.spec.limits.max_carbon_kg = std::pow(10, chance.between(-2, 2));
    if (chance.once_in(12))
        look_at_the_finish(chance, w.rules);
    rule_by_place(chance, w);
    return w;
}

/// A range of sizes; mostly of work on cards whose hours count, so that a larger gang may be the better one.
void draw_sizes(dice& chance, world& w) {
    w.spec.tasks_max = w.spec.tasks + static_cast<std::uint32_t>(1 + chance.below(4));
    if (chance.once_in(4))
        return;
    w.spec.kind = workload_kind::batch;
    if (w.spec.resources.accelerators.empty())
        w.spec.resources.accelerators.emplace_back().count = 1;
    work_estimate& work = w.spec.work;
    work = {};
    work.reference = reference_cards{"A100", static_cast<std::uint32_t>(2 + chance.below(7))};
    work.accelerator_hours = chance.between(0.1, 40);
    work.communication = chance.once_in(2) ? 0 : chance.between(0, 0.3);
    for (offer& o : w.offers) {
        if (!o.accelerators)
            o.accelerators = random_cards(chance);
        if (chance.once_in(2))
            o.compute = w.spec.compute;
    }
    if (!w.rules.ordered() && chance.once_in(2))
        w.rules.prices.push_back({"time", chance.between(1, 50), 0, 0, {}});
}

world any_world(dice& chance, std::uint64_t seed) {
    if (seed % 2 == 0)
        return random_world(chance);
    world w = random_world_with_signals(chance);
    if (seed % 16 == 1)
        draw_sizes(chance, w);
    return w;
}

}  // namespace westerly::laws
