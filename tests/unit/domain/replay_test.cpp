#include "broker/domain/replay.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(compared_decision, differs_by_the_offer_the_start_or_that_nothing_fits) {
    compared_decision one;
    EXPECT_FALSE(one.differs());
    one.before.emplace().offer = "p/a";
    EXPECT_TRUE(one.differs());
    one.after = one.before;
    EXPECT_FALSE(one.differs());
    one.after->start_at += seconds(3600);
    EXPECT_TRUE(one.differs()) << "put off";
    one.after = one.before;
    one.after->offer = "p/b";
    EXPECT_TRUE(one.differs());
}

}  // namespace
}  // namespace westerly
