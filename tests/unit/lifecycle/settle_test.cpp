#include "tests/unit/lifecycle/fixtures.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace westerly {
namespace {

workload workload_with(retry_rule rule, workload_state state = workload_state::active) {
    auto spec = std::make_shared<workload_spec>();
    spec->retry = std::move(rule);
    workload made;
    made.spec = std::move(spec);
    made.state = state;
    made.cancel_wanted = state == workload_state::stopping;
    made.attempts = 1;
    return made;
}

attempt ended_as(attempt_outcome outcome) {
    attempt made = attempt_in(attempt_state::ended);
    made.outcome = outcome;
    made.message = "why";
    return made;
}

struct settle_case {
    std::string_view name;
    attempt_outcome outcome;
    std::vector<retry_cause> retry_on;
    workload_event on;
    bool counts = true;
};

class settle_rule : public testing::TestWithParam<settle_case> {};

TEST_P(settle_rule, decides) {
    random_source random(1);
    const workload of = workload_with({.attempts_max = 3, .backoff_s = 8, .on = GetParam().retry_on});
    const settlement got = settle(of, ended_as(GetParam().outcome), at_s(100), random);
    EXPECT_EQ(to_string(got.on), to_string(GetParam().on));
    EXPECT_EQ(got.counts, GetParam().counts);
    ASSERT_EQ(got.not_before.has_value(), GetParam().on == workload_event::requeued);
    if (got.not_before) {
        EXPECT_GE(*got.not_before, at_s(104));
        EXPECT_LE(*got.not_before, at_s(108));
    }
}

const std::vector<retry_cause> all_causes = {retry_cause::failed, retry_cause::provider_lost, retry_cause::preempted};

INSTANTIATE_TEST_SUITE_P(
    all, settle_rule,
    testing::Values(
        settle_case{"success_is_success", attempt_outcome::succeeded, all_causes, workload_event::succeeded},
        settle_case{"failure_is_retried_if_asked", attempt_outcome::failed, all_causes, workload_event::requeued},
        settle_case{"failure_ends_by_default", attempt_outcome::failed, retry_rule{}.on, workload_event::failed},
        settle_case{"preemption_is_retried_by_default", attempt_outcome::preempted, retry_rule{}.on,
                    workload_event::requeued},
        settle_case{"preemption_may_be_final", attempt_outcome::preempted, {}, workload_event::failed},
        settle_case{"vanished_is_provider_lost",
                    attempt_outcome::vanished,
                    {retry_cause::provider_lost},
                    workload_event::requeued},
        settle_case{"vanished_is_no_failure_of_the_work",
                    attempt_outcome::vanished,
                    {retry_cause::failed},
                    workload_event::failed},
        settle_case{"walltime_is_never_retried", attempt_outcome::timed_out, all_causes, workload_event::expired},
        settle_case{"never_started_is_tried_again_and_not_counted",
                    attempt_outcome::never_started,
                    {},
                    workload_event::requeued,
                    false},
        settle_case{"a_stop_nobody_owns_up_to_fails", attempt_outcome::cancelled, all_causes, workload_event::failed}),
    [](const auto& info) { return std::string(info.param.name); });

constexpr attempt_outcome outcomes[] = {
    attempt_outcome::succeeded, attempt_outcome::failed,        attempt_outcome::cancelled, attempt_outcome::preempted,
    attempt_outcome::timed_out, attempt_outcome::never_started, attempt_outcome::vanished};

TEST(settle, a_cancelled_workload_ends_cancelled_unless_the_work_was_done) {
    random_source random(2);
    const workload of = workload_with({.on = all_causes}, workload_state::stopping);
    for (const auto outcome : outcomes) {
        const auto on = settle(of, ended_as(outcome), at_s(0), random).on;
        const bool done = outcome == attempt_outcome::succeeded;
        EXPECT_EQ(on, done ? workload_event::succeeded : workload_event::cancelled) << to_string(outcome);
    }
}

TEST(settle, a_deadline_ends_expired_unless_the_work_was_done) {
    random_source random(3);
    for (const auto outcome : outcomes) {
        attempt ended = ended_as(outcome);
        ended.cancel_wanted = ended.deadline_cancel = true;
        const auto on = settle(workload_with({.on = all_causes}), ended, at_s(0), random).on;
        const bool done = outcome == attempt_outcome::succeeded;
        EXPECT_EQ(on, done ? workload_event::succeeded : workload_event::expired) << to_string(outcome);
    }
}

TEST(settle, what_it_says_is_always_legal_for_the_workload) {
    random_source random(4);
    for (const auto state : {workload_state::launching, workload_state::active, workload_state::stopping})
        for (const auto outcome : outcomes)
            for (const bool deadline : {false, true})
                for (const auto& causes : {std::vector<retry_cause>{}, all_causes}) {
                    attempt ended = ended_as(outcome);
                    ended.deadline_cancel = deadline;
                    const auto on = settle(workload_with({.on = causes}, state), ended, at_s(0), random).on;
                    EXPECT_NE(find_transition(state, on), nullptr) << to_string(state) << " " << to_string(on);
                }
}

TEST(settle, the_last_counted_attempt_is_the_last) {
    random_source random(5);
    workload of = workload_with({.attempts_max = 3, .on = all_causes});
    of.attempts_counted = 1;
    EXPECT_EQ(settle(of, ended_as(attempt_outcome::failed), at_s(0), random).on, workload_event::requeued);
    of.attempts_counted = 2;
    const settlement last = settle(of, ended_as(attempt_outcome::failed), at_s(0), random);
    EXPECT_EQ(last.on, workload_event::failed);
    EXPECT_NE(last.message.find("last of 3"), std::string::npos);
    EXPECT_NE(last.message.find("why"), std::string::npos);
}

/// L4: retries end, whatever happens, and never-started launches do not eat the tenant's attempts.
TEST(settle, every_sequence_of_ends_comes_to_an_end) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        random_source random(seed);
        workload of = workload_with({.attempts_max = static_cast<std::uint32_t>(random.next() % 10 + 1),
                                     .backoff_s = static_cast<std::uint32_t>(random.next() % 100),
                                     .on = all_causes});
        of.attempts = 0;
        std::uint32_t started = 0;
        std::uint32_t rounds = 0;
        for (;;) {
            ASSERT_LT(++rounds, never_started_max + of.spec->retry.attempts_max + 1) << "seed " << seed;
            of.attempts += 1;
            const attempt_outcome outcome =
                random.next() % 3 != 0 ? attempt_outcome::never_started : attempt_outcome::vanished;
            const settlement got = settle(of, ended_as(outcome), at_s(0), random);
            EXPECT_EQ(got.counts, outcome == attempt_outcome::vanished);
            of.attempts_counted += got.counts;
            started += outcome == attempt_outcome::vanished;
            if (got.on == workload_event::failed)
                break;
            ASSERT_EQ(got.on, workload_event::requeued);
            EXPECT_LE(*got.not_before, at_s(3600));
            EXPECT_GE(*got.not_before, at_s(0));
        }
        const std::uint32_t never = of.attempts - of.attempts_counted;
        EXPECT_TRUE(started == of.spec->retry.attempts_max || never == never_started_max) << "seed " << seed;
    }
}

TEST(settle, what_is_no_fault_of_the_workloads_is_forgiven_at_once_and_then_after_a_back_off) {
    random_source random(10);
    workload of = workload_with({.attempts_max = 1, .backoff_s = 8});
    const attempt refused = ended_as(attempt_outcome::never_started);
    for (const auto why : {adapter_error::no_capacity, adapter_error::quota_exceeded, adapter_error::unauthorised}) {
        of.attempts_forgiven = 0;
        for (std::uint32_t times = 1; times <= 3 * never_started_max; ++times) {
            of.attempts = times;
            const settlement got = settle(of, refused, at_s(0), random, why);
            ASSERT_EQ(got.on, workload_event::requeued);
            ASSERT_TRUE(got.forgiven);
            ASSERT_FALSE(got.counts);
            ASSERT_EQ(got.not_before.has_value(), times > forgiven_at_once);
            ++of.attempts_forgiven;
        }
    }
    EXPECT_TRUE(settle(of, refused, at_s(0), random, adapter_error::rate_limited).not_before);
    EXPECT_FALSE(settle(of, refused, at_s(0), random, adapter_error::invalid).forgiven);
}

/// A displacement is the broker's doing: it costs the workload neither a try nor time, whatever its rule.
TEST(settle, what_the_broker_displaced_is_placed_anew_at_once_and_does_not_count) {
    random_source random(11);
    for (const auto why : {displacement::better_place, displacement::preemptor, displacement::reclaim})
        for (const auto outcome : outcomes) {
            attempt ended = ended_as(outcome);
            ended.cancel_wanted = true;
            ended.displaced_for = why;
            const settlement got = settle(workload_with({.attempts_max = 1, .on = {}}), ended, at_s(0), random);
            const bool goes_on = outcome != attempt_outcome::succeeded && outcome != attempt_outcome::timed_out;
            EXPECT_EQ(got.displaced, goes_on) << to_string(outcome);
            EXPECT_EQ(got.on == workload_event::requeued, goes_on) << to_string(outcome);
            EXPECT_EQ(got.not_before, std::nullopt);
            EXPECT_EQ(got.counts, !goes_on);
            const workload cancelled = workload_with({}, workload_state::stopping);
            const auto on = settle(cancelled, ended, at_s(0), random).on;
            EXPECT_EQ(on,
                      outcome == attempt_outcome::succeeded ? workload_event::succeeded : workload_event::cancelled);
        }
}

TEST(settle, displaced_attempts_are_no_launches_that_came_to_nothing) {
    random_source random(12);
    workload of = workload_with({.backoff_s = 1});
    of.attempts = never_started_max + 50;
    of.attempts_displaced = 50;
    EXPECT_EQ(settle(of, ended_as(attempt_outcome::never_started), at_s(0), random).on, workload_event::failed);
    of.attempts_displaced = 51;
    EXPECT_EQ(settle(of, ended_as(attempt_outcome::never_started), at_s(0), random).on, workload_event::requeued);
}

TEST(settle, never_started_waits_even_where_the_tenant_asks_for_no_delay) {
    random_source random(6);
    workload of = workload_with({.backoff_s = 0});
    of.attempts = 4;
    const auto got = settle(of, ended_as(attempt_outcome::never_started), at_s(0), random);
    EXPECT_GE(*got.not_before, at_s(4));  // the upper half of 1 s doubled three times
    EXPECT_LE(*got.not_before, at_s(8));
}

TEST(back_off, doubles_from_the_base_stays_in_its_upper_half_and_stops_at_an_hour) {
    random_source random(7);
    for (std::uint32_t failures = 1; failures <= 40; ++failures) {
        const std::int64_t whole_ms = std::min<std::int64_t>(5LL << std::min(failures - 1, 20u), 3600) * 1000;
        for (int i = 0; i < 200; ++i) {
            const auto delay = back_off(5, failures, random).count();
            EXPECT_GE(delay, whole_ms / 2);
            EXPECT_LE(delay, whole_ms);
        }
    }
}

TEST(back_off, extremes_stay_in_range) {
    random_source random(8);
    EXPECT_EQ(back_off(0, 1'000'000, random), milliseconds(0));
    EXPECT_LE(back_off(std::numeric_limits<std::uint32_t>::max(), std::numeric_limits<std::uint32_t>::max(), random),
              std::chrono::hours(1));
    EXPECT_GE(back_off(1, 0, random), milliseconds(500));
    EXPECT_LE(back_off(1, 0, random), seconds(1));
}

TEST(back_off, spreads) {
    random_source random(9);
    EXPECT_NE(back_off(3600, 1, random), back_off(3600, 1, random));
}

}  // namespace
}  // namespace westerly
