// What an offer's own word is worth: how old it is, how long its price holds, what runs there, whose capacity it is.
#include "broker/domain/freshness.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

offer aged(const std::string& site, double price, std::int64_t age_s, std::uint32_t stale_after_s = 600) {
    offer o = built::plain(site, price);
    o.as_of = built::now - seconds(age_s);
    o.stale_after_s = stale_after_s;
    return o;
}

TEST(freshness, a_stale_offer_loses_ties_and_says_so) {
    // "a" would win by its id.
    EXPECT_THAT(built::sites_of(built::decide_on({aged("a", 1, 599), aged("b", 1, 0)}, built::task())),
                ElementsAre("a", "b"));
    const decision made = built::decide_on({aged("a", 1, 600), aged("b", 1, 0)}, built::task());
    EXPECT_THAT(built::sites_of(made), ElementsAre("b", "a"));
    EXPECT_THAT(explain(made), Not(HasSubstr("stale")));
    const decision alone = built::decide_on({aged("a", 1, 900)}, built::task());
    EXPECT_THAT(explain(alone),
                HasSubstr("p/a/n/on_demand is stale: its provider last confirmed it 0.2 h ago, and it is "
                          "trusted for 0.2 h."));
}

TEST(freshness, money_counts_before_age) {
    EXPECT_THAT(built::sites_of(built::decide_on({aged("a", 0.99, 900), aged("b", 1, 0)}, built::task())),
                ElementsAre("a", "b"));
}

TEST(freshness, nothing_is_launched_where_nobody_has_confirmed_it_for_ten_times_that) {
    EXPECT_EQ(built::decide_on({aged("a", 1, 5999)}, built::task()).ranked.size(), 1u);
    EXPECT_EQ(built::only_rejection(built::decide_on({aged("a", 1, 6000)}, built::task())), rejection::offer_stale);
    offer listed = aged("a", 1, 60'000);
    listed.launchable = false;
    decision_world plans = built::world();
    plans.plan_only_too = true;
    EXPECT_EQ(built::decide_on({listed}, built::task(), {}, plans).ranked.size(), 1u)
        << "a catalogue launches nothing: its old prices are shown as such";
}

TEST(freshness, what_is_not_dated_is_not_judged_by_its_age) {
    offer o = built::plain("a");
    o.stale_after_s = 1;
    EXPECT_EQ(stale_from(o), instant::max());
    EXPECT_EQ(built::decide_on({o}, built::task()).ranked.size(), 1u);
}

TEST(freshness, a_new_date_brings_it_back) {
    offer_book book = built::book_of({aged("a", 1, 6000)});
    const auto decided = [&] {
        return decide(book, {}, built_in_terms(), built::task(), built::world());
    };
    EXPECT_EQ(built::only_rejection(decided()), rejection::offer_stale);
    const std::vector<offer_list::shared> confirmed{std::make_shared<const offer>(aged("a", 1, 0))};
    const auto made = book.replace_part("p", confirmed, nullptr, nullptr);
    EXPECT_TRUE(made.redated && !made.anything());
    EXPECT_EQ(made.lapsed_at, built::now);
    EXPECT_EQ(decided().ranked.size(), 1u);
    book.date_provider("p", built::now - seconds(6000));
    EXPECT_EQ(built::only_rejection(decided()), rejection::offer_stale);
}

TEST(quotes, end_to_the_moment) {
    offer o = built::plain("a");
    o.supply.price_until = built::now + milliseconds(1);
    const decision made = built::decide_on({o}, built::task());
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_THAT(explain(made), HasSubstr("The price of p/a/n/on_demand is quoted until 2027-01-15T08:00:00.001Z."));
    o.supply.price_until = built::now;
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, built::task())), rejection::quote_expired);
    EXPECT_EQ(built::decide_on({o, built::plain("b", 9)}, built::task()).ranked.size(), 1u) << "others stand";
}

TEST(quotes, many_offers_are_judged_one_by_one_where_one_has_ended) {
    std::vector<offer> many;
    for (int i = 0; i < 100; ++i) {
        offer o = built::plain("a", 2.0 + i);
        o.id = "p/a/n" + std::to_string(1000 + i) + "/on_demand";
        if (i % 2 == 0)
            o.supply.price_until = built::now - seconds(i);
        many.push_back(o);
    }
    const decision made = built::decide_on(many, built::task());
    EXPECT_EQ(made.rejections, (std::vector<std::pair<rejection, std::uint32_t>>{{rejection::quote_expired, 50}}));
    EXPECT_EQ(made.ranked.at(0).offer, "p/a/n1001/on_demand");
}

rejection with_versions(const software_facts& has, const std::string& stack, const std::string& driver) {
    offer o = built::plain("a");
    o.stacks = {"cuda", "none"};
    o.software = has;
    workload_spec spec = built::task();
    spec.variants = {{.stack = "cuda", .command = {"true"}, .env = {}, .files = {}}};
    spec.variants[0].stack_version = stack;
    spec.variants[0].driver_version = driver;
    return built::only_rejection(built::decide_on({o}, spec));
}

TEST(software, versions_have_to_fit_and_unknown_fits_nothing) {
    const software_facts has{{{"cuda", "12.4"}}, "550.54.14"};
    EXPECT_EQ(with_versions(has, ">=12.1,<13", ""), rejection::count_);
    EXPECT_EQ(with_versions(has, ">=12.5", ""), rejection::stack_version);
    EXPECT_EQ(with_versions(has, "", ">=550"), rejection::count_);
    EXPECT_EQ(with_versions(has, "", ">=555"), rejection::stack_version);
    EXPECT_EQ(with_versions({}, ">=0", ""), rejection::stack_version);
    EXPECT_EQ(with_versions({{{"none", "99"}}, ""}, ">=0", ""), rejection::stack_version) << "another stack's";
    EXPECT_EQ(with_versions({}, "", ""), rejection::count_);
}

TEST(software, another_variant_may_fit) {
    offer o = built::plain("a");
    o.stacks = {"cuda", "none"};
    workload_spec spec = built::task();
    spec.variants.push_back({.stack = "cuda", .command = {"true"}, .env = {}, .files = {}});
    spec.variants[1].stack_version = ">=12";
    EXPECT_EQ(built::decide_on({o}, spec).ranked.size(), 1u) << "it runs as plain processes";
    o.stacks = {"cuda"};
    EXPECT_EQ(built::only_rejection(built::decide_on({o}, spec)), rejection::stack_version);
}

}  // namespace
}  // namespace westerly
