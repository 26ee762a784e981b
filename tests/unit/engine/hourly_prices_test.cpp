// Prices that change with the hour: waited for, leased, billed.
#include "broker/placement/fair_use.hpp"
#include "broker/placement/replay.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

constexpr milliseconds hour{3'600'000};
using phase = observation::phase;

/// small_offer at 3.60 CNY an hour; from 02:00 to 04:00 it is half of that. The rig begins at 00:00 UTC.
offer cheap_at_night() {
    offer o = small_offer("p", 10);
    o.schedule.windows = {{.from_min = 120, .to_min = 240, .nanos = 1'800'000'000}};
    return o;
}

workload_spec two_hours(std::uint64_t slack_hours) {
    workload_spec spec = small_spec();
    spec.work.runtime_s = 7200;
    if (slack_hours > 0)
        spec.when.max_delay_s = slack_hours * 3600;
    return spec;
}

struct hourly_prices_test : testing::Test {
    engine_rig rig;
    void SetUp() override {
        rig.add_provider("p", 10);
        rig.give(offers_received{"p", {cheap_at_night()}});
    }
    /// Started where the rig stands, ended after so long.
    void run(const call_provider& call, milliseconds length) {
        rig.answer_call(call, call_outcome::done);
        rig.observe(call.attempt, phase::running, 1);
        rig.pass(length);
        rig.observe(call.attempt, phase::exited, 2);
    }
};

TEST_F(hourly_prices_test, cheap_hours_are_waited_for_and_billed_as_they_ran) {
    const instant asked = rig.now;
    const auto id = rig.submit(two_hours(5));
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "chosen_start");
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("cost less then"), std::string::npos);
    EXPECT_EQ(*rig.stored(id).next_action_at, asked + 2 * hour);
    rig.run_for(hour);
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(hour + hour / 2);
    ASSERT_EQ(rig.stored(id).state, workload_state::launching);
    const auto call = rig.only<call_provider>();
    EXPECT_EQ(rig.stored(call.attempt).terms.schedule, cheap_at_night().schedule);
    // The provider's offer changes meanwhile; what is leased does not.
    rig.give(offers_received{"p", {small_offer("p", 10)}});
    run(call, 2 * hour);  // from 02:30 to 04:30
    ASSERT_EQ(rig.stored(id).state, workload_state::succeeded);
    ASSERT_EQ(rig.store.charges.size(), 1u);
    const charge& paid = rig.store.charges[0];
    EXPECT_EQ(paid.billed_micros, 1'500'000 * 18 / 10 + 500'000 * 36 / 10);
    EXPECT_EQ(paid.list_micros, paid.billed_micros);
    EXPECT_EQ(paid.price.nanos, 2'250'000'000) << "the mean";
    EXPECT_EQ(paid.billed_ms, 7'200'000u);
    EXPECT_EQ(rig.store.usages.size(), 1u);
}

/// The cheaper a start, the later: limits bound the wait, and are met by a start that comes to the last moment.
TEST_F(hourly_prices_test, a_start_that_limits_bound_is_not_late) {
    workload_spec impatient = two_hours(5), due = two_hours(5);
    impatient.when.max_wait_s = 3600 + 1800;
    due.when.deadline_at = rig.now + 3 * hour + hour / 2;
    const instant asked = rig.now;
    const auto waits = rig.submit(impatient), ends = rig.submit(due);
    EXPECT_EQ(*rig.stored(waits).next_action_at, asked + hour + hour / 2);
    EXPECT_EQ(*rig.stored(ends).next_action_at, asked + hour + hour / 2);
    rig.pass(hour + hour / 2 + milliseconds(7));
    rig.run_for(milliseconds(1));
    EXPECT_EQ(rig.stored(waits).state, workload_state::launching);
    EXPECT_EQ(rig.stored(ends).state, workload_state::launching);
}

TEST_F(hourly_prices_test, who_is_about_to_start_is_not_decided_anew) {
    workload_spec spec = two_hours(5);
    spec.when.deadline_at = rig.now + 4 * hour + seconds(61);
    const auto id = rig.submit(spec);
    const instant start = *rig.stored(id).next_action_at;
    rig.run_for(start - rig.now - seconds(30));
    offer changed = cheap_at_night();
    changed.stale_after_s = 1e9;
    rig.give(offers_received{"p", {changed}});
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(*rig.stored(id).next_action_at, start);
    rig.run_for(seconds(31));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(hourly_prices_test, a_wait_counts_from_the_earliest_start) {
    workload_spec spec = two_hours(0);
    spec.when.earliest_start_at = rig.now + hour;
    spec.when.max_wait_s = 0;
    const auto once = rig.submit(spec);
    spec.when.max_wait_s = 1800;
    spec.budget = money{1, currency::cny};
    const auto poor = rig.submit(spec);
    rig.run_for(hour);
    EXPECT_EQ(rig.stored(once).state, workload_state::launching);
    EXPECT_EQ(rig.stored(poor).state, workload_state::queued);
    rig.run_for(hour / 2 + seconds(1));
    EXPECT_EQ(rig.stored(poor).state, workload_state::expired);
}

TEST_F(hourly_prices_test, who_will_not_wait_at_all_is_tried_once) {
    workload_spec spec = two_hours(0);
    spec.when.max_wait_s = 0;
    EXPECT_EQ(rig.stored(rig.submit(spec)).state, workload_state::launching);
    spec.budget = money{1, currency::cny};
    const auto poor = rig.submit(spec);
    rig.run_for(seconds(1));
    EXPECT_EQ(rig.stored(poor).state, workload_state::expired);
}

TEST_F(hourly_prices_test, who_allows_no_delay_starts_at_once) {
    const auto id = rig.submit(two_hours(0));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
    run(rig.only<call_provider>(), 3 * hour);
    EXPECT_EQ(rig.store.charges.at(0).billed_micros, 2 * 3'600'000 + 1'800'000);
}

TEST_F(hourly_prices_test, a_restart_keeps_waiting) {
    const auto id = rig.submit(two_hours(5));
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.give(offers_received{"p", {cheap_at_night()}});
    rig.run_for(hour);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(hour + hour / 4);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(hourly_prices_test, a_budget_reserves_the_hours_of_the_run) {
    workload_spec spec = two_hours(5);
    spec.budget = money{3'600'000, currency::cny};
    const auto id = rig.submit(spec);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "chosen_start") << "at once it would cost 7.20";
    spec.when.max_delay_s.reset();
    const auto at_once = rig.submit(spec);
    EXPECT_EQ(rig.stored(at_once).waiting.front().code, "no_feasible_offer");
    EXPECT_NE(rig.stored(at_once).waiting.front().detail.find("(budget)"), std::string::npos);
}

/// Time alone lifts the limit: nothing is offered anew, and nothing becomes free.
TEST_F(hourly_prices_test, who_finds_it_too_dear_now_is_tried_again_by_the_hour) {
    workload_spec spec = two_hours(0);
    spec.budget = money{5'400'000, currency::cny};  // half of the run at night
    const auto id = rig.submit(spec);
    ASSERT_EQ(rig.stored(id).waiting.front().code, "no_feasible_offer");
    rig.run_for(hour - milliseconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(hour / 4);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(hourly_prices_test, whose_slack_is_over_speaks_for_nobody_else) {
    workload_spec spec = two_hours(1);
    spec.budget = money{4'500'000, currency::cny};  // from 01:30 to 02:30
    const auto early = rig.submit(spec);
    ASSERT_EQ(rig.stored(early).waiting.front().code, "no_feasible_offer") << "01:00 is its last start";
    rig.run_for(hour + hour / 12);
    const auto later = rig.submit(spec);
    EXPECT_EQ(rig.stored(later).waiting.front().code, "chosen_start");
}

/// What a decision saw is enough to make it again: that it waits, and that it starts.
TEST_F(hourly_prices_test, both_decisions_replay_bit_for_bit) {
    random_source random(1);
    const auto spec = std::make_shared<workload_spec>(two_hours(5));
    market_past past;
    past.offers = {{"p", {cheap_at_night()}}};
    past_book book(past, {});
    const auto replayed = [&](const change_set& done) {
        const auto again = book.decide_again(done.decisions.at(0), done.bases.at(0), cheapest_policy(), {}, *spec);
        return again && *again == done.decisions.at(0);
    };
    const instant asked = rig.now;
    const auto waits = rig.core->handle(submit_workload{1, rig.who, spec, "", {}}, rig.now, random).changes;
    ASSERT_TRUE(waits.decisions.at(0).put_off);
    EXPECT_EQ(waits.bases.at(0).of, waits.decisions.at(0).id);
    EXPECT_EQ(waits.bases.at(0).asked_at, asked) << "its slack counts from there";
    EXPECT_TRUE(replayed(waits));
    const auto starts = rig.core->handle(tick{}, asked + 2 * hour, random).changes;
    ASSERT_EQ(starts.attempts_new.size(), 1u);
    EXPECT_FALSE(starts.decisions.at(0).put_off);
    EXPECT_EQ(starts.bases.at(0).asked_at, asked);
    EXPECT_TRUE(replayed(starts));
}

TEST(hourly_prices, turns_count_the_mean_of_the_week) {
    lease terms;
    terms.price = *cheap_at_night().price;
    terms.schedule = cheap_at_night().schedule;
    terms.units = 2;
    EXPECT_EQ(held_micros_per_h(terms), 2 * (22 * 3'600'000 + 2 * 1'800'000) / 24);
}

}  // namespace
