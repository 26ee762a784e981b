#pragma once

#include "broker/domain/policy.hpp"
#include "broker/domain/region.hpp"
#include "broker/domain/workload.hpp"
#include "tools/simulate/core/supply.hpp"

#include <array>

namespace westerly {

/// East Data, West Computing: 200 workloads over the ten clusters of the eight hubs, assigned together in one tick by
/// the code that the broker decides with. Everything is made from schema/facts/hubs.json and the numbers below; the
/// same every time.
struct hub_cluster {
    std::string region, name, name_zh, province;
    bool east = false;
};

enum class story_kind : std::uint8_t { training, service, nightly };
inline constexpr std::size_t story_kinds = 3;
std::string_view in_words(story_kind kind);

struct story_workload {
    story_kind kind = story_kind::training;
    workload_spec spec;
    double hours = 0;        // it runs; services are judged per hour
    std::uint32_t home = 0;  // number of the cluster where its data lie and its users are near
};

struct east_west_world {
    std::vector<hub_cluster> clusters;
    supply offers;  // cards and processor instances at each cluster
    std::vector<story_workload> workloads;
    double residual_g_per_kwh = 0;  // for energy that no contract covers
    double transfer_per_gib = 0;    // CNY, from one cluster to another
    std::vector<region_place> regions;
};

// What no public list states; each is on the page. The card-hour in the east is a figure of 2023's press.
inline constexpr double east_card_price = 7.80, west_card_price = 6.24;  // CNY a card-hour: assumed a fifth less
inline constexpr double east_node_price = 1.60, west_node_price = 1.28;  // CNY an hour for 16 processors
inline constexpr double card_watts = 812.5;                              // 6.5 kW for a server of eight
inline constexpr double node_watts = 160;
inline constexpr double assumed_transfer_per_gib = 0.10;
inline constexpr double between_clusters_gbps = 10;

east_west_world make_east_west();

/// What came of it, for one rule.
struct story_sums {
    std::size_t workloads = 0, west = 0, unplaced = 0;
    double money = 0, transfer = 0;  // money: with the transfer
    double kwh = 0, non_green_kwh = 0, location_kg = 0, market_kg = 0;
    double rtt_ms = 0;  // Σ; of services
};
struct story_outcome {
    std::string name;
    std::array<story_sums, story_kinds> kinds{};
    story_sums all() const;
    std::vector<std::uint32_t> at;  // cluster of each workload, by number; `nothing`: unplaced
    double cost = 0, bound = 0;     // J and its bound; 0 for policies without a price form
};

/// `east_only`: the baseline, everything in the east.
story_outcome tell(const east_west_world& world, std::string name, const policy& rules, bool east_only);

/// All five: everything in the east, then free under balanced, cheapest, greenest, and a price of carbon.
std::vector<story_outcome> tell_all(const east_west_world& world);
std::string story_table(const std::vector<story_outcome>& told);
std::string story_page(const east_west_world& world, const std::vector<story_outcome>& told);

}  // namespace westerly
