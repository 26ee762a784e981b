#include "broker/runtime/step_watch.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(step_watch, tells_when_the_wall_clock_was_set_and_by_how_much) {
    step_watch tested;
    instant wall{std::chrono::hours(1000)};
    step_watch::steady::time_point measured{std::chrono::hours(1)};
    const auto pass = [&](milliseconds time, milliseconds set = milliseconds(0)) {
        wall += time + set;
        measured += time;
        return tested.look(wall, measured);
    };
    EXPECT_FALSE(pass(seconds(0)));
    EXPECT_FALSE(pass(std::chrono::hours(5)));
    EXPECT_FALSE(pass(seconds(1), milliseconds(99)));
    EXPECT_EQ(pass(seconds(1), milliseconds(100)), milliseconds(100));
    EXPECT_FALSE(pass(seconds(1)));
    EXPECT_EQ(pass(seconds(0), -std::chrono::hours(2)), -std::chrono::hours(2));
    EXPECT_FALSE(pass(seconds(1)));
}

}  // namespace
}  // namespace westerly
