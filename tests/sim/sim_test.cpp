#include "tests/sim/world.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace {

using westerly::sim::world;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// WESTERLY_SIM_FIRST and WESTERLY_SIM_SEEDS choose which histories; a failing one prints its seed and runs alone with
/// WESTERLY_SIM_FIRST=seed WESTERLY_SIM_SEEDS=1.
TEST(sim, every_history_keeps_the_laws) {
    const auto first = from_environment("WESTERLY_SIM_FIRST", 1);
    const auto seeds = from_environment("WESTERLY_SIM_SEEDS", 500);
    std::map<std::string, std::uint64_t> counted;
    std::uint64_t crashes = 0, compared = 0, steps = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        world history(seed);
        history.run();
        for (const auto& fault : history.faults)
            ADD_FAILURE() << "seed " << seed << ": " << fault;
        if (!history.faults.empty())
            break;
        for (const auto& [what, times] : history.counted)
            if (!what.starts_with("launch of "))
                counted[what] += times;
        crashes += history.crashes;
        compared += history.restarts_compared;
        steps += history.steps;
    }
    for (const auto& [what, times] : counted)
        std::printf("%10llu %s\n", static_cast<unsigned long long>(times), what.c_str());
    std::printf("%10llu steps, %llu crashes, %llu memories compared\n", static_cast<unsigned long long>(steps),
                static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(compared));
    if (seeds < 100)
        return;
    // A simulation in which these never happen proves nothing.
    for (const char* what : {"crash",
                             "strays",
                             "swept",
                             "forgotten",
                             "lost calls",
                             "downs",
                             "launches",
                             "cancels taken",
                             "attempt.unknown",
                             "attempt.lost",
                             "attempt.preemption_noticed",
                             "outcome succeeded",
                             "outcome failed",
                             "outcome cancelled",
                             "outcome preempted",
                             "outcome never_started",
                             "outcome vanished",
                             "ended succeeded",
                             "ended failed",
                             "ended cancelled",
                             "ended expired"})
        EXPECT_GT(counted[what], 0u) << what << " never happened";
}

TEST(sim, the_same_seed_gives_the_same_journal) {
    for (const std::uint64_t seed : {3u, 17u, 40u}) {
        world once(seed), again(seed), other(seed + 1);
        once.run();
        again.run();
        other.run();
        EXPECT_EQ(once.journal, again.journal) << "seed " << seed;
        EXPECT_NE(once.journal, other.journal);
    }
}

}  // namespace
