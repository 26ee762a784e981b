#include "broker/domain/wording.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(wording, drops_needless_zeros) {
    EXPECT_EQ(rounded(24, 1), "24");
    EXPECT_EQ(rounded(24.04, 1), "24");
    EXPECT_EQ(rounded(24.06, 1), "24.1");
    EXPECT_EQ(rounded(100, 0), "100");
    EXPECT_EQ(rounded(-0.0004, 3), "0");
    EXPECT_EQ(shortest(0.1), "0.1");
    EXPECT_EQ(shortest(1200), "1200");
}

TEST(wording, what_is_neither_nothing_nor_all_reads_so) {
    EXPECT_EQ(per_cent(0), "0");
    EXPECT_EQ(per_cent(1), "100");
    EXPECT_EQ(per_cent(0.4), "40");
    EXPECT_EQ(per_cent(0.994), "99");
    EXPECT_EQ(per_cent(0.996), "99.6");
    EXPECT_EQ(per_cent(0.9999), "99.99");
    EXPECT_EQ(per_cent(0.9999999), "99.999");
    EXPECT_EQ(per_cent(0.001), "0.1");
    EXPECT_EQ(per_cent(1e-9), "0.001");
}

}  // namespace
}  // namespace westerly
