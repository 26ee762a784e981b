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

}  // namespace
}  // namespace westerly
