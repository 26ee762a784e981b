#include "tools/simulate/core/story.hpp"

#include "broker/placement/assign.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

const east_west_world& world() {
    static const east_west_world made = make_east_west();
    return made;
}
const std::vector<story_outcome>& told() {
    static const std::vector<story_outcome> made = tell_all(world());
    return made;
}
const story_sums& sums(const story_outcome& of, story_kind kind) {
    return of.kinds[static_cast<std::size_t>(kind)];
}
const story_outcome& east() {
    return told()[0];
}
const story_outcome& balanced() {
    return told()[1];
}

TEST(east_west, places_200_workloads_over_ten_clusters) {
    ASSERT_EQ(world().clusters.size(), 10u);
    for (const story_outcome& o : told()) {
        EXPECT_EQ(sums(o, story_kind::training).workloads, 60u);
        EXPECT_EQ(sums(o, story_kind::service).workloads, 80u);
        EXPECT_EQ(sums(o, story_kind::nightly).workloads, 60u);
        EXPECT_EQ(o.all().unplaced, 0u) << o.name;
        if (o.bound > 0) {
            EXPECT_LE(o.cost, o.bound * 1.01) << o.name;
        }
    }
    EXPECT_EQ(east().all().west, 0u);
}

TEST(east_west, training_goes_west_where_the_transfer_pays_and_stays_where_it_does_not) {
    // West against its own home, as `balanced` counts: a fifth off the card-hour and 0.61 CNY for each kWh that need
    // not be covered, less 1024 CNY for 10 TiB and the hours that it takes at 5 CNY.
    const double hours = 10'240 * 8 * 1.073741824 / between_clusters_gbps / 3600, moving = 10'240 * 0.10 + 5 * hours;
    const auto dark = [](std::uint32_t cluster) {
        const site_facts& site = world().offers.offers[2 * cluster].site;
        return card_watts / 1000 * site.pue->value * (1 - site.green_power_share->value);
    };
    std::size_t moved = 0, stayed = 0;
    for (std::size_t j = 0; j < world().workloads.size(); ++j) {
        const story_workload& w = world().workloads[j];
        if (w.kind != story_kind::training || !world().clusters[w.home].east)
            continue;
        const double card_hours = w.hours * w.spec.tasks;
        const std::uint32_t at = balanced().at[j];
        const auto won = [&](std::uint32_t there) {
            const double cheaper = world().clusters[there].east ? 0 : east_card_price - west_card_price;
            return card_hours * (cheaper + 0.61 * (dark(w.home) - dark(there))) - (there == w.home ? 0 : moving);
        };
        if (!world().clusters[at].east) {
            ++moved;
            EXPECT_GT(won(at), 0) << card_hours << " card-hours at " << world().clusters[at].name;
        } else if (at == w.home) {
            ++stayed;
            // The west is never full: the smallest ones stay because nothing there pays.
            for (std::uint32_t c = 0; c < world().clusters.size(); ++c)
                if (!world().clusters[c].east && card_hours < 300) {
                    EXPECT_LT(won(c), 0) << card_hours;
                }
        }
    }
    EXPECT_GT(moved, 20u);
    EXPECT_GT(stayed, 0u);
    EXPECT_LT(balanced().all().money, east().all().money);
    EXPECT_LT(balanced().all().non_green_kwh, east().all().non_green_kwh);
}

TEST(east_west, services_stay_near_their_users_unless_only_money_counts) {
    const auto rtt = [](const story_outcome& o) {
        return sums(o, story_kind::service).rtt_ms / 80;
    };
    EXPECT_LE(rtt(balanced()), rtt(east()) * 1.1);
    EXPECT_GT(rtt(told()[2]), rtt(balanced()) * 1.5) << "cheapest";
    EXPECT_LT(sums(balanced(), story_kind::service).west, 25u) << "those with users in Sichuan and Chongqing";
}

TEST(east_west, green_and_low_carbon_part_ways) {
    const story_sums greenest = told()[3].all(), priced = told()[4].all();
    EXPECT_LT(greenest.non_green_kwh, priced.non_green_kwh);
    EXPECT_GT(greenest.location_kg, priced.location_kg) << "certificates do not change the grid";
}

TEST(east_west, the_page_stands_alone_and_shows_what_the_story_is_about) {
    const std::string page = story_page(world(), told());
    for (const char* words : {"everything in the east", "carbon, location-based", "carbon, market-based",
                              "non-green energy, kWh", "RTT of services", "Horinger", "moving data, CNY"})
        EXPECT_NE(page.find(words), std::string::npos) << words;
    for (const char* outside : {"<script", "src=", "href=\"http", "@import"})
        EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

}  // namespace
}  // namespace westerly
