#include "tools/load/engine/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace westerly {
namespace {

using nanos = std::chrono::nanoseconds;

TEST(histogram_test, an_empty_one_has_no_times) {
    const histogram none;
    EXPECT_EQ(none.count(), 0u);
    EXPECT_EQ(none.at(0.5), nanos(0));
    EXPECT_EQ(none.max(), nanos(0));
    EXPECT_EQ(none.mean_ns(), 0);
}

TEST(histogram_test, every_bucket_holds_its_own_ends) {
    // A quantile is never below the value and less than 1/128 above it, at the edges of every doubling too.
    for (unsigned bits = 0; bits < 42; ++bits)
        for (const std::int64_t off : {-1, 0, 1}) {
            const auto value = (std::int64_t{1} << bits) + off;
            histogram one;
            one.add(nanos(value));
            one.add(std::chrono::hours(1));  // so that the exact maximum does not help
            const auto got = one.at(0.5).count();
            EXPECT_GE(got, value);
            EXPECT_LE(static_cast<double>(got - value), static_cast<double>(value) / 128) << value;
        }
}

TEST(histogram_test, quantiles_are_those_of_the_sorted_values) {
    std::mt19937_64 random(3);
    std::vector<std::int64_t> values;
    histogram all;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(static_cast<std::int64_t>(1) << (random() % 36));
        values.back() += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(values.back()));
        all.add(nanos(values.back()));
    }
    std::ranges::sort(values);
    for (const double share : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(share * 20'000)));
        const auto exact = static_cast<double>(values[rank - 1]);
        EXPECT_GE(static_cast<double>(all.at(share).count()), exact);
        EXPECT_LE(static_cast<double>(all.at(share).count()), exact * (1 + 1.0 / 128));
    }
    EXPECT_EQ(all.max().count(), values.back());
}

TEST(histogram_test, what_is_out_of_range_is_kept_at_its_end) {
    histogram one;
    one.add(nanos(-5));
    one.add(std::chrono::hours(24));
    EXPECT_EQ(one.count(), 2u);
    EXPECT_EQ(one.at(0.5), nanos(0));
    EXPECT_GT(one.at(1.0), std::chrono::hours(1));
    EXPECT_EQ(one.max(), std::chrono::hours(24));
}

TEST(histogram_test, a_sum_of_two_is_as_one) {
    histogram a, b, both;
    for (int i = 0; i < 1'000; ++i) {
        (i % 3 == 0 ? a : b).add(nanos(i * i));
        both.add(nanos(i * i));
    }
    a.add(b);
    EXPECT_EQ(a.count(), both.count());
    EXPECT_EQ(a.max(), both.max());
    EXPECT_EQ(a.mean_ns(), both.mean_ns());
    EXPECT_EQ(a.at(0.7), both.at(0.7));
}

}  // namespace
}  // namespace westerly
