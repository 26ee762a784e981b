#include "broker/placement/sieve.hpp"

#include <gtest/gtest.h>

#include <random>

namespace westerly {
namespace {

/// Columns of random codes and units, around the edges where units just fit.
struct columns {
    std::vector<std::uint32_t> packed, free, total;
};

columns random_columns(std::mt19937_64& random, std::size_t size) {
    constexpr std::uint8_t codes[] = {static_cast<std::uint8_t>(rejection::plan_only),
                                      static_cast<std::uint8_t>(rejection::task_shape), passes, passes, passes};
    constexpr std::uint32_t units[] = {0, 1, 8, packed_units_max};
    constexpr std::uint32_t holds[] = {0, 1, 7, 8, packed_units_max - 1, packed_units_max, 0x80000000, 0xFFFFFFFF};
    columns c;
    for (std::size_t i = 0; i < size; ++i) {
        c.packed.push_back((std::uint32_t{codes[random() % 5]} << 24) | units[random() % 4]);
        c.free.push_back(holds[random() % 8]);
        c.total.push_back(std::max(c.free.back(), holds[random() % 8]));
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
    for (std::uint32_t size = 0; size < 200; ++size) {
        const columns c = random_columns(random, size);
        const sieve by{c.free, c.total, shape_codes};
        for (const std::uint8_t site_code : site_codes)
            for (const std::uint32_t begin : {0u, size / 3}) {
                const sieve_range range{begin, size, c.packed.data() + begin, site_code};
                std::vector<std::uint32_t> fast(size), plain(size);
                std::array<std::uint32_t, 256> fast_counts{}, plain_counts{};
                fast.resize(best_sieve()(by, range, fast.data(), fast_counts));
                plain.resize(sieve_plain(by, range, plain.data(), plain_counts));
                ASSERT_EQ(fast, plain) << size;
                ASSERT_EQ(fast_counts, plain_counts) << size;
            }
    }
}

TEST(sieve, the_first_failing_reason_is_the_least_code) {
    const std::vector<std::uint32_t> packed = {8, (std::uint32_t{passes} << 24) | 8}, free = {1, 1}, total = {8, 7};
    const std::vector<std::uint8_t> shape_codes = {0};
    const sieve by{free, total, shape_codes};
    std::array<std::uint32_t, 256> counts{};
    std::uint32_t out[2];
    EXPECT_EQ(sieve_plain(by, {0, 2, packed.data(), passes}, out, counts), 0u);
    EXPECT_EQ(counts[0], 1u);  // the shape's own code comes before capacity
    EXPECT_EQ(counts[static_cast<std::size_t>(rejection::capacity_never)], 1u);
}

}  // namespace
}  // namespace westerly
