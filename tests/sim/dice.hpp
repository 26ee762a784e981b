#pragma once

#include "broker/support/time.hpp"

#include <cstdint>
#include <string_view>

namespace westerly::sim {

/// Chance in words. Each actor of a history throws its own dice, so that leaving one out does not change the luck of
/// the others: that is what makes a failing history small. splitmix64, which costs nothing to set up.
class dice {
public:
    dice(std::uint64_t seed, std::uint64_t actor) : seed_(mixed(seed) ^ mixed(actor + 0x5851F42D4C957F2Dull)) {}

    std::uint64_t seed() const { return seed_; }

    std::uint64_t next() { return mixed(seed_ + 0x9E3779B97F4A7C15ull * ++thrown_); }
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    bool one_in(double chance) { return unit() < chance; }
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(unit() * static_cast<double>(high - low + 1));
    }
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
    milliseconds delay(std::int64_t low_ms, std::int64_t high_ms) { return milliseconds(between(low_ms, high_ms)); }

private:
    static std::uint64_t mixed(std::uint64_t x) {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
        return x ^ (x >> 31);
    }
    std::uint64_t seed_;
    std::uint64_t thrown_ = 0;
};

/// FNV-1a: the same on every machine, as std::hash need not be.
inline std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 1469598103934665603ull;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    return hash;
}

}  // namespace westerly::sim
