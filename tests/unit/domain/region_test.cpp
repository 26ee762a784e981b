#include "broker/domain/region.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

std::string meant_by(std::string_view region, std::initializer_list<std::string_view> known) {
    nearest_region nearest(region);
    for (const auto each : known)
        nearest.look_at(each);
    return nearest.found();
}

TEST(nearest_region, is_the_one_with_the_fewest_typos) {
    EXPECT_EQ(meant_by("cn-esat", {"cn-west", "cn-east", "cn-gansu"}), "cn-east") << "neighbours exchanged";
    EXPECT_EQ(meant_by("cn_east", {"cn-east"}), "cn-east") << "one changed";
    EXPECT_EQ(meant_by("cneast", {"cn-east"}), "cn-east") << "one left out";
    EXPECT_EQ(meant_by("cn-eastt", {"cn-east"}), "cn-east") << "one put in";
    EXPECT_EQ(meant_by("cn-ningixa", {"cn-ningxia", "cn-gansu"}), "cn-ningxia");
    EXPECT_EQ(meant_by("cn-fast", {"cn-last", "cn-east"}), "cn-east") << "ties by name";
}

TEST(nearest_region, is_none_where_all_are_far) {
    EXPECT_EQ(meant_by("hall", {"cn-east", "cn-west"}), "");
    EXPECT_EQ(meant_by("cn-xxxt", {"cn-east"}), "") << "three typos";
    EXPECT_EQ(meant_by("ab", {"cd", "abc"}), "") << "of two letters one is half the name";
    EXPECT_EQ(meant_by("us-east-3", {"us-east-1", "us-east-2"}), "") << "another number is another region";
    EXPECT_EQ(meant_by("", {"cn-east"}), "");
}

TEST(knows_region, looks_a_name_up) {
    const region_place places[] = {{"a", 0, 0}, {"c", 0, 0}};
    EXPECT_TRUE(knows_region(places, "a"));
    EXPECT_TRUE(knows_region(places, "c"));
    EXPECT_FALSE(knows_region(places, "b"));
    EXPECT_FALSE(knows_region(places, "d"));
    EXPECT_FALSE(knows_region({}, "a"));
}

}  // namespace
}  // namespace westerly
