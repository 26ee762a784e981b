#include "broker/placement/start_time.hpp"

#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace westerly::laws {
namespace {

constexpr std::uint64_t cases = 120'000;  // of each law
constexpr double slack = 1e-7;            // a prefix sum against a plain one

struct drawn {
    std::vector<signal_interval> intervals;
    signal_curve curve;
    start_window window;
};

/// Times are whole multiples of `grain`, so that trying each of them finds every edge.
constexpr std::int64_t grain = 600'000;

drawn draw(dice& chance) {
    drawn made;
    std::int64_t at = static_cast<std::int64_t>(chance.below(6)) * grain;
    const bool coarse = chance.once_in(2);
    for (auto left = 1 + chance.below(12); left > 0; --left) {
        if (chance.once_in(15))
            at += grain;  // a gap
        const std::int64_t length = coarse ? 6 * grain : grain * static_cast<std::int64_t>(1 + chance.below(9));
        const double value = chance.once_in(5) ? 100.0 : chance.between(0, 900);
        made.intervals.push_back({instant(milliseconds(at)), instant(milliseconds(at + length)), value, true});
        at += length;
    }
    made.curve = signal_curve(made.intervals);
    made.window.earliest_ms = static_cast<std::int64_t>(chance.below(30)) * grain;
    made.window.latest_ms = made.window.earliest_ms + static_cast<std::int64_t>(chance.below(60)) * grain;
    made.window.run_ms = static_cast<std::int64_t>(1 + chance.below(24)) * grain;
    return made;
}

/// ∫ over [from, to) the plain way; nullopt: a part is not covered.
std::optional<double> plain_sum(const drawn& of, std::int64_t from, std::int64_t to) {
    double sum = 0;
    std::int64_t covered = 0;
    for (const auto& piece : of.intervals) {
        const std::int64_t a = std::max(from, piece.start_at.time_since_epoch().count());
        const std::int64_t b = std::min(to, piece.end_at.time_since_epoch().count());
        if (b > a) {
            sum += piece.value * static_cast<double>(b - a) / 3.6e6;
            covered += b - a;
        }
    }
    return covered == to - from ? std::optional(sum) : std::nullopt;
}

TEST(start_time_laws, split_intervals_sum_to_the_whole) {
    dice chance(11);
    for (std::uint64_t n = 0; n < cases; ++n) {
        const drawn of = draw(chance);
        const auto from = static_cast<std::int64_t>(chance.below(90'000'000));
        const auto to = from + static_cast<std::int64_t>(chance.below(90'000'000));
        const auto between = from + static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(to - from + 1)));
        const auto whole = of.curve.integral(from, to);
        const auto first = of.curve.integral(from, between), second = of.curve.integral(between, to);
        ASSERT_NEAR(first.sum + second.sum, whole.sum, 1.0) << n;  // of some 1e10
        ASSERT_EQ(first.covered_ms + second.covered_ms, whole.covered_ms) << n;
        const auto plain = plain_sum(of, from, to);
        ASSERT_NEAR(whole.sum / 3.6e6, plain.value_or(whole.sum / 3.6e6), slack) << n;
    }
}

TEST(start_time_laws, best_start_is_what_trying_all_starts_finds) {
    dice chance(12);
    std::uint64_t waited = 0;
    for (std::uint64_t n = 0; n < cases; ++n) {
        const drawn of = draw(chance);
        const double per_hour = chance.once_in(2) ? 0 : chance.between(0, 200);
        const weighed_curve one{&of.curve, 1.0};
        const start_choice best = best_start({&one, 1}, of.window, per_hour);
        const auto at_once = plain_sum(of, of.window.earliest_ms, of.window.earliest_ms + of.window.run_ms);
        if (!at_once) {
            ASSERT_EQ(best.start_ms, of.window.earliest_ms) << n;
            continue;
        }
        ASSERT_NEAR(best.at_once, *at_once, slack) << n;
        ASSERT_LE(best.sum, best.at_once) << n;
        double least = *at_once;
        for (std::int64_t at = of.window.earliest_ms; at <= of.window.latest_ms; at += grain) {
            const auto sum = plain_sum(of, at, at + of.window.run_ms);
            if (!sum)
                break;  // coverage has ended
            least = std::min(least, *sum + per_hour * static_cast<double>(at - of.window.earliest_ms) / 3.6e6);
        }
        ASSERT_NEAR(best.sum, least, slack + 2 * start_gain_least * *at_once) << n;
        waited += best.start_ms > of.window.earliest_ms;
    }
    EXPECT_GT(waited, cases / 20);
}

TEST(start_time_laws, more_slack_is_never_worse) {
    dice chance(13);
    for (std::uint64_t n = 0; n < cases; ++n) {
        const drawn of = draw(chance);
        const weighed_curve one{&of.curve, 1.0};
        start_window wider = of.window;
        wider.latest_ms += static_cast<std::int64_t>(chance.below(30)) * grain;
        const double per_hour = chance.between(0, 50);
        const auto narrow = best_start({&one, 1}, of.window, per_hour);
        ASSERT_LE(best_start({&one, 1}, wider, per_hour).sum, narrow.sum + slack + start_gain_least * narrow.at_once)
            << n;
    }
}

TEST(start_time_laws, a_flat_factor_never_saves) {
    dice chance(14);
    for (std::uint64_t n = 0; n < cases; ++n) {
        drawn of = draw(chance);
        const double value = chance.between(0, 900);
        for (auto& piece : of.intervals)
            piece.value = value;
        of.curve = signal_curve(of.intervals);
        of.window.earliest_ms += static_cast<std::int64_t>(chance.below(600'000));
        of.window.run_ms += static_cast<std::int64_t>(chance.below(600'000));
        const weighed_curve one{&of.curve, 1.0};
        ASSERT_EQ(best_start({&one, 1}, of.window).start_ms, of.window.earliest_ms) << n;
    }
}

}  // namespace
}  // namespace westerly::laws
