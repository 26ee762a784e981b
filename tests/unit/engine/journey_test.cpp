#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

TEST(journey, submit_launch_end_charge) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();

    // Workload, decision, attempt and outbox row came in one change set, the call only as its effect.
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
    const auto call = rig.only<call_provider>();
    EXPECT_EQ(rig.store.outbox.at(call.outbox_seq).attempt, call.attempt);
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::submitting);
    EXPECT_EQ(rig.store.decisions.at(*rig.stored(id).last_decision).ranked.front().offer, "p/s/small/on_demand");
    ASSERT_NE(call.launch, nullptr);
    EXPECT_EQ(call.launch->token, launch_token(call.attempt));
    EXPECT_EQ(call.launch->offer, "small");
    EXPECT_EQ(call.launch->site, "s");

    rig.answer_call(call, call_outcome::done);
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::pending);
    EXPECT_TRUE(rig.store.outbox.empty());
    rig.observe(call.attempt, phase::running, 1);
    EXPECT_EQ(rig.stored(id).state, workload_state::active);
    rig.pass(seconds(90));
    rig.observe(call.attempt, phase::exited, 2);

    EXPECT_EQ(rig.stored(id).state, workload_state::succeeded);
    EXPECT_EQ(rig.stored(id).exit_code, 0);
    EXPECT_EQ(rig.core->find(id), nullptr);
    ASSERT_EQ(rig.store.usages.size(), 1u);
    EXPECT_EQ(rig.store.usages[0].end_at - rig.store.usages[0].start_at, seconds(90));
    EXPECT_EQ(rig.store.usages[0].region, "cn-east");
    ASSERT_EQ(rig.store.charges.size(), 1u);
    EXPECT_EQ(rig.store.charges[0].billed_micros, 90'000);

    const auto logs = rig.only<archive_logs>();
    EXPECT_EQ(rig.store.outbox.size(), 1u);
    rig.give(logs_archived{logs.attempt, logs.outbox_seq, true, ""});
    EXPECT_TRUE(rig.store.outbox.empty());
}

TEST(journey, looks_that_find_nothing_new_are_no_events) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    const auto told = rig.stored(id).revision;
    for (std::uint64_t look = 2; look < 10; ++look) {
        rig.pass(seconds(1));
        rig.observe(call.attempt, phase::running, look);
    }
    EXPECT_EQ(rig.stored(id).revision, told);
    EXPECT_EQ(rig.stored(call.attempt).seen_seq, 9u) << "and yet kept: what is older is of the past";
    rig.observe(call.attempt, phase::exited, 10);
    EXPECT_GT(rig.stored(id).revision, told);
}

TEST(journey, a_refused_launch_is_tried_again_after_a_back_off) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();
    rig.answer_call(rig.only<call_provider>(), call_outcome::not_done, adapter_error::invalid);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "back_off");
    EXPECT_NE(rig.stored(id).waiting.front().detail.find(format_rfc3339(*rig.stored(id).next_action_at)),
              std::string::npos);
    EXPECT_TRUE(rig.store.usages.empty());
    rig.run_for(seconds(60));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
    EXPECT_EQ(rig.stored(id).attempts, 2u);
}

TEST(journey, an_unknown_launch_is_found_running) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::unknown);
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::unknown);
    EXPECT_EQ(rig.store.outbox.size(), 1u);
    rig.run_for(seconds(2));
    rig.found(rig.only<find_attempt>().attempt, rig.seen(call.attempt, phase::running, 1));
    EXPECT_EQ(rig.stored(id).state, workload_state::active);
    EXPECT_TRUE(rig.store.outbox.empty());
    EXPECT_EQ(rig.stored(id).attempts, 1u);
}

TEST(journey, never_a_second_launch_before_the_first_is_proved_dead) {
    engine_rig rig;
    rig.add_provider("p", 2);
    provider_health late;
    late.id = "p";
    late.state = provider_state::ready;
    late.max_visibility_delay_s = 30;
    rig.give(provider_reported{late});
    const auto id = rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::unknown);
    const auto answered_at = rig.now;

    std::size_t finds = 0;
    for (int round = 0; round < 400 && rig.stored(id).attempts == 1; ++round) {
        rig.run_for(milliseconds(500));
        EXPECT_TRUE(rig.all<call_provider>().empty() || rig.now - answered_at >= seconds(30));
        for (const auto& find : rig.all<find_attempt>()) {
            ++finds;
            // A failed find says nothing; one that finds nothing counts only after the visibility delay.
            rig.found(find.attempt, finds % 2 ? std::nullopt : std::optional(rig.seen(call.attempt, phase::absent, 0)));
        }
    }
    EXPECT_EQ(rig.stored(id).attempts, 2u);
    EXPECT_GE(rig.now - answered_at, seconds(30));
    EXPECT_GT(finds, 3u);
    EXPECT_LT(finds, 40u);
    EXPECT_EQ(rig.stored(call.attempt).outcome, attempt_outcome::never_started);
}

TEST(journey, an_open_launch_is_asked_for_after_a_restart_and_not_repeated) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();
    const auto call = rig.only<call_provider>();
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.send_offers("p", 2);
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::unknown);
    rig.run_for(seconds(2));
    EXPECT_TRUE(rig.all<call_provider>().empty());
    ASSERT_FALSE(rig.all<find_attempt>().empty());
    rig.found(call.attempt, rig.seen(call.attempt, phase::absent, 0));
    rig.run_for(seconds(30));
    EXPECT_EQ(rig.stored(id).attempts, 2u);
    EXPECT_EQ(rig.all<call_provider>().size(), 1u);
}

TEST(journey, what_the_provider_forgot_is_metered_to_its_last_sighting_and_tried_again) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    rig.pass(seconds(20));
    rig.observe(call.attempt, phase::running, 2);
    rig.pass(seconds(20));
    listing whole;
    whole.complete = true;
    whole.as_of = rig.now;
    rig.give(provider_listed{"p", whole});
    EXPECT_EQ(rig.stored(call.attempt).outcome, attempt_outcome::vanished);
    ASSERT_EQ(rig.store.usages.size(), 1u);
    EXPECT_EQ(rig.store.usages[0].end_at - rig.store.usages[0].start_at, seconds(20));
    EXPECT_FALSE(rig.store.usages[0].measured);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
}

TEST(journey, an_unseen_run_is_lost_and_found_again) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    rig.run_for(seconds(119));
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::running);
    rig.run_for(seconds(10));
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::lost);
    EXPECT_EQ(rig.stored(id).state, workload_state::active);
    rig.found(call.attempt, rig.seen(call.attempt, phase::running, 1));
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::running);
}

TEST(journey, an_overrun_is_ended_by_the_broker_and_expires) {
    engine_rig rig;
    rig.add_provider("p", 2);
    auto spec = small_spec();
    spec.when.max_runtime_s = 100;
    spec.grace_s = 10;
    const auto id = rig.submit(spec);
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    for (std::uint64_t seq = 2; seq < 20 && rig.stored(call.attempt).state == attempt_state::running; ++seq) {
        rig.run_for(seconds(20));
        if (!rig.all<call_provider>().empty())
            break;
        rig.observe(call.attempt, phase::running, seq);
    }
    const auto stop = rig.only<call_provider>();
    EXPECT_EQ(stop.verb, outbox_verb::cancel);
    EXPECT_EQ(rig.stored(call.attempt).state, attempt_state::stopping);
    rig.observe(call.attempt, phase::exited, 30, 143);
    EXPECT_EQ(rig.stored(id).state, workload_state::expired);
}

}  // namespace
