// assign_by_cost() over 10 000 queued workloads and 10 000 capacity-limited offers, one thread. Prints one JSON object
// a line, as every program here does.
//
// The world: offers of 40 kinds at 250 sites, 1 to 16 units free of each, so that somewhat more is wanted than the
// cheap sites have. A workload is a gang of 1 to 8 units of one kind for half an hour to two days; its J is price,
// times gang, times hours, and what the way of its data to the site costs. It lists its 120 best of the 250 sites, and
// as a floor for the others the 121st: the bound is therefore one over all 250.
#include "broker/placement/assign.hpp"
#include "tests/bench/round_bench.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>
#include <string_view>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr std::uint32_t kinds = 40, sites = 250, listed = 120;
constexpr std::size_t workloads = 10'000, runs = 5;
constexpr double target_s = 1, tick_target_ms = 50;

assign_problem make_problem(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto between = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
    };
    assign_problem p;
    std::vector<double> price(std::size_t{kinds} * sites), east(sites), north(sites);
    for (std::uint32_t s = 0; s < sites; ++s) {
        east[s] = between(0, 1);
        north[s] = between(0, 1);
    }
    for (std::uint32_t k = 0; k < kinds; ++k) {
        const double of_kind = std::exp(between(0, 3));  // 1 to 20 money an hour and unit
        for (std::uint32_t s = 0; s < sites; ++s) {
            price[k * sites + s] = of_kind * between(0.7, 1.4);
            p.capacity.push_back(1 + static_cast<std::uint32_t>(random() % 16));
        }
    }
    for (std::size_t j = 0; j < workloads; ++j) {
        const auto kind = static_cast<std::uint32_t>(random() % kinds);
        const std::uint32_t gang = std::array{1u, 1u, 1u, 2u, 2u, 4u, 8u}[random() % 7];
        const double hours = std::exp(between(std::log(0.5), std::log(48)));
        const double x = between(0, 1), y = between(0, 1), data = between(0, 20);
        std::vector<std::pair<double, std::uint32_t>> ways;
        for (std::uint32_t s = 0; s < sites; ++s)
            ways.emplace_back(price[kind * sites + s] * gang * hours + data * std::hypot(east[s] - x, north[s] - y), s);
        std::ranges::sort(ways);
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(p.options.size());
        for (std::uint32_t i = 0; i < listed; ++i)
            p.options.push_back({.pool = kind * sites + ways[i].second, .quantity = gang, .cost = ways[i].first});
        job.options_end = static_cast<std::uint32_t>(p.options.size());
        job.unlisted_floor = ways[listed].first;
        job.refusal = 2 * ways.back().first;
        p.jobs.push_back(job);
    }
    return p;
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

void print(const char* name, double value, const char* unit, double target) {
    std::printf("{\"name\":\"%s\",\"value\":%.4f,\"unit\":\"%s\",\"target\":%.0f,\"met\":%s}\n", name, value, unit,
                target, value <= target ? "true" : "false");
}

}  // namespace

/// Usage: bench_assign [runs, default 5].
int main(int argc, char** argv) {
    std::size_t count = runs;
    if (argc > 1) {
        const std::string_view text = argv[1];
        if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc() || count == 0)
            return std::fputs("usage: bench_assign [runs]\n", stderr), 2;
    }
    const auto cpu_s = [] {
        return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    };
    std::vector<double> seconds;
    for (std::size_t r = 0; r < count; ++r) {
        const assign_problem p = make_problem(r + 1);
        const double cpu_from = cpu_s();
        const auto from = steady::now();
        const assignment made = assign_by_cost(p);
        seconds.push_back(std::chrono::duration<double>(steady::now() - from).count());
        const double busy = cpu_s() - cpu_from;
        if (!feasible(p, made.of))
            return std::fputs("the assignment is not feasible\n", stderr), 1;
        const double floor = uncontended_floor(p);
        const auto refused = std::ranges::count(made.of, nothing, &assigned::option);
        std::fprintf(stderr,
                     "%.3f s (%.3f s of processor): %.4f %% above the bound, %.2f %% of what contention costs, %td "
                     "given nothing\n",
                     seconds.back(), busy, 100 * (made.cost - made.bound.value) / made.bound.value,
                     100 * (made.cost - made.bound.value) / (made.bound.value - floor), refused);
    }
    print("assign_10k_s", median(std::move(seconds)), "s", target_s);
    auto rounds = longest_inputs_ms(count);
    if (rounds.empty())
        return std::fputs("no round was assigned together\n", stderr), 1;
    print("assign_tick_1k_ms", median(std::move(rounds)), "ms", tick_target_ms);
    return 0;
}
