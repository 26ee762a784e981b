#pragma once

#include <cstdint>

namespace westerly::sim {

struct week_size {
    std::uint64_t providers = 100;
    std::uint64_t workloads = 1'000'000;
    std::uint64_t hours = 168;
};

/// One long history: many providers and workloads, and faults as rare as in life, with all laws on. Tells once in each
/// virtual day how far it is, how fast and how large. The exit code of the program.
int run_week(const week_size& size, std::uint64_t seed);

}  // namespace westerly::sim
