#include "tools/westerly/screen/text_width.hpp"

#include "tools/westerly/screen/output.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(columns, count_wide_characters_twice_and_marks_not_at_all) {
    EXPECT_EQ(columns_of(""), 0u);
    EXPECT_EQ(columns_of("plain"), 5u);
    EXPECT_EQ(columns_of("算力中心"), 8u);
    EXPECT_EQ(columns_of("（RTT）"), 7u) << "fullwidth brackets";
    EXPECT_EQ(columns_of("█▓…·é"), 5u) << "blocks, dots and Latin letters are narrow";
    EXPECT_EQ(columns_of("e\u0301"), 1u) << "a combining mark";
    EXPECT_EQ(columns_of("\xff\xe7"), 2u) << "damaged text still has a width";
}

TEST(padding, fills_columns_and_not_bytes) {
    EXPECT_EQ(padded("绿电", 6), "绿电  ");
    EXPECT_EQ(right_aligned("绿电", 6), "  绿电");
    EXPECT_EQ(padded("too long", 3), "too long");
}

TEST(shortening, takes_from_the_middle_and_never_half_a_character) {
    EXPECT_EQ(shortened("west/a/b/on_demand", 18, "…"), "west/a/b/on_demand");
    EXPECT_EQ(shortened("west/a/b/on_demand", 11, "…"), "west/…emand");
    EXPECT_EQ(shortened("west/a/b/on_demand", 11, ".."), "west/..mand");
    EXPECT_EQ(shortened("算力中心", 5, "…"), "算…心");
    EXPECT_EQ(shortened("算力中心", 4, "…"), "算…");
    EXPECT_EQ(shortened("abc", 1, "…"), "…");
}

TEST(tables, line_up_behind_chinese) {
    text_table table({"报价", "N"});
    table.add({"a/b", "1"});
    table.add({"绿电占比", "2"});
    EXPECT_EQ(table.render(false), "报价      N\na/b       1\n绿电占比  2\n");
}

}  // namespace
}  // namespace westerly
