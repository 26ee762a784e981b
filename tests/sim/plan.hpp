#pragma once

#include "broker/domain/provider.hpp"
#include "tests/sim/fault.hpp"

#include <memory>

namespace westerly::sim {

struct planned_workload {
    std::size_t number = 0;
    std::shared_ptr<const workload_spec> spec;
    milliseconds ask_at{};
    std::optional<milliseconds> cancel_after;  // its acknowledgement
    bool repeats = false;                      // asks once more when it was answered
    bool impatient = false;                    // cancels soon after a launch that is unknown or came to nothing
    bool risks = false;                        // gives up what nothing is known of, and lets a second copy run
};

struct planned_provider {
    provider_config config;
    std::uint32_t visibility_s = 0;
    std::int64_t way_ms = 400;  // that a call usually takes at most, and its answer
    milliseconds longest_run{90'000};
    std::optional<milliseconds> keeps_ended;  // its record of what has ended; nullopt: for ever
    std::vector<offer> offers;                // with all units free
};

/// Everything that is decided before a history begins. A history is a function of its plan: the same plan gives the
/// same journal. Leaving out workloads or faults gives a smaller history that is otherwise alike.
struct plan {
    std::uint64_t seed = 0;
    milliseconds calm_at{};  // no fault strikes from here on
    std::vector<planned_provider> providers;
    std::vector<planned_workload> workloads;
    std::vector<planned_fault> faults;
};

struct world_size {
    std::size_t providers = 5;
    std::size_t workloads_min = 100, workloads_max = 110;
    std::size_t faults_min = 32, faults_max = 42;
    milliseconds asks_last{240'000};
    milliseconds faults_last{360'000};
    milliseconds storm{120'000};  // within it begin all faults of the first provider: there they meet; 0: none
    milliseconds longest_fault{150'000};
    milliseconds longest_run{90'000};
    std::optional<milliseconds> keeps_ended{};
    std::uint64_t units = 1;             // times the usual capacity
    std::optional<std::size_t> specs{};  // so many different ones; nullopt: each workload has its own
};

/// The plan of a seed.
plan plan_of(std::uint64_t seed, const world_size& size = {});

/// What is left of a plan, in words: what a minimised failure prints.
std::string describe(const plan& of);

}  // namespace westerly::sim
