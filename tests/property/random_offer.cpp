#include "tests/property/world_parts.hpp"

#include <algorithm>

namespace westerly::laws {
namespace {

constexpr const char* versions[] = {"11.8", "12.1", "12.4.1", "13", "0"};
constexpr const char* drivers[] = {"535.104", "550", "550.54.14"};

std::optional<sourced> fact(dice& chance, double low, double high) {
    if (chance.once_in(8))
        return std::nullopt;
    return sourced{chance.between(low, high), "world", quality_class::declared};
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

}  // namespace

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

}  // namespace westerly::laws
