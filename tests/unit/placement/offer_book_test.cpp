#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

using built::plain;

TEST(offer_book, sorts_by_id_and_counts_versions) {
    offer_book book;
    EXPECT_EQ(book.version(), 0u);
    book.replace_provider("p", {plain("b"), plain("a")});
    EXPECT_EQ(book.version(), 1u);
    ASSERT_EQ(book.size(), 2u);
    EXPECT_EQ(book.at(0).site.site, "a");
    EXPECT_EQ(book.find("p/b/n/on_demand"), 1u);
    EXPECT_EQ(book.find("p/c/n/on_demand"), std::nullopt);
}

TEST(offer_book, replaces_one_provider_only) {
    offer_book book = built::book_of({plain("a"), plain("b")});
    offer other = plain("a");
    other.provider = "q";
    other.id = "q/a/n/on_demand";
    book.replace_provider("q", {other});
    book.replace_provider("p", {plain("c")});
    ASSERT_EQ(book.size(), 2u);
    EXPECT_EQ(book.at(0).site.site, "c");
    EXPECT_EQ(book.at(1).provider, "q");
    book.remove_provider("p");
    EXPECT_EQ(book.size(), 1u);
}

TEST(offer_book, keeps_one_row_for_what_offers_share) {
    offer second = plain("a", 2.0);
    second.id = "p/a/m/on_demand";
    const offer_book book = built::book_of({plain("a"), second, plain("b")});
    EXPECT_EQ(book.sites().size(), 2u);
    EXPECT_EQ(book.shapes().size(), 1u);
    ASSERT_EQ(book.runs().size(), 2u);
    EXPECT_EQ(book.runs()[0].end, 2u);
}

TEST(offer_book, tells_sites_apart_that_differ_in_a_fact_only) {
    offer second = plain("a");
    second.id = "p/a/m/on_demand";
    second.site.pue = built::said(1.3);
    EXPECT_EQ(built::book_of({plain("a"), second}).sites().size(), 2u);
}

struct free_case {
    std::string_view name;
    std::optional<std::uint64_t> units_free;
    std::uint64_t units_ours, our_live, free, total;
};

class free_units_test : public testing::TestWithParam<free_case> {};

TEST_P(free_units_test, counts) {
    offer o = plain("a");
    o.units_free = GetParam().units_free;
    o.units_ours = GetParam().units_ours;
    offer_book book = built::book_of({o});
    book.set_our_live_units(o.id, GetParam().our_live);
    EXPECT_EQ(book.free_units(0), GetParam().free);
    EXPECT_EQ(book.total_units(0), GetParam().total);
    book.replace_provider("p", {o});  // what is ours outlives a refresh
    EXPECT_EQ(book.free_units(0), GetParam().free);
    book.set_our_live_units(o.id, 0);
    EXPECT_EQ(book.free_units(0), GetParam().total);
}

constexpr auto unlimited = offer_book::unlimited;
INSTANTIATE_TEST_SUITE_P(
    all, free_units_test,
    testing::Values(free_case{"nothing_of_ours", 8, 0, 0, 8, 8}, free_case{"launched_but_not_seen_yet", 8, 0, 3, 5, 8},
                    free_case{"seen_by_the_provider_too", 5, 3, 3, 5, 8},
                    free_case{"ended_but_still_counted_there", 5, 3, 0, 8, 8},
                    free_case{"more_ours_than_there_is", 2, 0, 5, 0, 2},
                    free_case{"without_limit", std::nullopt, 0, 7, unlimited, unlimited},
                    free_case{"the_largest_count", unlimited - 1, 5, 0, unlimited - 1, unlimited - 1}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(name_table, numbers_names_once) {
    name_table names;
    const auto a = names.intern("a");
    EXPECT_EQ(names.intern("a"), a);
    EXPECT_NE(names.intern("b"), a);
    EXPECT_EQ(names.name(a), "a");
    EXPECT_EQ(names.find("c"), name_table::absent);
}

}  // namespace
}  // namespace westerly
