#include "tests/property/world.hpp"

#include <algorithm>
#include <map>

namespace westerly::laws {
namespace {

constexpr const char* versions[] = {"11.8", "12.1", "12.4.1", "13", "0"};
constexpr const char* drivers[] = {"535.104", "550", "550.54.14"};
constexpr double probabilities[] = {0.5, 0.75, 0.9, 0.999};
constexpr const char* region_names[] = {"r0", "r1", "r2", "r3"};
constexpr const char* jurisdictions[] = {"CN", "US"};
constexpr const char* stacks[] = {"none", "cuda", "cann"};
const instant start = instant(milliseconds(1'800'000'000'000));

std::optional<sourced> fact(dice& chance, double low, double high) {
    if (chance.once_in(8))
        return std::nullopt;
    return sourced{chance.between(low, high), "world", quality_class::declared};
}

std::optional<accelerator_facts> random_cards(dice& chance) {
    if (!chance.once_in(3))
        return std::nullopt;
    return accelerator_facts{.model = chance.once_in(2) ? "A100" : "910B",
                             .count = static_cast<std::uint32_t>(1 + chance.below(8)),
                             .memory_gib = chance.once_in(2) ? 40u : 80u,
                             .fp16_tflops = chance.once_in(3) ? 0 : 312.0,
                             .interconnect_gb_s = chance.once_in(3) ? 0 : 600.0,
                             .stack = chance.once_in(2) ? "cuda" : "cann",
                             .training = chance.once_in(2),
                             .inference = true,
                             .fp64_tflops = chance.once_in(3) ? 0 : chance.between(1, 30),
                             .memory_gb_s = chance.once_in(4) ? 0 : chance.between(500, 3000),
                             .host_link_gb_s = chance.once_in(3) ? 64.0 : 0,
                             .scale_up_cards = static_cast<std::uint32_t>(chance.below(9)),
                             .scale_out_gb_s = chance.once_in(2) ? 50.0 : 0,
                             .training_speed = chance.once_in(3) ? interval{0.8, 0.7, 0.9} : interval{}};
}

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

/// Work told on a reference, and how it saves itself.
void random_work(dice& chance, workload_spec& spec) {
    if (chance.once_in(3))
        spec.checkpoint = checkpoint_rule{1 + chance.below(4000), chance.between(0, 60), chance.between(0, 300)};
    if (spec.resources.accelerators.empty() || chance.once_in(4))
        return;
    work_estimate& work = spec.work;
    work.reference =
        reference_cards{chance.once_in(8) ? "H100" : "A100", static_cast<std::uint32_t>(1 + chance.below(16))};
    if (chance.once_in(3))
        work.reference->scale_out_gb_s = chance.between(5, 100);
    if (chance.once_in(4)) {
        work.reference->interconnect_gb_s = chance.between(64, 900);
        work.reference->scale_up_cards = static_cast<std::uint32_t>(1 + chance.below(16));
    }
    if (chance.once_in(2) || !work.runtime_s) {
        work.runtime_s.reset();
        work.accelerator_hours = chance.between(0.1, 40);
    }
    if (chance.once_in(3))
        work.kind = chance.once_in(2) ? work_class::decoding : work_class::hpc;
    work.communication = chance.once_in(2) ? 0 : chance.between(0, 0.5);
    work.batch_exponent = chance.once_in(2) ? 1 : chance.between(0, 1);
    if (chance.once_in(2))
        work.speeds = {{"910B", {0.8, chance.once_in(2) ? 0.8 : 0.74, chance.once_in(2) ? 0.8 : 0.86}}};
}

compliance_rule random_rule(dice& chance) {
    const auto compare = [&](offer_fact fact, fact_comparison how, double value) {
        fact_expression made;
        made.fact = fact;
        made.comparison = how;
        made.value = value;
        return made;
    };
    compliance_rule rule;
    rule.name = "rule";
    rule.forbid.is = chance.once_in(3)   ? fact_expression::form::all
                     : chance.once_in(2) ? fact_expression::form::any
                                         : fact_expression::form::none;
    rule.forbid.parts = {compare(offer_fact::tops_by_bit_length, fact_comparison::at_least, 4800),
                         compare(offer_fact::interconnect_gb_s, fact_comparison::above, chance.once_in(2) ? 500 : 600),
                         compare(offer_fact::memory_gib, fact_comparison::at_most, 40)};
    if (chance.once_in(4))
        rule.from_at = start + seconds(chance.below(2'000));
    if (chance.once_in(4))
        rule.until_at = start + seconds(1 + chance.below(4'000));
    return rule;
}

accelerator_need random_need(dice& chance) {
    accelerator_need need;
    if (chance.once_in(2))
        need.model = chance.once_in(2) ? "A100" : "910B";
    need.count = static_cast<std::uint32_t>(1 + chance.below(4));
    need.min_memory_gib = chance.once_in(3) ? 80 : 0;
    need.min_fp16_tflops = chance.once_in(4) ? 300 : 0;
    need.min_interconnect_gb_s = chance.once_in(4) ? 600 : 0;
    need.fit = chance.once_in(4) ? accelerator_fit::training : accelerator_fit::any;
    return need;
}

money random_money(dice& chance, std::int64_t below) {
    return {static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(below))),
            chance.once_in(2) ? currency::cny : currency::usd};
}

void constrain(dice& chance, workload_spec& spec) {
    constraints& limits = spec.limits;
    if (chance.once_in(4))
        limits.regions = {chance.one_of(region_names), chance.one_of(region_names)};
    if (chance.once_in(6))
        limits.jurisdictions = {chance.one_of(jurisdictions)};
    if (chance.once_in(8))
        limits.providers_allow = {"p0", "p2"};
    if (chance.once_in(8))
        limits.providers_deny = {"p1"};
    if (!chance.once_in(3)) {
        limits.from.emplace();
        if (chance.once_in(2))
            limits.from->region = chance.one_of(region_names);
        else
            limits.from->latitude_longitude = {chance.between(-80, 80), chance.between(-180, 180)};
        if (chance.once_in(3)) {
            limits.origins = {
                {*limits.from, chance.between(0.1, 9)}, {{"r0", {}}, 1}, {{"r2", {}}, chance.between(0, 0.2)}};
            limits.from.reset();
        }
        if (chance.once_in(3))
            limits.max_rtt_ms = chance.between(5, 200);
    }
    if (chance.once_in(8))
        limits.compliance.push_back(random_rule(chance));
    if (chance.once_in(6))
        limits.max_pue = chance.between(1.1, 1.8);
    if (chance.once_in(6))
        limits.min_green_power_share = chance.between(0, 0.8);
    if (chance.once_in(6))
        limits.max_carbon_kg = chance.between(0, 20);
    if (chance.once_in(6))
        limits.max_price_per_hour = random_money(chance, 400'000'000);
    if (chance.once_in(6))
        spec.budget = random_money(chance, 800'000'000);
    if (chance.once_in(5))
        spec.when.deadline_at = start + seconds(chance.below(20'000));
    if (chance.once_in(2))
        spec.when.deadline_probability = chance.one_of(probabilities);
    if (chance.once_in(4))
        spec.when.earliest_start_at = start + seconds(chance.below(4'000));
}

workload_spec random_spec(dice& chance) {
    workload_spec spec;
    spec.kind = chance.once_in(4) ? workload_kind::service : workload_kind::batch;
    spec.interactive = spec.kind == workload_kind::batch && chance.once_in(3);
    spec.compute = chance.once_in(5) ? compute_class::intelligent : compute_class::general;
    spec.tasks = static_cast<std::uint32_t>(1 + chance.below(6));
    spec.resources.vcpus = static_cast<std::uint32_t>(1 + chance.below(6));
    spec.resources.memory_mib = 256u << chance.below(5);
    spec.resources.disk_mib = chance.once_in(4) ? 10'000 : 0;
    if (chance.once_in(4))
        for (std::uint64_t i = 0; i <= chance.below(2); ++i)
            spec.resources.accelerators.push_back(random_need(chance));
    if (chance.once_in(4))
        spec.resources.architecture = chance.once_in(2) ? "x86_64" : "arm64";
    spec.variants = {{.stack = "none", .command = {"true"}, .env = {}, .files = {}}};
    if (chance.once_in(3))
        spec.variants.push_back({.stack = chance.one_of(stacks), .command = {"true"}, .env = {}, .files = {}});
    for (variant& run : spec.variants) {
        if (chance.once_in(40))
            run.stack_version = ">=12.1,<13";
        if (chance.once_in(40))
            run.driver_version = ">=550";
    }
    if (!chance.once_in(4))
        spec.work.runtime_s = chance.below(20'000);
    if (spec.work.runtime_s && chance.once_in(3))
        spec.work.runtime_p90_s = *spec.work.runtime_s + chance.below(20'000);
    if (chance.once_in(5))
        spec.when.max_runtime_s = 1 + chance.below(10'000);
    for (std::uint64_t i = chance.below(3); i > 0; --i)
        spec.inputs.push_back({chance.between(0, 500), chance.one_of(region_names),
                               chance.once_in(3) ? std::optional(random_money(chance, 2'000'000)) : std::nullopt});
    random_work(chance, spec);
    constrain(chance, spec);
    return spec;
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

void date(dice& chance, offer& o) {
    if (chance.once_in(8)) {
        o.stale_after_s = static_cast<std::uint32_t>(1 + chance.below(4'000));
        o.as_of = start - seconds(chance.below(30'000));
    }
    if (chance.once_in(20))
        o.supply.price_until = start + seconds(chance.below(4'000)) - seconds(2'000);
}

void own(dice& chance, offer& o) {
    o.supply.owned = true;
    const currency unit = chance.once_in(2) ? currency::cny : currency::usd;
    if (chance.once_in(2))
        o.supply.fee = reservation_fee{chance.once_in(2) ? reservation_term::month : reservation_term::year,
                                       {static_cast<std::int64_t>(chance.below(9'000'000'000'000)), unit}};
    if (chance.once_in(2))
        o.supply.shadow_price = unit_price{static_cast<std::int64_t>(chance.below(3'000'000'000)), unit};
}

/// Windows on quarters of an hour that are apart in every day, so that they are apart whatever days they begin on.
price_schedule random_hours(dice& chance) {
    price_schedule hours;
    hours.utc_offset_min = static_cast<std::int16_t>((static_cast<int>(chance.below(57)) - 28) * 30);
    const auto turn = static_cast<std::uint16_t>(chance.below(96));
    auto quarter = static_cast<std::uint16_t>(0);
    const auto on = [&](std::uint64_t most) {
        quarter = static_cast<std::uint16_t>(quarter + 1 + chance.below(most));
        return static_cast<std::uint16_t>((quarter + turn) % 96 * 15);
    };
    for (auto left = 1 + chance.below(4); left > 0; --left) {
        const std::uint16_t from = on(12), to = on(11);  // four of them are within 92 quarters
        hours.windows.push_back({static_cast<std::uint8_t>(chance.once_in(2) ? 0x7F : 1 + chance.below(127)), from, to,
                                 static_cast<std::int64_t>(chance.once_in(8) ? 0 : chance.below(30'000'000'000))});
    }
    return hours;
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

}  // namespace

site_facts random_site(dice& chance, int number) {
    site_facts site;
    site.site = "s" + std::to_string(number);
    site.region = chance.one_of(region_names);
    site.jurisdiction = chance.one_of(jurisdictions);
    if (!chance.once_in(4))
        site.latitude_longitude = {chance.between(-80, 80), chance.between(-180, 180)};
    for (const char* region : region_names)
        if (chance.once_in(3))
            site.rtt_ms.emplace_back(region, static_cast<double>(1 + chance.below(80)));
    // Measured, too, a third of them so long ago that it does not count; without a throw, so that worlds stay what
    // they were.
    for (const auto& [region, ms] : site.rtt_ms)
        if (const auto whole = static_cast<std::int64_t>(ms); whole % 2 == 0)
            site.rtt_measured.push_back({region, ms + 3, start - seconds(whole * 1000), 5});
    site.rtt_max_age_s = 53'000;
    site.pue = fact(chance, 1.0, 2.0);
    site.green_power_share = chance.once_in(6) ? sourced{1.0, "world", quality_class::declared} : fact(chance, 0, 1);
    site.carbon_g_per_kwh = fact(chance, 20, 900);
    // Better and worse classes, likewise without a throw.
    if (auto& share = site.green_power_share; share && static_cast<int>(share->value * 1000) % 8 == 1)
        share->quality = quality_class::default_value;
    if (auto& own = site.carbon_g_per_kwh; own && static_cast<int>(own->value) % 4 == 1)
        own->quality = quality_class::measured_hourly;
    if (!chance.once_in(4))
        site.ingress_gbps = chance.between(0.1, 40);
    if (chance.once_in(6))
        site.staging_per_gib = money{static_cast<std::int64_t>(chance.below(50'000)), currency::usd};
    return site;
}

offer random_offer(dice& chance, const site_facts& site, const std::string& provider, int number) {
    offer o;
    o.provider = provider;
    o.site = site;
    o.id = provider + "/" + site.site + "/n" + std::to_string(number) + "/on_demand";
    o.compute = chance.once_in(5) ? compute_class::intelligent : compute_class::general;
    o.divisible = chance.once_in(2);
    o.launchable = !chance.once_in(6);
    o.mode = chance.once_in(20)  ? billing_mode::reserved
             : chance.once_in(4) ? billing_mode::spot
                                 : billing_mode::on_demand;
    o.runs_gangs = !chance.once_in(20);
    o.vcpus = o.divisible ? static_cast<std::uint32_t>(1 + chance.below(2))
                          : static_cast<std::uint32_t>(1 + chance.below(32));
    o.memory_mib = std::uint64_t{o.vcpus} * (512u << chance.below(4));
    o.disk_mib = chance.once_in(2) ? 40'000 : 0;
    o.accelerators = random_cards(chance);
    o.architecture = chance.once_in(5) ? "arm64" : "x86_64";
    if (o.accelerators)
        o.stacks.push_back(o.accelerators->stack);
    if (chance.once_in(10))
        o.stacks = {"cann"};
    if (chance.once_in(2)) {
        o.units_free = chance.below(40);
        o.units_ours = chance.below(6);
    }
    if (!chance.once_in(10))
        o.price = unit_price{static_cast<std::int64_t>(chance.below(30'000'000'000)),
                             chance.once_in(3) ? currency::usd : currency::cny};
    o.increment_s = chance.once_in(2) ? 1 : static_cast<std::uint32_t>(1 + chance.below(3600));
    o.minimum_s = chance.once_in(3) ? static_cast<std::uint32_t>(chance.below(7200)) : 0;
    if (!chance.once_in(8)) {
        o.max_w = chance.between(20, 900);
        if (!chance.once_in(4))
            o.idle_w = chance.between(1, 20);
    }
    if (chance.once_in(3))
        o.supply.hazard = {
            .spot_per_h = chance.once_in(2) ? std::optional(chance.between(0, 0.5)) : std::nullopt,
            .hardware_per_card_h = chance.once_in(2) ? std::optional(chance.between(0, 0.2)) : std::nullopt,
            .provider_per_h = chance.once_in(4) ? std::optional(chance.between(0, 0.1)) : std::nullopt};
    if (chance.once_in(6))
        o.supply.minimum_units = 1 + chance.below(5);
    if (chance.once_in(6))
        o.supply.latency_headroom = chance.below(4);
    if (chance.once_in(6))
        o.supply.available_from = start + seconds(chance.below(6'000));
    o.queue_wait_s = chance.once_in(2) ? 0 : static_cast<std::uint32_t>(chance.below(3000));
    if (chance.once_in(4))
        o.queue_wait_p90_s = o.queue_wait_s + static_cast<std::uint32_t>(chance.below(6000));
    date(chance, o);
    if (chance.once_in(3))
        for (const auto& stack : o.stacks)
            if (chance.once_in(2))
                o.software.stack_versions.emplace_back(stack, chance.one_of(versions));
    std::ranges::sort(o.software.stack_versions);
    if (chance.once_in(4))
        o.software.driver_version = chance.one_of(drivers);
    if (o.mode == billing_mode::reserved && chance.once_in(2))
        own(chance, o);
    return o;
}

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

world random_world(dice& chance) {
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
    world w = random_world(chance);
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
    return w;
}

}  // namespace westerly::laws
