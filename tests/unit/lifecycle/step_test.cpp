#include "tests/unit/lifecycle/fixtures.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

using phase = observation::phase;

constexpr std::size_t state_count = static_cast<std::size_t>(attempt_state::ended) + 1;
constexpr std::size_t event_count = static_cast<std::size_t>(attempt_event::cancel) + 1;

TEST(step, every_pair_of_state_and_event_follows_the_table_or_changes_nothing) {
    for (std::size_t s = 0; s < state_count; ++s)
        for (std::size_t e = 0; e < event_count; ++e) {
            const attempt current = attempt_in(static_cast<attempt_state>(s));
            const attempt_fact fact{.on = static_cast<attempt_event>(e)};
            const auto* row = find_transition(current.state, fact.on);
            const attempt_step got = step(current, fact, at_s(100));
            SCOPED_TRACE(std::string(to_string(current.state)) + " on " + std::string(to_string(fact.on)));
            EXPECT_FALSE(got.stale);
            EXPECT_EQ(got.legal, row != nullptr);
            if (row == nullptr) {
                EXPECT_EQ(got.next, current);
                EXPECT_FALSE(got.changed);
                EXPECT_EQ(got.then, attempt_effect::none);
            } else {
                EXPECT_EQ(got.next.state, row->to);
                EXPECT_EQ(got.then, row->then);
                EXPECT_EQ(got.next.outcome != attempt_outcome::none, row->to == attempt_state::ended);
                EXPECT_EQ(got.next.ended_at.has_value(), row->to == attempt_state::ended);
            }
        }
}

struct outcome_case {
    std::string_view name;
    attempt_state from;
    bool cancel_wanted;
    attempt_fact fact;
    attempt_outcome outcome;
};

class step_outcome : public testing::TestWithParam<outcome_case> {};

TEST_P(step_outcome, follows_from_the_proof) {
    attempt current = attempt_in(GetParam().from);
    current.cancel_wanted = GetParam().cancel_wanted;
    const attempt_step got = step(current, GetParam().fact, at_s(100));
    EXPECT_TRUE(got.legal && got.changed && !got.stale);
    EXPECT_EQ(got.next.state, attempt_state::ended);
    EXPECT_EQ(got.then, attempt_effect::finish);
    EXPECT_EQ(to_string(got.next.outcome), to_string(GetParam().outcome));
    EXPECT_TRUE(got.next.ended_at);
    EXPECT_EQ(got.next.message.empty(), GetParam().outcome == attempt_outcome::succeeded);
}

attempt_fact exit_with(std::int32_t code, bool timed_out = false, bool preempted = false) {
    observation seen = seen_exit(code);
    seen.timed_out = timed_out;
    seen.preempted = preempted;
    return fact_of(seen);
}

attempt_fact exit_by_signal(std::int32_t signal) {
    observation seen = seen_exit(0);
    seen.exit_code = std::nullopt;
    seen.exit_signal = signal;
    return fact_of(seen);
}

attempt_fact exit_without_start() {
    return fact_of(seen_as(phase::exited));
}

const attempt_fact gone = {.on = attempt_event::proved_absent};
const attempt_fact refused = {.on = attempt_event::refused, .why = adapter_error::no_capacity};
const attempt_fact stop = {.on = attempt_event::cancel};

INSTANTIATE_TEST_SUITE_P(
    all, step_outcome,
    testing::Values(
        outcome_case{"exit_0", attempt_state::running, false, exit_with(0), attempt_outcome::succeeded},
        outcome_case{"exit_1", attempt_state::running, false, exit_with(1), attempt_outcome::failed},
        outcome_case{"signal", attempt_state::running, false, exit_by_signal(9), attempt_outcome::failed},
        outcome_case{"exit_seen_before_any_start", attempt_state::submitting, false, exit_with(0),
                     attempt_outcome::succeeded},
        outcome_case{"exit_after_the_stop", attempt_state::stopping, true, exit_with(143), attempt_outcome::cancelled},
        outcome_case{"signal_after_the_stop", attempt_state::stopping, true, exit_by_signal(15),
                     attempt_outcome::cancelled},
        outcome_case{"exit_0_before_the_stop_took_effect", attempt_state::stopping, true, exit_with(0),
                     attempt_outcome::succeeded},
        outcome_case{"failure_before_any_stop_was_sent", attempt_state::unknown, true, exit_with(1),
                     attempt_outcome::failed},
        outcome_case{"stopped_then_lost_then_seen_ended", attempt_state::lost, true, exit_with(137),
                     attempt_outcome::cancelled},
        outcome_case{"walltime", attempt_state::running, false, exit_with(143, true), attempt_outcome::timed_out},
        outcome_case{"walltime_with_exit_0", attempt_state::running, false, exit_with(0, true),
                     attempt_outcome::timed_out},
        outcome_case{"preempted", attempt_state::running, false, exit_with(143, false, true),
                     attempt_outcome::preempted},
        outcome_case{"ended_in_the_queue", attempt_state::pending, false, exit_without_start(),
                     attempt_outcome::never_started},
        outcome_case{"stopped_in_the_queue", attempt_state::stopping, true, exit_without_start(),
                     attempt_outcome::cancelled},
        outcome_case{"refused", attempt_state::submitting, false, refused, attempt_outcome::never_started},
        outcome_case{"absent_after_no_answer", attempt_state::unknown, false, gone, attempt_outcome::never_started},
        outcome_case{"absent_while_pending", attempt_state::pending, false, gone, attempt_outcome::never_started},
        outcome_case{"absent_after_it_ran", attempt_state::running, false, gone, attempt_outcome::vanished},
        outcome_case{"absent_after_the_stop", attempt_state::stopping, true, gone, attempt_outcome::vanished},
        outcome_case{"cancelled_before_launch", attempt_state::intended, false, stop, attempt_outcome::cancelled}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(step, times_are_the_providers_own) {
    attempt current = attempt_in(attempt_state::pending);
    observation seen = seen_as(phase::running, 1);
    seen.started_at = at_s(42);
    seen.handle = "job-7";
    const attempt running = step(current, fact_of(seen), at_s(60)).next;
    EXPECT_EQ(running.started_at, at_s(42));
    EXPECT_EQ(running.last_seen_at, at_s(60));
    EXPECT_EQ(running.updated_at, at_s(60));
    EXPECT_EQ(running.handle, "job-7");
    const attempt ended = step(running, fact_of(seen_exit(0, 2)), at_s(200)).next;
    EXPECT_EQ(ended.started_at, at_s(20));
    EXPECT_EQ(ended.ended_at, at_s(80));
    EXPECT_EQ(ended.exit_code, 0);
}

TEST(step, without_a_record_the_news_time_is_taken_until_a_record_comes) {
    const attempt running =
        step(attempt_in(attempt_state::pending), fact_of(seen_as(phase::running, 1)), at_s(60)).next;
    EXPECT_EQ(running.started_at, at_s(60));
    EXPECT_EQ(step(running, fact_of(seen_as(phase::running, 2)), at_s(70)).next.started_at, at_s(60));
    observation later = seen_as(phase::exited, 3);
    later.exit_code = 3;
    const attempt ended = step(running, fact_of(later), at_s(90)).next;
    EXPECT_EQ(ended.ended_at, at_s(90));
    EXPECT_EQ(ended.message, "ended with exit code 3");
    later.started_at = at_s(50);
    EXPECT_EQ(step(running, fact_of(later), at_s(90)).next.started_at, at_s(50));
}

TEST(step, an_end_is_never_before_its_start) {
    observation seen = seen_exit(0);
    seen.ended_at = at_s(5);
    const attempt ended = step(attempt_in(attempt_state::running), fact_of(seen), at_s(100)).next;
    EXPECT_EQ(ended.ended_at, ended.started_at);
}

TEST(step, what_vanished_ends_at_its_last_sighting) {
    attempt current = attempt_in(attempt_state::lost);
    current.started_at = at_s(10);
    current.last_seen_at = at_s(300);
    const attempt ended = step(current, gone, at_s(900)).next;
    EXPECT_EQ(ended.outcome, attempt_outcome::vanished);
    EXPECT_EQ(ended.ended_at, at_s(300));
    current.last_seen_at = at_s(5);  // by our clock, before the provider's start
    EXPECT_EQ(step(current, gone, at_s(900)).next.ended_at, at_s(10));
}

TEST(step, a_wish_to_cancel_follows_the_launch_to_its_answer) {
    for (const auto from : {attempt_state::submitting, attempt_state::unknown, attempt_state::lost})
        for (const auto on : {phase::pending, phase::running}) {
            const attempt wanted = step(attempt_in(from), stop, at_s(20)).next;
            EXPECT_EQ(wanted.state, from);
            EXPECT_TRUE(wanted.cancel_wanted);
            const attempt_step got = step(wanted, fact_of(seen_as(on)), at_s(30));
            EXPECT_EQ(got.next.state, attempt_state::stopping) << to_string(from);
            EXPECT_EQ(got.then, attempt_effect::cancel);
            EXPECT_TRUE(got.changed);
            EXPECT_EQ(got.next.started_at.has_value(), on == phase::running);
        }
}

TEST(step, the_launchs_own_answer_releases_the_wish_too) {
    const attempt wanted = step(attempt_in(attempt_state::submitting), stop, at_s(20)).next;
    const attempt_step got =
        step(wanted, fact_of_launch(reply_of(call_outcome::done, adapter_error::none, "h")), at_s(30));
    EXPECT_EQ(got.next.state, attempt_state::stopping);
    EXPECT_EQ(got.then, attempt_effect::cancel);
    EXPECT_EQ(got.next.handle, "h");
}

TEST(step, who_asked_first_for_the_stop_is_kept) {
    const attempt_fact deadline{.on = attempt_event::cancel, .deadline = true};
    const attempt by_broker = step(attempt_in(attempt_state::running), deadline, at_s(20)).next;
    EXPECT_TRUE(by_broker.cancel_wanted && by_broker.deadline_cancel);
    EXPECT_TRUE(step(by_broker, stop, at_s(30)).next.deadline_cancel);
    const attempt by_tenant = step(attempt_in(attempt_state::running), stop, at_s(20)).next;
    const attempt_step again = step(by_tenant, deadline, at_s(30));
    EXPECT_FALSE(again.next.deadline_cancel);
    EXPECT_FALSE(again.changed);
}

TEST(step, why_it_is_displaced_is_kept_to_the_end_and_a_later_wish_changes_nothing) {
    const attempt_fact displaced{.on = attempt_event::cancel, .displaced_for = displacement::preemptor};
    const attempt asked = step(attempt_in(attempt_state::running), displaced, at_s(20)).next;
    EXPECT_EQ(asked.state, attempt_state::stopping);
    EXPECT_EQ(asked.displaced_for, displacement::preemptor);
    EXPECT_FALSE(asked.deadline_cancel);
    const attempt again = step(asked, stop, at_s(30)).next;
    const attempt ended = step(again, fact_of(seen_exit(143, 2)), at_s(90)).next;
    EXPECT_EQ(ended.displaced_for, displacement::preemptor);
    EXPECT_EQ(ended.outcome, attempt_outcome::cancelled);
    EXPECT_NE(ended.message.find("preemptor"), std::string::npos) << ended.message;
    const attempt by_tenant = step(attempt_in(attempt_state::running), stop, at_s(20)).next;
    EXPECT_EQ(step(by_tenant, displaced, at_s(30)).next.displaced_for, displacement::none);
}

TEST(step, anothers_token_or_handle_is_dropped) {
    const attempt current = attempt_in(attempt_state::running);
    observation other = seen_exit(0);
    other.token = launch_token(id_of(2));
    observation empty = seen_exit(0);
    empty.token.clear();
    observation reused = seen_exit(0);
    reused.handle = "h-2";
    for (const auto& seen : {other, empty, reused}) {
        const attempt_step got = step(current, fact_of(seen), at_s(100));
        EXPECT_TRUE(got.stale);
        EXPECT_FALSE(got.changed);
        EXPECT_EQ(got.next, current);
    }
    observation same = seen_exit(0);
    same.handle = "h-1";
    EXPECT_TRUE(step(current, fact_of(same), at_s(100)).changed);
    EXPECT_TRUE(
        step(current, fact_of_launch(reply_of(call_outcome::done, adapter_error::none, "h-2")), at_s(100)).stale);
}

TEST(step, an_older_observation_is_dropped_and_an_equal_one_changes_nothing) {
    observation seen = seen_as(phase::running, 5);
    seen.started_at = at_s(20);
    const attempt running = step(attempt_in(attempt_state::pending), fact_of(seen), at_s(30)).next;
    EXPECT_EQ(running.seen_seq, 5u);

    const attempt_step older = step(running, fact_of(seen_exit(1, 4)), at_s(40));
    EXPECT_TRUE(older.stale);
    EXPECT_EQ(older.next, running);

    const attempt_step equal = step(running, fact_of(seen), at_s(40));
    EXPECT_FALSE(equal.changed || equal.stale);
    EXPECT_TRUE(equal.legal);
    attempt sighted = running;
    sighted.last_seen_at = at_s(40);
    EXPECT_EQ(equal.next, sighted);

    EXPECT_TRUE(step(running, fact_of(seen_exit(1, 6)), at_s(40)).changed);
}

TEST(step, a_later_look_at_the_same_is_kept_and_is_no_news) {
    const attempt running =
        step(attempt_in(attempt_state::pending), fact_of(seen_as(phase::running, 5)), at_s(30)).next;
    const attempt_step again = step(running, fact_of(seen_as(phase::running, 6)), at_s(40));
    EXPECT_TRUE(again.changed) << "so that what is older than the sixth is dropped after a restart, too";
    EXPECT_FALSE(again.news);
    EXPECT_EQ(again.next.seen_seq, 6u);
    EXPECT_EQ(again.next.updated_at, running.updated_at);
    observation told = seen_as(phase::running, 7);
    told.message = "the queue is long";
    EXPECT_TRUE(step(again.next, fact_of(told), at_s(50)).news);
}

TEST(step, an_equal_observation_still_finds_what_was_lost) {
    attempt lost = attempt_in(attempt_state::lost);
    lost.seen_seq = 5;
    EXPECT_EQ(step(lost, fact_of(seen_as(phase::running, 5)), at_s(40)).next.state, attempt_state::running);
}

TEST(step, absence_needs_no_count_but_an_old_one_is_old) {
    attempt running = attempt_in(attempt_state::running);
    running.seen_seq = 5;
    EXPECT_EQ(step(running, fact_of(seen_as(phase::absent, 0)), at_s(40)).next.outcome, attempt_outcome::vanished);
    EXPECT_TRUE(step(running, fact_of(seen_as(phase::absent, 4)), at_s(40)).stale);
}

TEST(step, the_end_told_again_is_stale_and_contradictions_are_illegal) {
    const attempt ended = step(attempt_in(attempt_state::running), fact_of(seen_exit(0, 3)), at_s(100)).next;
    EXPECT_TRUE(step(ended, fact_of(seen_exit(0, 3)), at_s(110)).stale);
    EXPECT_FALSE(step(ended, fact_of(seen_as(phase::running, 4)), at_s(110)).legal);

    attempt vanished = step(attempt_in(attempt_state::running), gone, at_s(100)).next;
    const attempt_step back = step(vanished, fact_of(seen_as(phase::running, 0)), at_s(110));
    EXPECT_FALSE(back.legal);
    EXPECT_EQ(back.next, vanished);
}

TEST(step, a_refusal_proves_nothing_once_the_launch_is_in_doubt) {
    const attempt_step got = step(attempt_in(attempt_state::unknown), refused, at_s(40));
    EXPECT_EQ(got.next.state, attempt_state::unknown);
    EXPECT_EQ(got.then, attempt_effect::find);
}

TEST(step, a_long_message_is_cut_between_characters) {
    attempt_fact fact = gone;
    for (int i = 0; i < 1000; ++i)
        fact.message += "算";
    const attempt ended = step(attempt_in(attempt_state::running), fact, at_s(40)).next;
    EXPECT_EQ(ended.message.size(), 1023u);
    EXPECT_TRUE(is_utf8(ended.message));
}

TEST(facts, phases_become_events) {
    EXPECT_EQ(fact_of(seen_as(phase::pending)).on, attempt_event::accepted);
    EXPECT_EQ(fact_of(seen_as(phase::running)).on, attempt_event::started);
    EXPECT_EQ(fact_of(seen_as(phase::exited)).on, attempt_event::exited);
    EXPECT_EQ(fact_of(seen_as(phase::absent)).on, attempt_event::proved_absent);
}

TEST(facts, answers_become_events) {
    EXPECT_EQ(fact_of_launch(reply_of(call_outcome::done, adapter_error::none, "h")).handle, "h");
    EXPECT_EQ(fact_of_launch(reply_of(call_outcome::done)).on, attempt_event::accepted);
    mutation_reply refusal = reply_of(call_outcome::not_done, adapter_error::invalid);
    refusal.message = "m";
    const attempt_fact no = fact_of_launch(refusal);
    EXPECT_EQ(no.on, attempt_event::refused);
    EXPECT_EQ(no.why, adapter_error::invalid);
    EXPECT_EQ(no.message, "m");
    EXPECT_EQ(fact_of_launch(reply_of(call_outcome::unknown)).on, attempt_event::no_answer);

    EXPECT_EQ(fact_of_cancel(reply_of(call_outcome::done)).on, attempt_event::accepted);
    EXPECT_EQ(fact_of_cancel(reply_of(call_outcome::not_done)).on, attempt_event::refused);
    EXPECT_EQ(fact_of_cancel(reply_of(call_outcome::not_done, adapter_error::not_found)).on, attempt_event::no_answer);
}

TEST(facts, a_cancel_that_is_done_sights_nothing) {
    const attempt stopping = attempt_in(attempt_state::stopping);
    const attempt_step got = step(stopping, fact_of_cancel(reply_of(call_outcome::done)), at_s(500));
    EXPECT_FALSE(got.changed);
    EXPECT_EQ(got.next.last_seen_at, stopping.last_seen_at);
}

}  // namespace
}  // namespace westerly
