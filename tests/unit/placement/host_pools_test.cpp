// Capacity that several sellers sell of one host counts once.
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

offer sold_by(const std::string& provider, std::uint64_t units, std::uint32_t cards = 1) {
    offer o = built::plain("s");
    o.provider = provider;
    o.id = provider + "/s/n/on_demand";
    o.units_free = units;
    o.accelerators = accelerator_facts{.model = "A100", .count = cards, .memory_gib = 80, .stack = "cuda"};
    o.supply.host = "dc-1";
    return o;
}

struct host_pools : testing::Test {
    void offers(const std::string& provider, const std::vector<offer>& all) { book.replace_provider(provider, all); }
    std::uint64_t free(const std::string& id) { return book.free_units(*book.find(id)); }
    offer_book book;
};

TEST_F(host_pools, what_is_held_through_one_seller_no_other_has) {
    offers("a", {sold_by("a", 8)});
    offers("b", {sold_by("b", 8)});
    EXPECT_EQ(free("b/s/n/on_demand"), 8u);
    book.set_our_live_units("a/s/n/on_demand", 5);
    EXPECT_EQ(free("a/s/n/on_demand"), 3u);
    EXPECT_EQ(free("b/s/n/on_demand"), 3u);
    book.set_our_live_units("a/s/n/on_demand", 0);
    EXPECT_EQ(free("b/s/n/on_demand"), 8u);
}

TEST_F(host_pools, a_seller_that_has_noticed_is_not_held_to_account_twice) {
    offers("a", {sold_by("a", 8)});
    offers("b", {sold_by("b", 8)});
    book.set_our_live_units("a/s/n/on_demand", 5);
    offer noticed = sold_by("a", 3);
    noticed.units_ours = 5;
    offers("a", {noticed});
    offers("b", {sold_by("b", 3)});
    EXPECT_EQ(free("a/s/n/on_demand"), 3u);
    EXPECT_EQ(free("b/s/n/on_demand"), 3u) << "8 - 5, and not 3 - 5";
}

TEST_F(host_pools, units_of_other_sizes_are_counted_in_cards) {
    offers("a", {sold_by("a", 2, 8)});
    offers("b", {sold_by("b", 16, 1)});
    book.set_our_live_units("b/s/n/on_demand", 3);
    EXPECT_EQ(free("a/s/n/on_demand"), 1u) << "13 cards are left: one whole node";
    book.set_our_live_units("a/s/n/on_demand", 1);
    EXPECT_EQ(free("b/s/n/on_demand"), 8u) << "16 cards, 8 held through a; its own 3 its listing will know";
}

TEST_F(host_pools, stated_capacity_bounds_all_of_them) {
    offer a = sold_by("a", 8);
    a.supply.host_units = 12;
    offers("a", {a});
    offers("b", {sold_by("b", 8)});
    book.set_our_live_units("a/s/n/on_demand", 8);
    EXPECT_EQ(free("b/s/n/on_demand"), 4u);
    book.set_our_live_units("b/s/n/on_demand", 3);
    EXPECT_EQ(free("b/s/n/on_demand"), 1u);
}

TEST_F(host_pools, other_hosts_and_other_cards_are_other_pools) {
    offers("a", {sold_by("a", 8)});
    offer elsewhere = sold_by("b", 8);
    elsewhere.supply.host = "dc-2";
    offers("b", {elsewhere});
    offer other_cards = sold_by("c", 8);
    other_cards.accelerators->model = "H100";
    offers("c", {other_cards});
    book.set_our_live_units("a/s/n/on_demand", 8);
    EXPECT_EQ(free("b/s/n/on_demand"), 8u);
    EXPECT_EQ(free("c/s/n/on_demand"), 8u);
}

TEST_F(host_pools, one_seller_alone_is_bounded_by_its_own_word) {
    offer small = sold_by("a", 8);
    small.id = "a/s/m/on_demand";
    offers("a", {sold_by("a", 4), small});
    book.set_our_live_units("a/s/m/on_demand", 8);
    EXPECT_EQ(free("a/s/n/on_demand"), 4u);
}

TEST_F(host_pools, hold_over_refreshes_in_pieces) {
    offers("a", {sold_by("a", 8)});
    offers("b", {sold_by("b", 8)});
    book.set_our_live_units("a/s/n/on_demand", 5);
    const auto piece = [&](const offer& o) {
        const std::vector<offer_list::shared> now{std::make_shared<const offer>(o)};
        book.replace_part(o.provider, now, nullptr, nullptr);
    };
    offer bigger = sold_by("b", 20);
    piece(bigger);
    EXPECT_EQ(free("b/s/n/on_demand"), 15u) << "the host has 20 now";
    offer moved = sold_by("b", 20);
    moved.supply.host = "dc-2";
    piece(moved);
    EXPECT_EQ(free("b/s/n/on_demand"), 20u);
    EXPECT_EQ(free("a/s/n/on_demand"), 3u);
    piece(bigger);
    book.replace_part("a", {}, nullptr, nullptr);
    EXPECT_EQ(free("b/s/n/on_demand"), 20u) << "nobody else sells it any more";
}

TEST_F(host_pools, a_gang_does_not_count_on_cards_that_are_gone) {
    offers("a", {sold_by("a", 8)});
    offers("b", {sold_by("b", 8)});
    book.set_our_live_units("a/s/n/on_demand", 5);
    workload_spec gang = built::task();
    gang.tasks = 4;
    gang.resources.accelerators = {{.model = "A100", .count = 1, .min_memory_gib = 0, .stack = {}}};
    const decision made = decide(book, {}, built_in_terms(), gang, built::world());
    EXPECT_EQ(made.rejections, (std::vector<std::pair<rejection, std::uint32_t>>{{rejection::capacity_now, 2}}));
}

workload_spec gang_of(std::uint32_t tasks) {
    workload_spec gang = built::task();
    gang.tasks = tasks;
    gang.resources.accelerators = {{.model = "A100", .count = 1, .min_memory_gib = 0, .stack = {}}};
    return gang;
}

/// Why a gang of so many cards finds nothing; count_: it does.
rejection why_not(const offer_book& book, std::uint32_t tasks) {
    return built::only_rejection(decide(book, {}, built_in_terms(), gang_of(tasks), built::world()));
}

TEST_F(host_pools, what_the_host_never_has_is_not_waited_for) {
    offer a = sold_by("a", 8);
    a.supply.host_units = 4;
    offers("a", {a});
    EXPECT_EQ(why_not(book, 4), rejection::count_);
    EXPECT_EQ(why_not(book, 5), rejection::capacity_never) << "of 4 in all";
    book.set_our_live_units("a/s/n/on_demand", 1);
    EXPECT_EQ(why_not(book, 4), rejection::capacity_now) << "one of 4 is held";
    EXPECT_EQ(why_not(book, 3), rejection::count_);
    EXPECT_EQ(why_not(book, 8), rejection::capacity_never);
}

TEST_F(host_pools, headroom_counts_against_what_the_host_has) {
    offer a = sold_by("a", 8);
    a.supply.host_units = 4;
    a.supply.latency_headroom = 2;
    offers("a", {a});
    EXPECT_EQ(why_not(book, 2), rejection::count_);
    EXPECT_EQ(why_not(book, 3), rejection::capacity_never) << "3 and 2 of 4";
}

TEST_F(host_pools, a_seller_that_tells_no_units_has_what_the_host_has) {
    offer a = sold_by("a", 0);
    a.units_free.reset();
    a.supply.host_units = 4;
    offers("a", {a});
    EXPECT_EQ(free("a/s/n/on_demand"), 4u);
    EXPECT_EQ(why_not(book, 5), rejection::capacity_never);
}

TEST_F(host_pools, another_sellers_word_on_the_host_holds_for_all_that_can_be_launched) {
    offers("a", {sold_by("a", 8)});
    EXPECT_EQ(why_not(book, 5), rejection::count_);
    offer b = sold_by("b", 1, 2);
    b.supply.host_units = 2;
    offers("b", {b});
    EXPECT_EQ(why_not(book, 5), rejection::capacity_never) << "2 x 2 cards in all";
    offers("b", {});
    EXPECT_EQ(why_not(book, 5), rejection::count_);
}

TEST_F(host_pools, what_is_only_planned_with_is_bounded_by_its_own_word) {
    offer catalogue = sold_by("a", 10);
    catalogue.launchable = false;
    catalogue.supply.host_units = 4;
    offers("a", {catalogue});
    EXPECT_EQ(free("a/s/n/on_demand"), 4u);
    decision_world planning = built::world();
    planning.plan_only_too = true;
    EXPECT_EQ(plan(book, {}, built_in_terms(), gang_of(4), planning).made.ranked.size(), 1u);
    EXPECT_EQ(built::only_rejection(plan(book, {}, built_in_terms(), gang_of(5), planning).made),
              rejection::capacity_never);
    offers("b", {sold_by("b", 8)});
    EXPECT_EQ(free("b/s/n/on_demand"), 8u) << "its word bounds nothing that is launched";
    book.set_our_live_units("b/s/n/on_demand", 3);
    EXPECT_EQ(free("a/s/n/on_demand"), 4u);
}

}  // namespace
}  // namespace westerly
