#include "broker/placement/spread.hpp"

#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

using built::book_of;
using built::plain;
using built::world;

/// East, where most users are, is dear; west is cheap. Each replica takes a unit.
offer at(const std::string& site, double price, double from_east, double from_west) {
    offer o = plain(site, price);
    o.site.latitude_longitude.reset();
    o.site.rtt_ms = {{"users-east", from_east}, {"users-west", from_west}};
    return o;
}

workload_spec service(std::uint32_t replicas, double east = 3, double west = 1) {
    workload_spec spec = built::task();
    spec.kind = workload_kind::service;
    spec.work.runtime_s.reset();
    spec.tasks = replicas;
    spec.resources.vcpus = 8;
    spec.limits.origins = {{{.region = "users-east", .latitude_longitude = {}}, east},
                           {{.region = "users-west", .latitude_longitude = {}}, west}};
    spec.spread = spread_rule{};
    return spec;
}

policy latency_at(double price_per_ms) {
    policy p;
    p.prices = {{"latency", price_per_ms, 0, 0, {}}};
    return p;
}

spread_plan spread_of(const std::vector<offer>& offers, const workload_spec& spec, const policy& rules) {
    return *plan(book_of(offers), rules, built_in_terms(), spec, world()).spread;
}

std::vector<std::pair<std::string, std::uint32_t>> replicas_of(const spread_plan& made) {
    std::vector<std::pair<std::string, std::uint32_t>> all;
    for (const auto& part : made.parts)
        all.emplace_back(part.site, part.replicas);
    return all;
}
using counts = std::vector<std::pair<std::string, std::uint32_t>>;

/// Half of every day 1.00 and half 3.00: an hour of a service is 2.00, and four replicas cost 8.00 an hour.
TEST(spread, counts_the_mean_of_hourly_prices_for_each_replica) {
    offer west = at("west", 3, 45, 5);
    west.schedule.windows = {{.from_min = 0, .to_min = 720, .nanos = 1'000'000'000}};
    const spread_plan made = spread_of({at("east", 2.5, 5, 45), west}, service(4), latency_at(0));
    EXPECT_EQ(replicas_of(made), (counts{{"west", 4}}));
    EXPECT_DOUBLE_EQ(made.cost_base, 8);
    EXPECT_EQ(made.parts[0].price, (unit_price{2'000'000'000, currency::cny}));
    EXPECT_EQ(made.parts[0].cost, (money{8'000'000, currency::cny}));
    ASSERT_TRUE(made.alone);
    EXPECT_DOUBLE_EQ(made.alone->j, 8);
    EXPECT_EQ(made.notes, (std::vector<note>{{note_kind::price_by_hour, {"p/west/n/on_demand"}, {2, 1, 3}}}));
    EXPECT_NE(explain(made, currency::cny).find("The price of p/west/n/on_demand changes with the hour: 2.00 CNY"),
              std::string::npos);
}

/// Eight replicas, three quarters of the demand in the east. RTT: 5 ms at home, 45 ms across.
///   all east  8 x 3.00 = 24.00; mean RTT 0.75 x 5 + 0.25 x 45 = 15; 8 x 15 x 0.10 = 12.00; J = 36.00
///   all west  8 x 2.00 = 16.00; mean RTT 0.75 x 45 + 0.25 x 5 = 35; 8 x 35 x 0.10 = 28.00; J = 44.00
///   6 and 2   6 x 3.00 + 2 x 2.00 = 22.00; mean RTT 5; 8 x 5 x 0.10 = 4.00; J = 26.00
TEST(spread, follows_demand_where_latency_is_worth_it) {
    const std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5)};
    const spread_plan made = spread_of(offers, service(8), latency_at(0.10));
    EXPECT_EQ(replicas_of(made), (counts{{"east", 6}, {"west", 2}}));
    EXPECT_DOUBLE_EQ(made.cost_base, 22);
    EXPECT_DOUBLE_EQ(made.rtt_ms, 5);
    EXPECT_DOUBLE_EQ(made.rtt_p95_ms, 5);
    ASSERT_EQ(made.terms.size(), 1u);
    EXPECT_NEAR(made.terms[0].second, 4, 1e-12);
    EXPECT_NEAR(made.j, 26, 1e-12);
    ASSERT_TRUE(made.alone);
    EXPECT_EQ(made.alone->offer, "p/east/n/on_demand");
    EXPECT_NEAR(made.alone->j, 36, 1e-12);
    EXPECT_EQ(made.parts[0].cost, (money{18'000'000, currency::cny}));
    EXPECT_EQ(made.parts[0].serves, (std::vector<served_origin>{{"users-east", 0.75, 5, "declared"}}));
    EXPECT_EQ(made.sets_tried, 3u);
    EXPECT_TRUE(made.every_set && !made.j_bound);
}

TEST(spread, is_one_site_where_latency_is_cheap) {
    const std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5)};
    // At 0.001 a ms: west 16 + 0.28 = 16.28; both 22.04; east 24.12.
    const spread_plan made = spread_of(offers, service(8), latency_at(0.001));
    EXPECT_EQ(replicas_of(made), (counts{{"west", 8}}));
    EXPECT_NEAR(made.j, 16.28, 1e-12);
    EXPECT_EQ(made.alone->j, made.j);
}

TEST(spread, keeps_to_its_limits) {
    std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5), at("middle", 1, 25, 25)};
    workload_spec spec = service(8);
    const policy cheap;  // by cost alone
    EXPECT_EQ(replicas_of(spread_of(offers, spec, cheap)), (counts{{"middle", 8}}));
    spec.limits.max_rtt_ms = 10;  // which 95 % of the demand stays within only where each half is served at home
    EXPECT_EQ(replicas_of(spread_of(offers, spec, cheap)), (counts{{"east", 6}, {"west", 2}}));
    spec.limits.max_price_per_hour = money{22'000'000, currency::cny};
    EXPECT_EQ(spread_of(offers, spec, cheap).parts.size(), 2u);
    spec.limits.max_price_per_hour = money{21'999'999, currency::cny};
    EXPECT_EQ(spread_of(offers, spec, cheap).problem, spread_problem::nothing_fits);
    spec.limits.max_price_per_hour.reset();
    offers[1].units_free = 1;  // the west has room for one replica, and its share are two: an eighth goes 45 ms far
    EXPECT_EQ(spread_of(offers, spec, cheap).problem, spread_problem::nothing_fits);
    spec.limits.max_rtt_ms.reset();
    spec.spread->max_sites = 1;
    EXPECT_EQ(replicas_of(spread_of(offers, spec, latency_at(0.10))), (counts{{"middle", 8}}));
    offers[1].units_free = 2;
    offers[0].supply.host = offers[1].supply.host = "hall";  // the same house sold twice
    spec.spread->max_sites = 4;
    spec.limits.max_rtt_ms = 10;
    EXPECT_EQ(spread_of(offers, spec, cheap).problem, spread_problem::nothing_fits);
}

/// Eight replicas, three quarters of the demand in the east, which has room for four: half of all demand. A quarter of
/// it goes on to the middle, 25 ms away, or to the west, 45 ms away.
///   4, 2 and 2  4 x 3 + 2 x 2.5 + 2 x 2 = 21.00; RTT 0.5 x 5 + 0.25 x 25 + 0.25 x 5 = 10; 8 x 10 x 0.10 = 8.00; J
///   = 29.00 4 and 4     4 x 3 + 4 x 2 = 20.00; RTT 0.5 x 5 + 0.25 x 45 + 0.25 x 5 = 15; 8 x 15 x 0.10 = 12.00; J
///   = 32.00 all middle  8 x 2.5 = 20.00; RTT 25; 8 x 25 x 0.10 = 20.00; J = 40.00
TEST(spread, users_of_a_full_site_go_on_to_the_next) {
    std::vector<offer> offers{at("east", 3, 5, 45), at("middle", 2.5, 25, 25), at("west", 2, 45, 5)};
    offers[0].units_free = 4;
    const spread_plan made = spread_of(offers, service(8), latency_at(0.10));
    EXPECT_EQ(replicas_of(made), (counts{{"east", 4}, {"middle", 2}, {"west", 2}}));
    EXPECT_DOUBLE_EQ(made.cost_base, 21);
    EXPECT_DOUBLE_EQ(made.rtt_ms, 10);
    EXPECT_DOUBLE_EQ(made.rtt_p95_ms, 25);
    EXPECT_NEAR(made.j, 29, 1e-12);
    EXPECT_EQ(made.parts[0].serves, (std::vector<served_origin>{{"users-east", 0.5, 5, "declared"}}));
    EXPECT_EQ(made.parts[1].serves, (std::vector<served_origin>{{"users-east", 0.25, 25, "declared", true}}));
    EXPECT_NE(explain(made, currency::cny)
                  .find("users-east (25.0 % of the demand, RTT 25.0 ms, declared; what is "
                        "nearer is full)"),
              std::string::npos);
    workload_spec two = service(8);
    two.spread->max_sites = 2;
    EXPECT_EQ(replicas_of(spread_of(offers, two, latency_at(0.10))), (counts{{"east", 4}, {"west", 4}}));
}

/// Two sites for users of one place: only because the first has not the room.
TEST(spread, takes_more_sites_than_origins_where_one_is_full) {
    std::vector<offer> offers{at("east", 3, 5, 45), at("middle", 2.5, 25, 25)};
    workload_spec spec = service(8);
    spec.limits.origins.pop_back();
    EXPECT_EQ(replicas_of(spread_of(offers, spec, latency_at(0.10))), (counts{{"east", 8}}));
    offers[0].units_free = 6;
    EXPECT_EQ(replicas_of(spread_of(offers, spec, latency_at(0.10))), (counts{{"east", 6}, {"middle", 2}}));
    offers[1].units_free = 1;
    const spread_plan none = spread_of(offers, spec, latency_at(0.10));
    EXPECT_EQ(none.problem, spread_problem::nothing_fits) << "seven units for eight replicas";
    EXPECT_FALSE(none.alone);
}

/// More sets than are tried, and no site alone has the room: the search finds its way all the same.
TEST(spread, is_found_where_no_single_site_has_the_room) {
    std::vector<offer> offers;
    workload_spec spec = service(24);
    for (int s = 0; s < 40; ++s) {
        offers.push_back(
            at("s" + std::to_string(100 + s), 1 + (s * 7 % 11) / 10.0, 3.0 + s * 13 % 60, 3.0 + s * 29 % 60));
        offers.back().units_free = 4;
    }
    spec.spread->max_sites = 8;
    const spread_plan made = spread_of(offers, spec, latency_at(0.10));
    EXPECT_FALSE(made.every_set);
    ASSERT_FALSE(made.parts.empty());
    std::uint32_t sum = 0;
    for (const auto& part : made.parts) {
        EXPECT_LE(part.replicas, 4u);
        sum += part.replicas;
    }
    EXPECT_EQ(sum, 24u);
    ASSERT_TRUE(made.j_bound);
    EXPECT_LE(*made.j_bound, made.j);
    EXPECT_FALSE(made.alone);
}

TEST(spread, serves_nobody_from_where_the_rtt_is_unknown) {
    std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5)};
    offers[0].site.rtt_ms = {{"users-east", 5}};
    offers[1].site.rtt_ms = {{"users-west", 5}};
    EXPECT_EQ(replicas_of(spread_of(offers, service(8), {})), (counts{{"east", 6}, {"west", 2}}));
    EXPECT_FALSE(spread_of(offers, service(8), {}).alone) << "no single offer serves everybody";
}

TEST(spread, in_an_order_is_compared_key_by_key) {
    policy nearest;
    nearest.order_service = nearest.order_interactive = nearest.order_batch = {{"rtt", 1}, {"cost", 0}};
    const std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5), at("west-2", 1.5, 45, 5)};
    const spread_plan made = spread_of(offers, service(8), nearest);
    EXPECT_EQ(replicas_of(made), (counts{{"east", 6}, {"west-2", 2}}));
    EXPECT_EQ(made.keys, (std::vector<double>{5, 21}));
}

TEST(spread, with_one_site_is_what_the_decision_is) {
    const std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5), at("middle", 2.5, 20, 21)};
    workload_spec spec = service(7);
    spec.spread->max_sites = 1;
    for (const double price : {0.0, 0.01, 0.05, 0.1, 1.0}) {
        const policy rules = latency_at(price);
        const plan_result made = plan(book_of(offers), rules, built_in_terms(), spec, world());
        ASSERT_EQ(made.spread->parts.size(), 1u);
        EXPECT_EQ(made.spread->parts[0].offer, made.made.ranked[0].offer);
        EXPECT_EQ(made.spread->j, made.made.ranked[0].j) << "to the bit";
        EXPECT_EQ(made.spread->cost_base, made.made.ranked[0].cost_base);
    }
}

struct share_case {
    std::string_view name;
    std::uint32_t replicas;
    std::vector<double> shares;
    std::vector<std::uint32_t> given;
};
class apportion_test : public testing::TestWithParam<share_case> {};
TEST_P(apportion_test, gives) {
    EXPECT_EQ(apportion(GetParam().replicas, GetParam().shares), GetParam().given);
}
INSTANTIATE_TEST_SUITE_P(all, apportion_test,
                         testing::Values(share_case{"all_to_one", 5, {1}, {5}},
                                         share_case{"evenly", 8, {0.75, 0.25}, {6, 2}},
                                         share_case{"the_rest_to_the_largest_remainder", 10, {0.56, 0.44}, {6, 4}},
                                         share_case{"the_first_of_equals", 3, {0.5, 0.5}, {2, 1}},
                                         share_case{"at_least_one_each", 4, {0.97, 0.02, 0.01}, {2, 1, 1}},
                                         share_case{"one_each", 3, {0.98, 0.01, 0.01}, {1, 1, 1}}),
                         [](const auto& info) { return std::string(info.param.name); });

/// Forty sites, eight of them allowed: far more sets than are tried.
TEST(spread, of_many_offers_is_searched_and_bounded) {
    std::vector<offer> offers;
    workload_spec spec = service(24);
    spec.limits.origins.clear();
    for (int o = 0; o < 6; ++o)
        spec.limits.origins.push_back({{.region = "r" + std::to_string(o), .latitude_longitude = {}}, 1.0 + o});
    for (int s = 0; s < 100; ++s) {
        offer one = plain("s" + std::to_string(100 + s), 1 + (s * 7 % 11) / 10.0);
        one.site.latitude_longitude.reset();
        for (int o = 0; o < 6; ++o)
            one.site.rtt_ms.emplace_back("r" + std::to_string(o), 3.0 + (s * 13 + o * 29) % 60);
        one.units_free = 100;
        offers.push_back(std::move(one));
    }
    spec.spread->max_sites = 8;
    const spread_plan made = spread_of(offers, spec, latency_at(0.10));
    EXPECT_FALSE(made.every_set);
    EXPECT_EQ(made.offers_fit, 100u);
    EXPECT_EQ(made.offers_weighed, spread_offers_max);
    ASSERT_TRUE(made.j_bound);
    EXPECT_LE(*made.j_bound, made.j);
    EXPECT_LE(made.j, made.alone->j);
    EXPECT_LT((made.j - *made.j_bound) / *made.j_bound, 0.5);
    std::uint32_t sum = 0;
    for (const auto& part : made.parts)
        sum += part.replicas;
    EXPECT_EQ(sum, 24u);
    EXPECT_EQ(made, spread_of(offers, spec, latency_at(0.10)));
}

/// 720 once to the west, over 30 days: 1 an hour beside the price of two replicas.
TEST(spread, parts_are_told_with_what_they_bring) {
    workload_spec spec = service(8);
    spec.inputs = {{10, "east", money{72'000'000, currency::cny}}};
    const spread_plan made = spread_of({at("east", 3, 5, 45), at("west", 2, 45, 5)}, spec, latency_at(0.10));
    ASSERT_EQ(replicas_of(made), (counts{{"east", 6}, {"west", 2}}));
    EXPECT_DOUBLE_EQ(made.parts[0].egress_base, 0);
    EXPECT_DOUBLE_EQ(made.parts[1].egress_base, 1);
    EXPECT_DOUBLE_EQ(made.cost_base, made.parts[0].cost_base + made.parts[1].cost_base);
    const std::string text = explain(made, currency::cny);
    EXPECT_NE(text.find("2 of the replicas for 4.00 CNY an hour, with egress and staging of the inputs 5.00 CNY"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("720.00 CNY once, counted over the 720 h"), std::string::npos) << text;
}

TEST(spread, is_told_in_words_in_both_languages) {
    const std::vector<offer> offers{at("east", 3, 5, 45), at("west", 2, 45, 5)};
    const spread_plan made = spread_of(offers, service(8), latency_at(0.10));
    EXPECT_EQ(
        explain(made, currency::cny),
        "Near their users, the replicas go to 2 sites, of at most 4:\n"
        "- p/east/n/on_demand: 6 of the replicas for 18.00 CNY an hour, serving users-east (75.0 % of the demand, RTT "
        "5.0 "
        "ms, declared).\n"
        "- p/west/n/on_demand: 2 of the replicas for 4.00 CNY an hour, serving users-west (25.0 % of the demand, RTT "
        "5.0 "
        "ms, declared).\n"
        "In all 22.00 CNY an hour; the RTT is 5.0 ms in the mean, and 5.0 ms for 95 % of the demand.\n"
        "The latency of all demand counts as 4.00 CNY an hour.\n"
        "All in one place, p/east/n/on_demand would be best, at 24.00 CNY an hour and 15.0 ms: all counted, 10.00 "
        "CNY dearer.\n"
        "All sets of 2 offers were compared, of 2 that fit (looks: 3).\n");
    const std::string chinese = explain(made, currency::cny, language::zh);
    EXPECT_NE(chinese.find("副本分布在 2 个算力中心（最多 4 个）"), std::string::npos) << chinese;
    EXPECT_NE(chinese.find("users-east（需求的 75.0 %，RTT 5.0 ms，提供方声明）"), std::string::npos) << chinese;
    spread_plan none = spread_of({}, service(8), {});
    EXPECT_EQ(explain(none, currency::cny), "No spread keeps all limits (max_sites: 4).\n");
}

}  // namespace
}  // namespace westerly
