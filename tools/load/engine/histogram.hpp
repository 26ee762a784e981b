#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace westerly {

/// Durations counted in log-linear buckets: exact below 256 ns, then 128 buckets for each doubling, so that a quantile
/// is off by less than 1/128 of itself, whatever its size.
///
/// Range   0 to about 73 min; what is longer counts as that, negative as 0. `max()` and `mean()` are exact.
/// Cost    36 KiB, and a few instructions a value.
class histogram {
public:
    using nanos = std::chrono::nanoseconds;

    void add(nanos value, std::uint64_t times = 1);
    void add(const histogram& other);

    std::uint64_t count() const noexcept { return count_; }
    nanos max() const noexcept { return nanos(max_); }
    double mean_ns() const noexcept;
    /// The least value that at least `share` of all values do not exceed, as the upper end of its bucket; 0 when empty.
    nanos at(double share) const;

private:
    static constexpr unsigned linear_bits = 8, range_bits = 42;
    static constexpr std::uint64_t half = 1u << (linear_bits - 1);

    static std::size_t bucket_of(std::uint64_t value);
    static std::uint64_t upper_end(std::size_t bucket);

    std::array<std::uint64_t, (range_bits - linear_bits + 2) * half> buckets_{};
    std::uint64_t count_ = 0, max_ = 0;
    double sum_ = 0;
};

}  // namespace westerly
