#include "broker/codec/facts_json.hpp"
#include "broker/support/files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

TEST(region_facts, the_shipped_file_reads_and_is_sorted) {
    const auto text = read_file(std::string(WESTERLY_SOURCE_DIR) + "/schema/facts/regions.json", 1 << 20);
    ASSERT_TRUE(text);
    const auto regions = decode_regions(*text);
    ASSERT_TRUE(regions) << regions.error().detail;
    EXPECT_TRUE(std::ranges::is_sorted(*regions, {}, &region_place::region));
    const auto at = std::ranges::find(*regions, "cn-zhongwei", &region_place::region);
    ASSERT_NE(at, regions->end());
    EXPECT_NEAR(at->latitude, 37.5, 0.1);
}

struct bad_facts {
    std::string_view name, regions, pointer;
};

class bad_region_facts : public testing::TestWithParam<bad_facts> {};

TEST_P(bad_region_facts, are_refused_by_pointer) {
    const auto read =
        decode_regions(R"({"description": "d", "source": "s", "regions": )" + std::string(GetParam().regions) + "}");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, errc::invalid);
    ASSERT_FALSE(read.error().faults.empty());
    EXPECT_EQ(read.error().faults[0].pointer, GetParam().pointer);
}

INSTANTIATE_TEST_SUITE_P(
    all, bad_region_facts,
    testing::Values(
        bad_facts{"latitude", R"([{"region":"a","place":"p","latitude":90.5,"longitude":0}])", "/regions/0/latitude"},
        bad_facts{"longitude", R"([{"region":"a","place":"p","latitude":0,"longitude":-181}])", "/regions/0/longitude"},
        bad_facts{"missing", R"([{"region":"a","place":"p","latitude":0}])", "/regions/0/longitude"},
        bad_facts{"unknown", R"([{"region":"a","place":"p","latitude":0,"longitude":0,"x":1}])", "/regions/0/x"},
        bad_facts{
            "twice",
            R"([{"region":"a","place":"p","latitude":0,"longitude":0},{"region":"a","place":"p","latitude":0,"longitude":0}])",
            "/regions/1/region"},
        bad_facts{"none", "[]", "/regions"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace westerly
