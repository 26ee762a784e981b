#include "broker/providers/offer_feed.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

provider_config two_sites() {
    provider_config config;
    config.id = "p";
    for (const char* name : {"east", "west"}) {
        site_facts facts;
        facts.site = name;
        facts.region = std::string("cn-") + name;
        config.sites.push_back(facts);
    }
    return config;
}

offers_reply reply_of(std::vector<std::pair<std::string, std::string>> offers) {
    offers_reply reply;
    reply.as_of = instant{milliseconds(42)};
    for (auto& [site, name] : offers) {
        adapter_offer made;
        made.site = site;
        made.name = name;
        made.shape.price = unit_price{7, currency::cny};
        made.shape.price_source = "adapter";
        reply.offers.push_back(made);
    }
    return reply;
}

price_override price(const std::string& site, const std::string& offer, std::int64_t nanos) {
    price_override made;
    made.site = site;
    made.offer = offer;
    made.price = {nanos, currency::usd};
    made.source = "file";
    return made;
}

struct price_case {
    const char* name;
    std::vector<price_override> prices;
    std::int64_t nanos;
};
class price_test : public testing::TestWithParam<price_case> {};
TEST_P(price_test, holds) {
    auto config = two_sites();
    config.prices = GetParam().prices;
    const auto reply = reply_of({{"east", "cpu"}});
    const auto merged = merge_offers(config, &reply, {});
    ASSERT_EQ(merged.offers.size(), 1u);
    EXPECT_EQ(merged.offers[0].price->nanos, GetParam().nanos);
}
INSTANTIATE_TEST_SUITE_P(
    all, price_test,
    testing::Values(price_case{"none_keeps_the_adapters", {}, 7}, price_case{"of_all", {price("", "", 1)}, 1},
                    price_case{"of_another_site", {price("west", "", 1)}, 7},
                    price_case{"of_another_offer", {price("", "gpu", 1)}, 7},
                    price_case{"site_over_all", {price("", "", 1), price("east", "", 2)}, 2},
                    price_case{"offer_over_site", {price("", "cpu", 3), price("east", "", 2)}, 3},
                    price_case{"both_over_offer", {price("", "cpu", 3), price("east", "cpu", 4)}, 4},
                    price_case{"the_first_among_equals", {price("", "", 1), price("", "", 2)}, 1}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(merge_offers, lays_facts_and_prices_over_the_adapters_offer) {
    auto config = two_sites();
    config.prices = {price("", "", 5)};
    config.prices[0].increment_s = 60;
    config.prices[0].minimum_s = 120;
    config.prices[0].billing_starts = billing_start::allocation;
    config.prices[0].idle_w = 3.5;
    auto reply = reply_of({{"west", "cpu"}});
    reply.offers[0].shape.mode = billing_mode::spot;
    reply.offers[0].shape.max_w = 9;
    const auto merged = merge_offers(config, &reply, {});
    ASSERT_EQ(merged.offers.size(), 1u);
    const offer& got = merged.offers[0];
    EXPECT_EQ(got.id, "p/west/cpu/spot");
    EXPECT_EQ(got.provider, "p");
    EXPECT_EQ(got.site.region, "cn-west");
    EXPECT_EQ(got.as_of, instant{milliseconds(42)});
    EXPECT_EQ(got.price, (unit_price{5, currency::usd}));
    EXPECT_EQ(got.price_source, "file");
    EXPECT_EQ(got.increment_s, 60u);
    EXPECT_EQ(got.minimum_s, 120u);
    EXPECT_EQ(got.billing_starts, billing_start::allocation);
    EXPECT_EQ(got.idle_w, 3.5);
    EXPECT_EQ(got.max_w, 9.0);
}

TEST(merge_offers, what_a_price_does_not_state_stays_as_the_adapter_told_it) {
    auto config = two_sites();
    config.prices = {price("", "", 5)};
    auto reply = reply_of({{"west", "cards"}});
    offer& told = reply.offers[0].shape;
    told.increment_s = 3600;
    told.minimum_s = 7200;
    told.billing_starts = billing_start::allocation;
    told.accelerators = accelerator_facts{.model = "A100", .count = 8, .memory_gib = 80, .scale_out_gb_s = 50};
    offer got = merge_offers(config, &reply, {}).offers.at(0);
    EXPECT_EQ(got.increment_s, 3600u);
    EXPECT_EQ(got.minimum_s, 7200u);
    EXPECT_EQ(got.billing_starts, billing_start::allocation);
    EXPECT_EQ(got.accelerators, told.accelerators);
    config.prices[0].minimum_s = 0;
    config.prices[0].billing_starts = billing_start::run;
    config.prices[0].cards.fp64_tflops = 9.7;
    config.prices[0].cards.scale_up_cards = 16;
    got = merge_offers(config, &reply, {}).offers.at(0);
    EXPECT_EQ(got.increment_s, 3600u);
    EXPECT_EQ(got.minimum_s, 0u);
    EXPECT_EQ(got.billing_starts, billing_start::run);
    EXPECT_EQ(got.accelerators->model, "A100");
    EXPECT_EQ(got.accelerators->fp64_tflops, 9.7);
    EXPECT_EQ(got.accelerators->scale_up_cards, 16u);
    EXPECT_EQ(got.accelerators->scale_out_gb_s, 50);
    told.accelerators.reset();
    EXPECT_FALSE(merge_offers(config, &reply, {}).offers.at(0).accelerators) << "an offer without cards";
}

/// The file's price stands in place of all that the adapter says of prices.
TEST(merge_offers, hours_go_with_the_price_that_they_stand_beside) {
    const price_schedule adapters{0, {{0x7F, 0, 60, 3}}}, files{480, {{0x1F, 60, 120, 4}}};
    auto config = two_sites();
    auto reply = reply_of({{"east", "cpu"}});
    reply.offers[0].shape.schedule = adapters;
    EXPECT_EQ(merge_offers(config, &reply, {}).offers.at(0).schedule, adapters);
    config.prices = {price("", "", 5)};
    EXPECT_TRUE(merge_offers(config, &reply, {}).offers.at(0).schedule.empty());
    config.prices[0].schedule = files;
    EXPECT_EQ(merge_offers(config, &reply, {}).offers.at(0).schedule, files);
}

TEST(merge_offers, drops_unknown_sites_and_repeats_with_a_warning_each) {
    const auto reply = reply_of({{"west", "cpu"}, {"moon", "cpu"}, {"east", "cpu"}, {"west", "cpu"}});
    const auto merged = merge_offers(two_sites(), &reply, {});
    ASSERT_EQ(merged.offers.size(), 2u);
    EXPECT_EQ(merged.offers[0].id, "p/east/cpu/on_demand");
    EXPECT_EQ(merged.offers[1].id, "p/west/cpu/on_demand");
    EXPECT_EQ(merged.warnings.size(), 2u);
}

TEST(merge_offers, adds_the_files_own_offers_as_plan_only) {
    auto config = two_sites();
    offer own;
    own.id = "p/east/gpu/on_demand";
    config.offers = {own};
    const auto merged = merge_offers(config, nullptr, instant{milliseconds(9)});
    ASSERT_EQ(merged.offers.size(), 1u);
    EXPECT_FALSE(merged.offers[0].launchable);
    EXPECT_EQ(merged.offers[0].provider, "p");
    EXPECT_EQ(merged.offers[0].as_of, instant{milliseconds(9)});
}

TEST(merge_offers, the_later_of_what_adapter_and_file_measured_holds) {
    constexpr instant now{milliseconds(100'000)};
    auto config = two_sites();
    config.sites[0].rtt_measured = {{"cn-a", 4, instant(milliseconds(50'000)), 1},
                                    {"cn-b", 7, instant(milliseconds(50'000)), 1}};
    auto reply = reply_of({{"east", "cpu"}});
    reply.rtt_measured = {{"east", {"cn-c", 9, instant(milliseconds(200'000)), 5}},
                          {"east", {"cn-b", 8, instant(milliseconds(60'000)), 5}},
                          {"east", {"cn-a", 5, instant(milliseconds(40'000)), 5}},
                          {"nowhere", {"cn-a", 5, instant(milliseconds(40'000)), 5}}};
    const auto merged = merge_offers(config, &reply, now);
    ASSERT_EQ(merged.offers.size(), 1u);
    EXPECT_EQ(merged.offers[0].site.rtt_measured,
              (std::vector<measured_rtt>{{"cn-a", 4, instant(milliseconds(50'000)), 1},
                                         {"cn-b", 8, instant(milliseconds(60'000)), 5},
                                         {"cn-c", 9, now, 5}}));
}

TEST(unmet_prices, name_what_the_adapter_does_not_have_and_what_may_be_meant) {
    auto config = two_sites();
    config.prices = {price("", "", 1),           price("east", "", 1),           price("", "node-large", 1),
                     price("", "node-lrage", 1), price("east", "node-large", 1), price("", "warehouse", 1)};
    EXPECT_EQ(unmet_prices(config, reply_of({{"west", "node-large"}, {"east", "cpu"}})),
              (std::vector<std::string>{
                  R"(/prices/3/offer: the adapter has no offer "node-lrage"; did you mean "node-large"?)",
                  R"(/prices/4/offer: the adapter has no offer "node-large" at site east)",
                  R"(/prices/5/offer: the adapter has no offer "warehouse")"}));
}

TEST(keep_steady, small_moves_of_what_is_young_change_nothing) {
    auto config = two_sites();
    config.sites[0].rtt_max_age_s = 100;
    const auto at = [](std::int64_t s, double ms) {
        return site_rtt{"east", {"cn-a", ms, instant(seconds(s)), 5}};
    };
    const auto kept = [&](site_rtt before, site_rtt told, std::int64_t now) {
        std::vector<site_rtt> all{std::move(told)};
        keep_steady({std::move(before)}, config, instant(seconds(now)), all);
        return all[0].rtt;
    };
    EXPECT_EQ(kept(at(0, 10), at(20, 11), 20), at(0, 10).rtt) << "1 ms";
    EXPECT_EQ(kept(at(0, 10), at(20, 11.25), 20), at(20, 11.25).rtt);
    EXPECT_EQ(kept(at(0, 100), at(20, 105), 20), at(0, 100).rtt) << "5 %";
    EXPECT_EQ(kept(at(0, 100), at(20, 106), 20), at(20, 106).rtt);
    EXPECT_EQ(kept(at(0, 10), at(50, 10), 50), at(50, 10).rtt) << "half of its age limit";
}

}  // namespace
}  // namespace westerly
