#include "broker/placement/sieve.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace westerly {
namespace {

/// Columns of random codes, units and prices, around the edges where they just fit.
struct columns {
    sieve_columns shapes;
    std::vector<std::uint32_t> free, total;
    std::vector<double> price;
};

columns random_columns(std::mt19937_64& random, std::size_t size) {
    constexpr std::uint8_t codes[] = {static_cast<std::uint8_t>(rejection::plan_only),
                                      static_cast<std::uint8_t>(rejection::task_shape), passes, passes, passes};
    constexpr std::uint32_t units[] = {0, 1, 8, packed_units_max};
    constexpr std::uint32_t holds[] = {0, 1, 7, 8, packed_units_max - 1, packed_units_max, 0x80000000, 0xFFFFFFFF};
    constexpr double prices[] = {-1, 0, 99, 100, 101, 0x1p53};
    const double caps[] = {-1, 0, 100, 0x1p63, 0x1p63};
    const double costs[] = {0, 0.5, 1, 2, std::nan("")};
    const auto one_of = [&](const auto& values) {
        return values[random() % std::size(values)];
    };
    columns c;
    c.shapes.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
        c.shapes.packed[i] = (std::uint32_t{one_of(codes)} << 24) | one_of(units);
        c.shapes.price_max[i] = one_of(caps);
        c.shapes.cap[i] = std::min(c.shapes.price_max[i], one_of(caps));
        c.shapes.cost_per_nano[i] = one_of(costs);
        c.free.push_back(one_of(holds));
        c.total.push_back(std::max(c.free.back(), one_of(holds)));
        c.price.push_back(one_of(prices));
    }
    return c;
}

TEST(sieve, the_fastest_gives_what_the_plain_one_gives) {
    std::mt19937_64 random(1);
    const std::vector<std::uint8_t> shape_codes = {static_cast<std::uint8_t>(rejection::plan_only),
                                                   static_cast<std::uint8_t>(rejection::task_shape)};
    constexpr std::uint8_t site_codes[] = {passes, static_cast<std::uint8_t>(rejection::region),
                                           static_cast<std::uint8_t>(rejection::task_shape),
                                           static_cast<std::uint8_t>(rejection::rtt)};
    std::size_t kept = 0, passed = 0;
    for (std::uint32_t size = 1; size < 200; ++size) {
        const columns c = random_columns(random, size);
        const sieve by{c.free, c.total, c.price, shape_codes};
        for (const std::uint8_t site_code : site_codes)
            for (const double cost_max : {std::numeric_limits<double>::infinity(), 100.0, 0.0})
                for (const std::uint32_t begin : {0u, size / 3}) {
                    const sieve_range range{begin, size, c.shapes.from(begin), site_code, cost_max};
                    std::vector<std::uint32_t> fast(size), plain(size);
                    std::array<std::uint32_t, 256> fast_counts{}, plain_counts{};
                    const sieved by_fast = best_sieve()(by, range, fast.data(), fast_counts);
                    const sieved by_plain = sieve_plain(by, range, plain.data(), plain_counts);
                    fast.resize(by_fast.kept);
                    plain.resize(by_plain.kept);
                    ASSERT_EQ(fast, plain) << size;
                    ASSERT_EQ(by_fast.passed, by_plain.passed) << size;
                    ASSERT_EQ(fast_counts, plain_counts) << size;
                    kept += by_plain.kept;
                    passed += by_plain.passed;
                }
    }
    EXPECT_GT(kept, 0u);
    EXPECT_GT(passed, kept);  // some were too dear to be asked for
}

TEST(sieve, the_first_failing_reason_is_the_least_code) {
    columns c;
    c.shapes.resize(2);
    c.shapes.packed = {8, (std::uint32_t{passes} << 24) | 8};
    c.free = {1, 1};
    c.total = {8, 7};
    c.price = {-1, -1};
    const std::vector<std::uint8_t> shape_codes = {0};
    const sieve by{c.free, c.total, c.price, shape_codes};
    std::array<std::uint32_t, 256> counts{};
    std::uint32_t out[2];
    EXPECT_EQ(sieve_plain(by, {0, 2, c.shapes.from(0), passes, 0}, out, counts).passed, 0u);
    EXPECT_EQ(counts[0], 1u);  // the shape's own code comes before capacity
    EXPECT_EQ(counts[static_cast<std::size_t>(rejection::capacity_never)], 1u);  // and capacity before the price
}

}  // namespace
}  // namespace westerly
