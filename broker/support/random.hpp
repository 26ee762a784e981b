#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>

namespace westerly {

/// Seeded chance for ids and jitter: the same seed gives the same numbers on every machine. Not for secrets
/// (see fill_secure). Not thread-safe; each owner has its own.
class random_source {
public:
    explicit random_source(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t next() { return engine_(); }
    /// In [0, 1).
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

private:
    std::mt19937_64 engine_;
};

/// Bytes from the kernel's generator, for keys and seeds. Throws std::runtime_error when the kernel has none.
void fill_secure(std::span<std::uint8_t> out);
std::uint64_t secure_seed();

}  // namespace westerly
