// Owned reservations come first, at their shadow price; limits are held against what is billed.
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// 720 CNY a month: 1 CNY an hour.
offer owned(const std::string& site) {
    offer o = built::plain(site, 3);
    o.id = "p/" + site + "/n/reserved";
    o.mode = billing_mode::reserved;
    o.supply.owned = true;
    o.supply.fee = reservation_fee{reservation_term::month, {720'000'000, currency::cny}};
    return o;
}

TEST(owned_reservations, are_used_first_while_they_idle) {
    const decision made = built::decide_on({built::plain("a", 0.01), owned("b")}, built::task());
    ASSERT_THAT(built::sites_of(made), ElementsAre("b", "a"));
    EXPECT_EQ(made.ranked[0].price, (unit_price{0, currency::cny}));
    EXPECT_EQ(made.ranked[0].cost_base, 0);
    EXPECT_THAT(explain(made),
                HasSubstr("p/b/n/reserved is reserved and paid for whether it is used or not: it ranks at its shadow "
                          "price, 0.00 CNY a unit-hour; 1.00 CNY a unit-hour of its fee is billed."));
}

TEST(owned_reservations, count_as_what_others_would_give_for_them) {
    offer contended = owned("b");
    contended.supply.shadow_price = unit_price{2'000'000'000, currency::cny};
    EXPECT_THAT(built::sites_of(built::decide_on({built::plain("a", 1.5), contended}, built::task())),
                ElementsAre("a", "b"));
    EXPECT_THAT(built::sites_of(built::decide_on({built::plain("a", 2.5), contended}, built::task())),
                ElementsAre("b", "a"));
}

TEST(owned_reservations, that_are_not_bought_are_never_ranked) {
    offer o = owned("b");
    o.supply.owned = false;
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, built::task())), rejection::not_purchased);
}

TEST(owned_reservations, limits_are_held_against_what_is_billed) {
    workload_spec spec = built::task();
    spec.budget = money{1'000'000, currency::cny};
    EXPECT_EQ(built::decide_on({owned("b")}, spec).ranked.size(), 1u);
    spec.budget = money{999'999, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({owned("b")}, spec)), rejection::budget);
    spec.budget.reset();
    spec.limits.max_price_per_hour = money{1'000'000, currency::cny};
    EXPECT_EQ(built::decide_on({owned("b")}, spec).ranked.size(), 1u);
    spec.limits.max_price_per_hour = money{999'999, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({owned("b")}, spec)), rejection::max_price);
}

TEST(owned_reservations, without_fee_and_price_are_billed_nothing) {
    offer o = owned("b");
    o.price.reset();
    o.supply.fee.reset();
    o.supply.shadow_price = unit_price{2'000'000'000, currency::cny};
    workload_spec spec = built::task();
    spec.budget = money{1'000'000, currency::cny};
    const decision made = built::decide_on({o}, spec);
    ASSERT_EQ(made.ranked.size(), 1u) << "the shadow price is no bill";
    EXPECT_EQ(made.ranked[0].cost_base, 2);
}

TEST(owned_reservations, egress_comes_on_top_of_the_bill) {
    workload_spec spec = built::task();
    spec.inputs = {{1, "a", money{500'000, currency::cny}}};
    spec.budget = money{1'500'000, currency::cny};
    EXPECT_EQ(built::decide_on({owned("b")}, spec).ranked.size(), 1u);
    spec.budget = money{1'499'000, currency::cny};
    EXPECT_EQ(built::only_rejection(built::decide_on({owned("b")}, spec)), rejection::budget);
}

}  // namespace
}  // namespace westerly
