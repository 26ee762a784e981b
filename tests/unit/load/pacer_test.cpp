#include "tools/load/engine/pacer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace westerly {
namespace {

using namespace std::chrono_literals;
using moment = pacer::moment;
constexpr moment begin{100s};

TEST(pacer_test, an_open_loop_keeps_its_starts_whatever_becomes_of_them) {
    pacer paces(10, 1s, 1'000, 10s);
    paces.begin(begin);
    EXPECT_EQ(paces.claim(begin).what, pacer::verdict::go);
    auto next = paces.claim(begin);
    EXPECT_EQ(next.what, pacer::verdict::wait);
    EXPECT_EQ(next.at, begin + 100ms);
    // Nobody was free for 450 ms: four starts are due, at the times at which they should have been.
    for (const auto intended : {100ms, 200ms, 300ms, 400ms}) {
        next = paces.claim(begin + 450ms);
        EXPECT_EQ(next.what, pacer::verdict::go);
        EXPECT_EQ(next.at, begin + intended);
    }
    EXPECT_EQ(paces.claim(begin + 450ms).what, pacer::verdict::wait);
}

TEST(pacer_test, it_ends_with_its_length_or_its_count) {
    pacer by_length(10, 1s, 1'000, 10s), by_count(10, 1s, 3, 10s);
    for (auto* one : {&by_length, &by_count})
        one->begin(begin);
    std::size_t claims = 0;
    while (by_length.claim(begin + 5s).what == pacer::verdict::go)
        ++claims;
    EXPECT_EQ(claims, 10u);
    EXPECT_EQ(by_length.peek(begin + 5s).what, pacer::verdict::over);
    for (claims = 0; by_count.claim(begin + 5s).what == pacer::verdict::go;)
        ++claims;
    EXPECT_EQ(claims, 3u);
}

TEST(pacer_test, what_is_still_behind_after_the_catching_up_is_told) {
    pacer paces(10, 1s, 1'000, 2s);
    paces.begin(begin);
    EXPECT_EQ(paces.claim(begin + 2s).what, pacer::verdict::go);
    EXPECT_EQ(paces.claim(begin + 3s).what, pacer::verdict::over);
    std::vector<moment> unsent;
    paces.each_unsent(begin + 3s, [&](moment at) { unsent.push_back(at); });
    ASSERT_EQ(unsent.size(), 9u);
    EXPECT_EQ(unsent.front(), begin + 100ms);
}

TEST(pacer_test, what_is_stopped_is_not_charged_with_what_was_not_due) {
    pacer paces(10, 60s, 1'000, 10s);
    paces.begin(begin);
    paces.claim(begin);
    paces.stop(begin + 250ms);
    EXPECT_EQ(paces.claim(begin + 260ms).what, pacer::verdict::over);
    std::size_t unsent = 0;
    paces.each_unsent(begin + 1s, [&](moment) { ++unsent; });
    EXPECT_EQ(unsent, 2u);  // at 100 and 200 ms
}

TEST(pacer_test, a_closed_loop_begins_whenever_asked_until_its_end) {
    pacer paces(0, 1s, 3, 10s);
    paces.begin(begin);
    EXPECT_EQ(paces.claim(begin + 10ms).at, begin + 10ms);
    EXPECT_EQ(paces.claim(begin + 999ms).what, pacer::verdict::go);
    EXPECT_EQ(paces.claim(begin + 1s).what, pacer::verdict::over);
    EXPECT_EQ(paces.claim(begin + 900ms).what, pacer::verdict::go);
    EXPECT_EQ(paces.claim(begin + 901ms).what, pacer::verdict::over);  // the count
}

}  // namespace
}  // namespace westerly
