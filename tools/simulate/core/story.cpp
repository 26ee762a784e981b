#include "tools/simulate/core/story.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/domain/energy.hpp"
#include "broker/placement/assign.hpp"
#include "broker/placement/feasible.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/random.hpp"
#include "policies/table.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

constexpr std::uint64_t cards_each = 512, nodes_each = 400;  // free at each cluster
constexpr double story_carbon_price = 1.0;                   // CNY per kg, of the run that prices carbon
constexpr double time_price = 5.0;                           // CNY per hour, as `balanced`

/// Where users are, the cluster that holds their data, and how many of twenty are there.
struct home {
    const char* region;
    const char* cluster;
    int of_twenty;
};
constexpr home homes[] = {{"cn-beijing", "cn-zhangjiakou", 5},    {"cn-shanghai", "cn-yangtze-delta", 5},
                          {"cn-zhejiang", "cn-yangtze-delta", 2}, {"cn-anhui", "cn-wuhu", 1},
                          {"cn-guangdong", "cn-shaoguan", 4},     {"cn-sichuan", "cn-tianfu", 2},
                          {"cn-chongqing", "cn-chongqing", 1}};

offer at_site(const site_facts& site, const char* name, bool cards, double price) {
    offer o;
    o.provider = site.site;
    o.site = site;
    o.id = site.site + "/" + site.site + "/" + name + "/on_demand";
    o.vcpus = cards ? 12 : 16;
    o.memory_mib = cards ? 131'072 : 65'536;
    o.unit = cards ? offer_unit::card : offer_unit::instance;
    o.units_free = cards ? cards_each : nodes_each;
    o.price = unit_price{std::llround(price * 1e9), currency::cny};
    o.max_w = cards ? card_watts : node_watts;
    o.idle_w = *o.max_w * 0.3;
    o.price_source = "example";
    // Nothing fails, so that every figure can be worked out by hand.
    o.supply.hazard.hardware_per_card_h = o.supply.hazard.provider_per_h = 0;
    if (cards) {
        o.compute = compute_class::intelligent;
        accelerator_facts a;
        a.model = "A100";
        a.count = 1;
        a.memory_gib = 80;
        a.stack = "cuda";
        a.training = a.inference = true;
        o.accelerators = a;
        o.stacks = {"cuda", "none"};
    }
    return o;
}

void add_clusters(east_west_world& world) {
    const auto read = parse_json(embedded_file("schema/facts/hubs.json").value(), 1 << 20);
    const json_value& hubs = read.value();
    world.residual_g_per_kwh = hubs["residual_g_per_kwh"].GetDouble();
    for (const json_value& c : hubs["clusters"].GetArray()) {
        hub_cluster cluster{c["cluster"].GetString(), c["name"].GetString(), c["name_zh"].GetString(),
                            c["province"].GetString(), std::string_view(c["side"].GetString()) == "east"};
        site_facts site;
        site.site = site.region = cluster.region;
        site.jurisdiction = "CN";
        site.latitude_longitude = {c["latitude"].GetDouble(), c["longitude"].GetDouble()};
        site.pue = sourced{c["pue"].GetDouble(), c["pue_source"].GetString(), quality_class::declared};
        // New centres of the western hubs must use 80 %; of the others the province's obligation is all that is known.
        site.green_power_share = cluster.east ? sourced{c["renewable_obligation"].GetDouble(), "province's obligation",
                                                        quality_class::annual_provincial}
                                              : sourced{hubs["new_hub_green_share"].GetDouble(),
                                                        "policy for new centres in hubs", quality_class::declared};
        site.carbon_g_per_kwh =
            sourced{c["carbon_g_per_kwh"].GetDouble(), "province, 2022", quality_class::annual_provincial};
        site.grid_zone = cluster.province;
        site.ingress_gbps = between_clusters_gbps;
        world.offers.offers.push_back(at_site(site, "card", true, cluster.east ? east_card_price : west_card_price));
        world.offers.offers.push_back(at_site(site, "node", false, cluster.east ? east_node_price : west_node_price));
        world.clusters.push_back(std::move(cluster));
    }
}

std::uint32_t number_of(const east_west_world& world, std::string_view region) {
    return static_cast<std::uint32_t>(std::ranges::find(world.clusters, region, &hub_cluster::region) -
                                      world.clusters.begin());
}

void add_workloads(east_west_world& world) {
    random_source chance(20'220'217);  // the day on which the last four hubs were approved
    const auto pick_home = [&]() -> const home& {
        auto at = static_cast<int>(chance.unit() * 20);
        const home* one = homes;
        while (at >= one->of_twenty)
            at -= (one++)->of_twenty;
        return *one;
    };
    const auto add = [&](story_kind kind, const home& from, std::uint32_t tasks, double hours, double input_gib) {
        story_workload w;
        w.kind = kind;
        w.hours = hours;
        w.home = number_of(world, from.cluster);
        w.spec.name = std::string(kind == story_kind::training  ? "training"
                                  : kind == story_kind::service ? "service"
                                                                : "nightly");
        w.spec.kind = kind == story_kind::service ? workload_kind::service : workload_kind::batch;
        w.spec.tasks = tasks;
        w.spec.limits.from = origin{from.region, {}};
        if (input_gib > 0)
            w.spec.inputs = {{input_gib, from.cluster}};
        if (kind != story_kind::service)
            w.spec.work.runtime_s = static_cast<std::uint64_t>(hours * 3600);
        w.spec.variants = {
            {.stack = kind == story_kind::training ? "cuda" : "none", .command = {"true"}, .env = {}, .files = {}}};
        if (kind == story_kind::training) {
            w.spec.compute = compute_class::intelligent;
            w.spec.resources.vcpus = 12;
            w.spec.resources.memory_mib = 65'536;
            accelerator_need need;
            need.model = "A100";
            w.spec.resources.accelerators.push_back(need);
        } else {
            w.spec.resources.vcpus = 16;
            w.spec.resources.memory_mib = 32'768;
        }
        world.workloads.push_back(std::move(w));
    };
    for (int i = 0; i < 60; ++i) {
        const std::uint32_t cards = 8u << static_cast<unsigned>(chance.unit() * 3);
        const double hours = std::exp(std::log(4.0) + chance.unit() * std::log(60.0));  // 4 to 240
        add(story_kind::training, pick_home(), cards, std::round(hours), 10'240);
    }
    for (int i = 0; i < 80; ++i)
        add(story_kind::service, pick_home(), 2 + static_cast<std::uint32_t>(chance.unit() * 5), 24, 0);
    for (int i = 0; i < 60; ++i)
        add(story_kind::nightly, pick_home(), 1 + static_cast<std::uint32_t>(chance.unit() * 8),
            1 + std::floor(chance.unit() * 7), std::round(10 + chance.unit() * 490));
}

policy shipped(std::string_view name) {
    return decode_policy(name, embedded_file("policies/" + std::string(name) + ".json").value()).value();
}

double transfer_of(const east_west_world& world, const story_workload& w, std::uint32_t cluster) {
    double gib = 0;
    for (const data_input& input : w.spec.inputs)
        gib += input.region == world.clusters[cluster].region ? 0 : input.size_gib;
    return gib * world.transfer_per_gib;
}

}  // namespace

std::string_view in_words(story_kind kind) {
    return kind == story_kind::training  ? "training, 10 TiB in"
           : kind == story_kind::service ? "interactive services"
                                         : "nightly batch";
}

east_west_world make_east_west() {
    east_west_world world;
    world.transfer_per_gib = assumed_transfer_per_gib;
    world.regions = decode_regions(embedded_file("schema/facts/regions.json").value()).value();
    add_clusters(world);
    add_workloads(world);
    return world;
}

story_sums story_outcome::all() const {
    story_sums sum;
    for (const story_sums& k : kinds) {
        sum.workloads += k.workloads;
        sum.west += k.west;
        sum.unplaced += k.unplaced;
        sum.money += k.money;
        sum.transfer += k.transfer;
        sum.kwh += k.kwh;
        sum.non_green_kwh += k.non_green_kwh;
        sum.location_kg += k.location_kg;
        sum.market_kg += k.market_kg;
        sum.rtt_ms += k.rtt_ms;
    }
    return sum;
}

story_outcome tell(const east_west_world& world, std::string name, const policy& rules, bool east_only) {
    const offer_book book = world.offers.book();
    decision_world around;
    around.now = instant(std::chrono::seconds(1'767'225'600));  // 2026-01-01
    around.regions = world.regions;

    assign_problem p;
    std::vector<feasible_offer> ways;  // parallel to p.options
    std::vector<std::uint32_t> cluster_of;
    for (std::size_t i = 0; i < book.size(); ++i) {
        p.capacity.push_back(static_cast<std::uint32_t>(book.free_units(i)));
        cluster_of.push_back(number_of(world, book.at(i).site.region));
    }
    for (const story_workload& w : world.workloads) {
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(p.options.size());
        const double runs = w.kind == story_kind::service ? w.hours : 1;  // services are judged per hour
        for (const feasible_offer& way : feasible_offers(book, rules, built_in_terms(), w.spec, around)) {
            const std::uint32_t cluster = cluster_of[way.index];
            if (east_only && !world.clusters[cluster].east)
                continue;
            const double j = rules.ordered() ? way.j : way.j * runs + transfer_of(world, w, cluster);
            p.options.push_back({.pool = way.index, .quantity = static_cast<std::uint32_t>(way.units), .cost = j});
            ways.push_back(way);
            job.refusal = std::max(job.refusal, 10 * j + 1000);
        }
        job.options_end = static_cast<std::uint32_t>(p.options.size());
        p.jobs.push_back(job);
    }
    const assignment made = rules.ordered() ? assign_fairly(p) : assign_by_cost(p);

    story_outcome told;
    told.name = std::move(name);
    told.cost = rules.ordered() ? 0 : made.cost;
    told.bound = rules.ordered() ? 0 : made.bound.value;
    for (std::size_t j = 0; j < world.workloads.size(); ++j) {
        const story_workload& w = world.workloads[j];
        story_sums& sum = told.kinds[static_cast<std::size_t>(w.kind)];
        ++sum.workloads;
        if (made.of[j].option == nothing) {
            ++sum.unplaced;
            told.at.push_back(nothing);
            continue;
        }
        const feasible_offer& way = ways[made.of[j].option];
        const std::uint32_t cluster = cluster_of[way.index];
        const double runs = w.kind == story_kind::service ? w.hours : 1, transfer = transfer_of(world, w, cluster);
        told.at.push_back(cluster);
        sum.west += !world.clusters[cluster].east;
        sum.money += way.cost_base * runs + transfer;
        sum.transfer += transfer;
        const facility_energy used =
            facility_of(way.it_kwh * runs, {.pue = way.pue,
                                            .green_power_share = way.green_share,
                                            .carbon_g_per_kwh = book.at(way.index).site.carbon_g_per_kwh->value});
        sum.kwh += used.kwh;
        sum.non_green_kwh += used.non_green_kwh;
        sum.location_kg += used.carbon_kg;
        sum.market_kg += used.non_green_kwh * world.residual_g_per_kwh / 1000;
        if (w.kind == story_kind::service)
            sum.rtt_ms += way.rtt_ms;
    }
    return told;
}

std::vector<story_outcome> tell_all(const east_west_world& world) {
    policy carbon;
    carbon.name = "carbon priced";
    carbon.prices = {{"latency", 0.10}, {"carbon", story_carbon_price}, {"time", time_price}};
    return {tell(world, "everything in the east", shipped("balanced"), true),
            tell(world, "balanced", shipped("balanced"), false), tell(world, "cheapest", shipped("cheapest"), false),
            tell(world, "greenest", shipped("greenest"), false), tell(world, "carbon at 1 CNY/kg", carbon, false)};
}

}  // namespace westerly
