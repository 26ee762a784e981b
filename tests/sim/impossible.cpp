#include "tests/sim/coverage.hpp"

namespace westerly::sim {

namespace {

constexpr fault_set every_kind = (fault_set{1} << fault_kinds) - 1;

struct no_attempt_pair {
    attempt_state from;
    attempt_event on;
    fault_set kinds;
    std::string_view why;
};
struct no_workload_pair {
    workload_state from;
    workload_event on;
    fault_set kinds;
    std::string_view why;
};

using as = attempt_state;
using ae = attempt_event;
using ws = workload_state;
using we = workload_event;

constexpr no_attempt_pair no_attempt_pairs[] = {
    {as::intended, ae::dispatched, every_kind, "an attempt is made and dispatched in one turn: nothing comes between"},
    {as::intended, ae::cancel, every_kind, "an attempt is made and dispatched in one turn: nothing comes between"},
    {as::pending, ae::no_answer, every_kind, "who was seen waits for no answer to its launch any more"},
    {as::running, ae::no_answer, every_kind, "who was seen waits for no answer to its launch any more"},
    {as::lost, ae::no_answer, every_kind, "its launch is answered, and answers to its stop count while stopping only"},
    {as::lost, ae::refused, every_kind, "its launch is answered, and answers to its stop count while stopping only"},
    {as::lost, ae::silent, every_kind, "silence is looked for among those that are not lost yet"},
};
constexpr no_workload_pair no_workload_pairs[] = {
    {ws::queued, we::failed, every_kind, "a workload fails by an attempt, and one that is queued has none"},
    {ws::stopping, we::started, every_kind, "an attempt that starts after a cancel goes straight on to stopping"},
    {ws::stopping, we::cancel, every_kind, "a second cancel changes nothing and is not asked of the table"},
    {ws::stopping, we::failed, every_kind, "what ends after the tenant's cancel is cancelled, or has succeeded"},
    {ws::stopping, we::expired, every_kind, "what ends after the tenant's cancel is cancelled, or has succeeded"},
};

template <class Table, class From, class On>
std::string_view look_up(const Table& table, From from, On on, fault_kind kind) {
    for (const auto& row : table)
        if (row.from == from && row.on == on && (row.kinds & bit(kind)) != 0)
            return row.why;
    return {};
}

}  // namespace

std::string_view impossible(attempt_state from, attempt_event on, fault_kind kind) {
    return look_up(no_attempt_pairs, from, on, kind);
}

std::string_view impossible(workload_state from, workload_event on, fault_kind kind) {
    return look_up(no_workload_pairs, from, on, kind);
}

}  // namespace westerly::sim
