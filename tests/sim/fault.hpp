#pragma once

#include "broker/support/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace westerly::sim {

/// What goes wrong. The first ones strike a provider or the way to it, the last five the broker itself.
enum class fault_kind : std::uint8_t {
    drop_call,        // a call never arrives; its outcome is unknown at its deadline
    drop_answer,      // it arrives and acts, and its answer comes too late or never
    delay,            // calls, answers and news take long
    repeat,           // calls, answers, lists and news come twice, or after their deadline
    reorder,          // news overtake each other
    garble,           // news of nothing that makes sense, or a line that ends the adapter
    forget,           // acknowledged work is gone, or the record of how it ended
    reuse_id,         // a new thing gets the provider's id of an old one
    late_list,        // lists of the past
    partial_list,     // lists that miss things and say that they are not whole
    throttle,         // "too many requests"
    run_out,          // capacity that was offered is not there
    preempt,          // runs are taken away, with or without notice
    partition,        // no word gets through, and the provider looks healthy
    adapter_exit,     // the adapter dies and is started again
    deaf,             // a stop is acknowledged and not acted on, a run outlives its limit
    stray,            // a thing of ours runs that nobody launched
    unconfigure,      // the provider's file is taken away and put back
    crash_unsynced,   // kill -9 before the commit: what was not synced is forgotten
    crash_committed,  // … after the commit, before any effect of it
    crash_between,    // … between two effects
    clock_forward,    // the broker's wall clock is set forward
    clock_back        // … or back
};
inline constexpr std::size_t fault_kinds = 23;

inline constexpr std::array<std::string_view, fault_kinds> fault_names = {
    "drop_call",      "drop_answer",     "delay",         "repeat",        "reorder",   "garble",
    "forget",         "reuse_id",        "late_list",     "partial_list",  "throttle",  "run_out",
    "preempt",        "partition",       "adapter_exit",  "deaf",          "stray",     "unconfigure",
    "crash_unsynced", "crash_committed", "crash_between", "clock_forward", "clock_back"};

inline std::string_view to_string(fault_kind kind) {
    return fault_names[static_cast<std::size_t>(kind)];
}
constexpr bool strikes_broker(fault_kind kind) {
    return kind >= fault_kind::crash_unsynced;
}

/// One fault of a history: a kind, where, from when to when, and how often it strikes meanwhile.
struct planned_fault {
    std::size_t number = 0;  // in the plan; its dice follow from it
    fault_kind kind = fault_kind::drop_call;
    std::size_t provider = 0;  // of the plan; without meaning for the broker's own
    milliseconds from{};       // since the beginning
    milliseconds until{};
    double chance = 1;       // per occasion
    std::int64_t param = 0;  // crashes: occasions let pass first; clocks: by how many ms
};
std::string describe(const planned_fault& fault);

}  // namespace westerly::sim
