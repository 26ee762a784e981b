#include "tests/sim/week.hpp"

#include "tests/sim/world.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>

namespace westerly::sim {

namespace {

using stopwatch = std::chrono::steady_clock;
using ull = unsigned long long;
using std::chrono::hours;
using std::chrono::minutes;

/// Each provider has two faults a day on average, up to half an hour long; the broker is killed once in some hours.
world_size world_of(const week_size& size) {
    const auto faults = static_cast<std::size_t>(std::max<std::uint64_t>(size.providers * size.hours / 12, 20));
    world_size out;
    out.providers = size.providers;
    out.workloads_min = out.workloads_max = size.workloads;
    out.faults_min = out.faults_max = faults;
    out.faults_last = hours(static_cast<std::int64_t>(size.hours));
    out.asks_last = out.faults_last - minutes(30);
    out.storm = milliseconds(0);
    out.longest_fault = minutes(30);
    out.longest_run = minutes(10);
    out.keeps_ended = minutes(20);
    out.units = 3;
    out.specs = 2'000;
    return out;
}

std::uint64_t resident_mib() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t whole = 0, resident = 0;
    file >> whole >> resident;
    return resident * 4096 >> 20;
}

std::uint64_t peak_mib() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<std::uint64_t>(used.ru_maxrss) >> 10;
}

}  // namespace

int run_week(const week_size& size, std::uint64_t seed) {
    const auto begun = stopwatch::now();
    const auto passed_s = [&] {
        return std::chrono::duration<double>(stopwatch::now() - begun).count();
    };
    plan all = plan_of(seed, world_of(size));
    for (auto& each : all.providers) {  // as an operator of so many would have it
        each.config.poll_s = 30;
        each.config.lost_after_s = 120;
    }
    world history(all);
    history.each_day = [&](milliseconds since) {
        std::printf("hour %4llu: %8zu ended, %6zu live, %10llu steps, %5llu crashes, %5llu MiB, %6.1f s\n",
                    static_cast<ull>(since / hours(1)), history.ended_workloads(), history.live_workloads(),
                    static_cast<ull>(history.steps), static_cast<ull>(history.crashes),
                    static_cast<ull>(resident_mib()), passed_s());
        std::fflush(stdout);
    };
    history.run();
    for (const auto& each : history.faults)
        std::printf("  %s\n", each.c_str());
    for (const auto& [what, times] : history.ends)
        std::printf("%10llu %s\n", static_cast<ull>(times), what.c_str());
    std::printf(
        "%llu virtual hours, %zu providers, %zu workloads, %zu faults, %llu steps, %llu crashes, %llu memories "
        "compared "
        "with a fresh load, at most %llu MiB, journal %016llx: %.1f s\n",
        static_cast<ull>(size.hours), all.providers.size(), all.workloads.size(), all.faults.size(),
        static_cast<ull>(history.steps), static_cast<ull>(history.crashes), static_cast<ull>(history.compared),
        static_cast<ull>(peak_mib()), static_cast<ull>(history.journal), passed_s());
    return history.faults.empty() ? 0 : 1;
}

}  // namespace westerly::sim
