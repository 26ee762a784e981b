#include "broker/providers/circuit_breaker.hpp"

#include "broker/providers/line_splitter.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

enum class did : std::uint8_t { ok, failed, trip, trial };
struct breaker_step {
    did what;
    int at_ms;
    circuit_breaker::state then;
};
struct breaker_case {
    const char* name;
    std::vector<breaker_step> steps;
};
constexpr auto closed = circuit_breaker::state::closed;
constexpr auto open = circuit_breaker::state::open;
constexpr auto half_open = circuit_breaker::state::half_open;

class breaker_test : public testing::TestWithParam<breaker_case> {};

TEST_P(breaker_test, follows) {
    circuit_breaker breaker({3, milliseconds(1000), milliseconds(3000), milliseconds(500), milliseconds(10'000)});
    random_source random(1);
    int at = 0;
    for (const auto& step : GetParam().steps) {
        SCOPED_TRACE(at++);
        const steady_time now{milliseconds(step.at_ms)};
        switch (step.what) {
            case did::ok:
                breaker.succeeded();
                break;
            case did::failed:
                breaker.failed(now, random);
                break;
            case did::trip:
                breaker.trip(now, random);
                break;
            case did::trial:
                breaker.begin_trial(now);
                break;
        }
        EXPECT_EQ(breaker.now_in(), step.then);
    }
}

INSTANTIATE_TEST_SUITE_P(
    all, breaker_test,
    testing::Values(
        breaker_case{"opens_at_the_third_failure_in_a_row",
                     {{did::failed, 0, closed}, {did::failed, 1, closed}, {did::failed, 2, open}}},
        breaker_case{"a_success_starts_the_count_anew",
                     {{did::failed, 0, closed},
                      {did::failed, 1, closed},
                      {did::ok, 2, closed},
                      {did::failed, 3, closed},
                      {did::failed, 4, closed},
                      {did::failed, 5, open}}},
        breaker_case{"no_trial_before_half_its_time", {{did::trip, 0, open}, {did::trial, 499, open}}},
        breaker_case{"a_trial_after_its_time", {{did::trip, 0, open}, {did::trial, 1000, half_open}}},
        breaker_case{"a_good_trial_closes",
                     {{did::trip, 0, open}, {did::trial, 1000, half_open}, {did::ok, 1001, closed}}},
        breaker_case{"one_failure_in_half_open_opens_for_longer",
                     {{did::trip, 0, open},
                      {did::trial, 1000, half_open},
                      {did::failed, 1000, open},
                      {did::trial, 1999, open},
                      {did::trial, 3000, half_open}}},
        breaker_case{"the_longest_time_is_bounded",
                     {{did::trip, 0, open},
                      {did::trip, 0, open},
                      {did::trip, 0, open},
                      {did::trip, 0, open},
                      {did::trial, 3000, half_open}}},
        breaker_case{
            "late_answers_to_old_calls_do_not_close_it",
            {{did::trip, 0, open}, {did::ok, 1, open}, {did::failed, 2, open}, {did::trial, 1000, half_open}}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(circuit_breaker, a_rate_limit_holds_back_until_its_time_and_is_bounded) {
    circuit_breaker breaker({3, milliseconds(1000), milliseconds(3000), milliseconds(500), milliseconds(10'000)});
    const steady_time start{seconds(100)};
    EXPECT_FALSE(breaker.throttled_until(start));
    breaker.rate_limited(start, 2);
    EXPECT_EQ(breaker.throttled_until(start), start + seconds(2));
    breaker.rate_limited(start, std::nullopt);  // shorter: the longer one holds
    EXPECT_EQ(breaker.throttled_until(start), start + seconds(2));
    EXPECT_FALSE(breaker.throttled_until(start + seconds(2)));
    breaker.rate_limited(start, 4'000'000'000u);
    EXPECT_EQ(breaker.throttled_until(start), start + seconds(10));
    EXPECT_EQ(breaker.now_in(), closed);
}

TEST(back_off_delay, stays_within_the_upper_half_and_the_most) {
    random_source random(3);
    for (std::uint32_t step = 0; step < 70; ++step) {
        const auto delay = back_off_delay(milliseconds(100), milliseconds(5000), step, random);
        const auto whole = step < 6 ? 100 << step : 5000;
        EXPECT_GE(delay.count(), std::min(whole, 5000) / 2);
        EXPECT_LE(delay.count(), std::min(whole, 5000));
    }
}

TEST(line_splitter, gives_the_same_lines_however_the_bytes_are_cut) {
    random_source random(5);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::string> want;
        std::string bytes;
        for (std::uint64_t i = random.next() % 8; i > 0; --i) {
            want.emplace_back(random.next() % 20, static_cast<char>('a' + i));
            bytes += want.back() + '\n';
        }
        bytes += "rest";
        line_splitter lines(20);
        std::vector<std::string> got;
        for (std::size_t at = 0; at < bytes.size();) {
            const auto size = 1 + random.next() % 9;
            const auto taken = lines.take(std::string_view(bytes).substr(at, size));
            ASSERT_TRUE(taken);
            got.insert(got.end(), taken->begin(), taken->end());
            at += size;
        }
        EXPECT_EQ(got, want);
        EXPECT_EQ(lines.rest(), "rest");
    }
}

TEST(line_splitter, refuses_a_line_one_byte_past_its_limit) {
    line_splitter fits(4);
    EXPECT_TRUE(fits.take("abcd\n"));
    line_splitter ended(4);
    EXPECT_FALSE(ended.take("abcde\n"));
    line_splitter endless(4);
    EXPECT_TRUE(endless.take("abcd"));
    EXPECT_FALSE(endless.take("e"));
}

}  // namespace
}  // namespace westerly
