#include "broker/domain/owned.hpp"

#include "broker/domain/provider.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(owned, a_fee_is_spread_over_the_hours_of_its_term) {
    // 50 000 CNY a month for 8 cards, as a node of 8: 50 000 / 720 = 69.444444444 an hour, 8.68 a card.
    EXPECT_EQ(amortised({reservation_term::month, {50'000'000'000, currency::cny}}),
              (unit_price{69'444'444'444, currency::cny}));
    // 70 000 CNY: 97.222222222 an hour, 12.15 a card. DGX Cloud, 8 x H100 for 37 000 USD: 51.388888889, 6.42 a card.
    EXPECT_EQ(amortised({reservation_term::month, {70'000'000'000, currency::cny}}),
              (unit_price{97'222'222'222, currency::cny}));
    EXPECT_EQ(amortised({reservation_term::month, {37'000'000'000, currency::usd}}),
              (unit_price{51'388'888'889, currency::usd}));
    EXPECT_EQ(amortised({reservation_term::year, {8'760'000'000, currency::usd}}),
              (unit_price{1'000'000'000, currency::usd}));
    EXPECT_EQ(amortised({reservation_term::month, {0, currency::cny}}).nanos, 0);
}

TEST(owned, is_compared_by_its_shadow_price_and_billed_by_its_fee) {
    offer o;
    o.price = unit_price{9'000'000'000, currency::cny};
    EXPECT_EQ(ranked_price(o), o.price);
    EXPECT_EQ(billed_price(o), o.price);
    o.mode = billing_mode::reserved;
    EXPECT_EQ(ranked_price(o), o.price) << "one that is for sale, and not bought";
    o.supply.owned = true;
    EXPECT_EQ(ranked_price(o), (unit_price{0, currency::cny})) << "it idles otherwise";
    EXPECT_EQ(billed_price(o), o.price) << "no fee is known";
    o.supply.fee = reservation_fee{reservation_term::month, {720'000'000, currency::usd}};
    EXPECT_EQ(ranked_price(o), (unit_price{0, currency::usd}));
    EXPECT_EQ(billed_price(o), (unit_price{1'000'000'000, currency::usd}));
    o.supply.shadow_price = unit_price{5, currency::usd};
    EXPECT_EQ(ranked_price(o), o.supply.shadow_price);
    o.price.reset();
    EXPECT_TRUE(ranked_price(o)) << "what is paid anyway needs no price to be compared by";
}

TEST(freshness, what_is_not_told_follows_from_the_kind) {
    provider_config config;
    config.kind = "local";
    config.offers_refresh_s = 60;
    EXPECT_EQ(stale_after_s(config), 600u);
    config.offers_refresh_s = 5;
    EXPECT_EQ(stale_after_s(config), 300u);
    config.kind = "catalogue";
    EXPECT_EQ(stale_after_s(config), 30u * 86'400);
    config.stale_after_s = 7;
    EXPECT_EQ(stale_after_s(config), 7u);
}

}  // namespace
}  // namespace westerly
