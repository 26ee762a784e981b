#include "tests/sim/coverage.hpp"

#include <optional>

namespace westerly::sim {

namespace {

template <class... Kinds>
constexpr fault_set kinds(Kinds... each) {
    return (bit(each) | ...);
}
using fk = fault_kind;
using as = attempt_state;
using ae = attempt_event;
using ws = workload_state;
using we = workload_event;

constexpr fault_set every_kind = (fault_set{1} << fault_kinds) - 1;
constexpr fault_set end_of_broker = kinds(fk::crash_unsynced, fk::crash_committed, fk::crash_between);
constexpr fault_set end_of_adapter = kinds(fk::adapter_exit, fk::unconfigure);
constexpr fault_set turned_away = kinds(fk::throttle, fk::run_out);
constexpr fault_set needs_a_thing = kinds(fk::garble, fk::forget, fk::reuse_id, fk::preempt, fk::deaf);

constexpr std::string_view one_turn = "an attempt is made and dispatched in one turn: nothing comes between";
constexpr std::string_view nothing_made = "what never arrived or was turned away made nothing that could be seen";
constexpr std::string_view never_refused = "what was refused never existed, so nothing could happen to it";
constexpr std::string_view ends_calls = "when adapter or broker end, the launch under way is unknown at once";
constexpr std::string_view answered = "its launch is answered, and answers to its stop count while stopping only";
constexpr std::string_view late_dies = "an answer past its deadline dies with its adapter and its broker";
constexpr std::string_view after_cancel = "what ends after the tenant's cancel is cancelled, or has succeeded";

/// Without `on`: any event.
struct no_attempt_pair {
    as from;
    std::optional<ae> on;
    fault_set kinds;
    std::string_view why;
};
struct no_workload_pair {
    ws from;
    std::optional<we> on;
    fault_set kinds;
    std::string_view why;
};

constexpr no_attempt_pair no_attempt_pairs[] = {
    {as::intended, {}, every_kind, one_turn},

    {as::submitting, ae::accepted, turned_away | bit(fk::drop_call), nothing_made},
    {as::submitting, ae::started, turned_away | bit(fk::drop_call), nothing_made},
    {as::submitting, ae::exited, turned_away | bit(fk::drop_call), nothing_made},
    {as::submitting, ae::refused, needs_a_thing, never_refused},
    {as::submitting, ae::refused, bit(fk::reorder),
     "nobody asks after a launch that is under way, and it sends no news"},
    {as::submitting, ae::refused, kinds(fk::drop_call, fk::drop_answer), "an answer that is lost refuses nothing"},
    {as::submitting, ae::accepted, end_of_adapter | end_of_broker, ends_calls},
    {as::submitting, ae::started, end_of_adapter | end_of_broker, ends_calls},
    {as::submitting, ae::exited, end_of_adapter | end_of_broker, ends_calls},
    {as::submitting, ae::refused, end_of_adapter | end_of_broker, ends_calls},
    {as::submitting, ae::cancel, end_of_adapter | end_of_broker, ends_calls},

    {as::unknown, ae::accepted, bit(fk::run_out), nothing_made},
    {as::unknown, ae::started, bit(fk::run_out), nothing_made},
    {as::unknown, ae::exited, bit(fk::run_out), nothing_made},
    {as::unknown, ae::no_answer, every_kind, "a call has no answer once; what comes past its deadline is an answer"},
    {as::unknown, ae::refused, needs_a_thing, never_refused},
    {as::unknown, ae::refused, end_of_adapter | end_of_broker, late_dies},

    {as::pending, {}, bit(fk::run_out), nothing_made},
    {as::pending, ae::no_answer, every_kind, "who was seen waits for no answer to its launch any more"},
    {as::running, {}, bit(fk::run_out), nothing_made},
    {as::running, ae::no_answer, every_kind, "who was seen waits for no answer to its launch any more"},
    {as::stopping, {}, bit(fk::run_out), nothing_made},
    {as::lost, {}, bit(fk::run_out), nothing_made},
    {as::lost, ae::no_answer, every_kind, answered},
    {as::lost, ae::refused, every_kind, answered},
    {as::lost, ae::silent, every_kind, "silence is looked for among those that are not lost yet"},
};
constexpr no_workload_pair no_workload_pairs[] = {
    {ws::queued, we::failed, every_kind, "a workload fails by an attempt, and one that is queued has none"},
    {ws::stopping, we::started, every_kind, "an attempt that starts after a cancel goes straight on to stopping"},
    {ws::stopping, we::cancel, every_kind, "a second cancel changes nothing and is not asked of the table"},
    {ws::stopping, we::failed, every_kind, after_cancel},
    {ws::stopping, we::expired, every_kind, after_cancel},
};

template <class Table, class From, class On>
std::string_view look_up(const Table& table, From from, On on, fault_kind kind) {
    for (const auto& row : table)
        if (row.from == from && (!row.on || *row.on == on) && (row.kinds & bit(kind)) != 0)
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
