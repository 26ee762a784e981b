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
    EXPECT_EQ(got.idle_w, 3.5);
    EXPECT_EQ(got.max_w, 9.0);
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

}  // namespace
}  // namespace westerly
