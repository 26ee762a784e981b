#include "broker/domain/transitions.hpp"

#include <gtest/gtest.h>

#include <set>

namespace westerly {
namespace {

constexpr auto attempt_states = static_cast<std::size_t>(attempt_state::ended) + 1;
constexpr auto attempt_events = static_cast<std::size_t>(attempt_event::given_up) + 1;
constexpr auto workload_states = static_cast<std::size_t>(workload_state::expired) + 1;
constexpr auto workload_events = static_cast<std::size_t>(workload_event::given_up) + 1;

TEST(transitions, exactly_the_rows_are_legal) {
    std::size_t legal = 0;
    for (std::size_t s = 0; s < attempt_states; ++s)
        for (std::size_t e = 0; e < attempt_events; ++e)
            legal += find_transition(static_cast<attempt_state>(s), static_cast<attempt_event>(e)) != nullptr;
    EXPECT_EQ(legal, std::size(attempt_transitions));
    legal = 0;
    for (std::size_t s = 0; s < workload_states; ++s)
        for (std::size_t e = 0; e < workload_events; ++e)
            legal += find_transition(static_cast<workload_state>(s), static_cast<workload_event>(e)) != nullptr;
    EXPECT_EQ(legal, std::size(workload_transitions));
}

TEST(transitions, nothing_leaves_a_final_state) {
    for (const auto& row : attempt_transitions)
        EXPECT_TRUE(live(row.from));
    for (const auto& row : workload_transitions)
        EXPECT_FALSE(terminal(row.from));
}

/// L1: a second attempt may follow only where the first is proved over, so only proof may end one.
TEST(transitions, an_attempt_ends_by_proof_alone) {
    for (const auto& row : attempt_transitions) {
        if (row.to != attempt_state::ended)
            continue;
        const bool never_launched = row.from == attempt_state::intended && row.on == attempt_event::cancel;
        const bool first_call_refused = row.from == attempt_state::submitting && row.on == attempt_event::refused;
        const bool seen = row.on == attempt_event::exited || row.on == attempt_event::proved_absent;
        EXPECT_TRUE(never_launched || first_call_refused || seen) << to_string(row.from) << " " << to_string(row.on);
        EXPECT_EQ(row.then, attempt_effect::finish);
    }
}

/// L2: the only way to a launch is from the recorded intent.
TEST(transitions, only_the_intent_launches) {
    for (const auto& row : attempt_transitions) {
        if (row.then != attempt_effect::launch)
            continue;
        EXPECT_EQ(row.from, attempt_state::intended);
        EXPECT_EQ(row.on, attempt_event::dispatched);
    }
}

TEST(transitions, doubt_is_always_looked_into) {
    for (const auto& row : attempt_transitions) {
        const bool doubtful = row.to == attempt_state::unknown || row.to == attempt_state::lost;
        EXPECT_EQ(row.then == attempt_effect::find, doubtful) << to_string(row.from) << " " << to_string(row.on);
    }
}

/// L4: from every state some way leads to an end, and every state can be reached.
template <class Row, class State>
void expect_connected(std::span<const Row> rows, State first, std::size_t states, bool (*is_final)(State)) {
    std::set<State> reached = {first};
    std::set<State> ending;
    for (std::size_t round = 0; round < states; ++round)
        for (const auto& row : rows) {
            if (reached.contains(row.from))
                reached.insert(row.to);
            if (is_final(row.to) || ending.contains(row.to))
                ending.insert(row.from);
        }
    EXPECT_EQ(reached.size(), states);
    for (const auto state : reached)
        EXPECT_TRUE(is_final(state) || ending.contains(state)) << to_string(state);
}

TEST(transitions, every_state_is_reached_and_leads_to_an_end) {
    expect_connected<attempt_transition, attempt_state>(attempt_transitions, attempt_state::intended, attempt_states,
                                                        [](attempt_state s) { return !live(s); });
    expect_connected<workload_transition, workload_state>(workload_transitions, workload_state::queued, workload_states,
                                                          [](workload_state s) { return terminal(s); });
}

TEST(transitions, a_cancelled_workload_is_never_queued_again) {
    for (const auto& row : workload_transitions) {
        const bool stays_stopped = row.to == workload_state::stopping || terminal(row.to);
        EXPECT_TRUE(row.from != workload_state::stopping || stays_stopped) << to_string(row.on);
    }
}

}  // namespace
}  // namespace westerly
