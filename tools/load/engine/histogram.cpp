#include "tools/load/engine/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace westerly {

std::size_t histogram::bucket_of(std::uint64_t value) {
    value = std::min(value, (std::uint64_t{1} << range_bits) - 1);
    const unsigned bits = std::bit_width(value);
    if (bits <= linear_bits)
        return value;
    const unsigned shift = bits - linear_bits;
    return shift * half + (value >> shift);
}

std::uint64_t histogram::upper_end(std::size_t bucket) {
    if (bucket < 2 * half)
        return bucket;
    const auto shift = bucket / half - 1;
    return ((bucket - shift * half + 1) << shift) - 1;
}

void histogram::add(nanos value, std::uint64_t times) {
    const auto ns = static_cast<std::uint64_t>(std::max<nanos::rep>(0, value.count()));
    buckets_[bucket_of(ns)] += times;
    count_ += times;
    max_ = std::max(max_, times > 0 ? ns : 0);
    sum_ += static_cast<double>(ns) * static_cast<double>(times);
}

void histogram::add(const histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
}

double histogram::mean_ns() const noexcept {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

histogram::nanos histogram::at(double share) const {
    const auto wanted =
        std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1,
                                  std::max<std::uint64_t>(count_, 1));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        if ((seen += buckets_[i]) >= wanted)
            return nanos(std::min(upper_end(i), max_));
    return nanos(0);
}

}  // namespace westerly
