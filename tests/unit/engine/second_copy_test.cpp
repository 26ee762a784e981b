#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

/// A launch that nobody answered, at the one provider "p".
call_provider unanswered(engine_rig& rig, workload_spec spec = small_spec()) {
    rig.add_provider("p", 4);
    rig.submit(std::move(spec));
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::unknown, adapter_error::unavailable);
    return call;
}

result<answer> give_up(engine_rig& rig, const workload_id& id, const attempt_id& which) {
    rig.give(give_up_attempt{77, rig.who, id, which});
    return rig.answered();
}

std::vector<std::string> events_of(const engine_rig& rig, const workload_id& id) {
    std::vector<std::string> types;
    for (const auto& e : rig.store.events)
        if (e.workload == id)
            types.push_back(e.type);
    return types;
}

TEST(second_copy, what_is_not_known_is_explained_until_it_is_known) {
    engine_rig rig;
    const auto call = unanswered(rig);
    const auto id = rig.stored(call.attempt).workload;
    const auto since = rig.now;
    ASSERT_EQ(rig.stored(id).waiting.size(), 1u);
    const auto& why = rig.stored(id).waiting.front();
    EXPECT_EQ(why.code, "outcome_unknown");
    for (const auto& part : {std::string("attempt 1"), std::string("p, site s"), format_rfc3339(since),
                             std::string("nothing is launched in its place"), std::string("--accept-second-copy")})
        EXPECT_NE(why.detail.find(part), std::string::npos) << why.detail;
    EXPECT_EQ(rig.stored(call.attempt).uncertain_since, since);
    rig.run_for(seconds(30));
    rig.found(call.attempt, std::nullopt);
    EXPECT_EQ(rig.stored(call.attempt).uncertain_since, since);

    rig.observe(call.attempt, phase::running, 1);
    EXPECT_TRUE(rig.stored(id).waiting.empty());
    EXPECT_FALSE(rig.stored(call.attempt).uncertain_since);
    rig.run_for(seconds(200));  // unseen past lost_after_s
    EXPECT_EQ(rig.stored(id).waiting.front().code, "attempt_lost");
    EXPECT_EQ(rig.stored(id).state, workload_state::active);
}

TEST(second_copy, only_the_tenants_word_starts_one_and_the_first_is_stopped_and_charged_when_it_turns_up) {
    engine_rig rig;
    const auto first = unanswered(rig);
    const auto id = rig.stored(first.attempt).workload;
    rig.run_for(std::chrono::hours(1));
    EXPECT_EQ(rig.stored(id).attempts, 1u);

    ASSERT_TRUE(give_up(rig, id, first.attempt));
    const auto second = rig.only<call_provider>();
    EXPECT_NE(second.attempt, first.attempt);
    EXPECT_TRUE(rig.stored(first.attempt).given_up_at);
    EXPECT_EQ(rig.stored(first.attempt).state, attempt_state::unknown);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
    EXPECT_EQ(rig.stored(id).attempts_counted, 1u);
    const auto told = std::ranges::find(rig.store.events, "attempt.given_up", &event::type);
    ASSERT_NE(told, rig.store.events.end());
    EXPECT_NE(told->detail.find(to_string(rig.who.key)), std::string::npos);

    rig.answer_call(second, call_outcome::done);
    rig.observe(second.attempt, phase::running, 1);
    rig.observe(first.attempt, phase::running, 1);
    EXPECT_EQ(rig.stored(first.attempt).state, attempt_state::stopping);
    EXPECT_EQ(rig.only<call_provider>().verb, outbox_verb::cancel);
    EXPECT_EQ(rig.stored(id).state, workload_state::active);

    // The second ends first: the ended workload is kept until the first is proved ended, over a restart too.
    rig.pass(seconds(60));
    rig.observe(second.attempt, phase::exited, 2);
    EXPECT_EQ(rig.stored(id).state, workload_state::succeeded);
    EXPECT_EQ(rig.core->live_workloads(), 0u);
    rig.restart();
    rig.report("p", provider_state::ready);
    EXPECT_EQ(rig.core->live_workloads(), 0u);
    EXPECT_FALSE(rig.cancel(id));
    rig.pass(seconds(60));
    rig.observe(first.attempt, phase::exited, 2, 143);
    EXPECT_EQ(rig.stored(first.attempt).outcome, attempt_outcome::cancelled);
    EXPECT_EQ(rig.stored(id).state, workload_state::succeeded);
    EXPECT_EQ(rig.core->find(id), nullptr);
    EXPECT_EQ(rig.store.charges.size(), 2u);
    EXPECT_EQ(events_of(rig, id).back(), "attempt.ended");
}

TEST(second_copy, one_that_proves_absent_costs_nothing) {
    engine_rig rig;
    const auto first = unanswered(rig);
    const auto id = rig.stored(first.attempt).workload;
    ASSERT_TRUE(give_up(rig, id, first.attempt));
    const auto second = rig.only<call_provider>();
    rig.answer_call(second, call_outcome::done);
    rig.run_for(seconds(2));
    rig.found(first.attempt, rig.seen(first.attempt, phase::absent, 0));
    EXPECT_EQ(rig.stored(first.attempt).outcome, attempt_outcome::never_started);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
    EXPECT_TRUE(rig.store.charges.empty());
}

TEST(second_copy, what_is_known_cannot_be_given_up) {
    engine_rig rig;
    const auto call = unanswered(rig);
    const auto id = rig.stored(call.attempt).workload;
    rig.observe(call.attempt, phase::running, 1);
    const auto no = give_up(rig, id, call.attempt);
    ASSERT_FALSE(no);
    EXPECT_EQ(no.error().code, errc::conflict);
    EXPECT_NE(no.error().detail.find("running"), std::string::npos);

    engine_rig other;
    const auto cancelled = unanswered(other);
    const auto wanted = other.stored(cancelled.attempt).workload;
    other.cancel(wanted);
    EXPECT_EQ(give_up(other, wanted, cancelled.attempt).error().code, errc::conflict);
    other.who.tenant = tenant_id{};
    EXPECT_EQ(give_up(other, wanted, cancelled.attempt).error().code, errc::not_found);
}

TEST(second_copy, a_repeat_changes_nothing) {
    engine_rig rig;
    const auto call = unanswered(rig);
    const auto id = rig.stored(call.attempt).workload;
    ASSERT_TRUE(give_up(rig, id, call.attempt));
    const auto attempts = rig.stored(id).attempts;
    ASSERT_TRUE(give_up(rig, id, call.attempt));
    EXPECT_TRUE(rig.all<call_provider>().empty());
    EXPECT_EQ(rig.stored(id).attempts, attempts);
}

TEST(second_copy, the_rule_of_the_workload_chooses_it_when_its_time_is_over) {
    auto spec = small_spec();
    spec.retry.second_copy_after_s = 600;
    spec.retry.attempts_max = 2;
    engine_rig rig;
    const auto first = unanswered(rig, spec);
    const auto id = rig.stored(first.attempt).workload;
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("By its retry rule"), std::string::npos);
    rig.run_for(seconds(595));
    EXPECT_EQ(rig.stored(id).attempts, 1u);
    rig.run_for(seconds(10));
    EXPECT_EQ(rig.stored(id).attempts, 2u);
    EXPECT_TRUE(rig.stored(first.attempt).given_up_at);

    // It is the last that the rule allows: the second, unknown too, is waited for.
    const auto second = *rig.stored(id).current;
    for (const auto& call : rig.all<call_provider>())
        if (call.attempt == second)
            rig.answer_call(call, call_outcome::unknown, adapter_error::unavailable);
    rig.run_for(std::chrono::hours(2));
    EXPECT_EQ(rig.stored(id).attempts, 2u);
}

TEST(second_copy, after_a_restart_the_provider_is_asked_before_the_rule_acts) {
    auto spec = small_spec();
    spec.retry.second_copy_after_s = 60;
    engine_rig rig;
    const auto first = unanswered(rig, spec);
    const auto id = rig.stored(first.attempt).workload;
    rig.pass(std::chrono::hours(1));
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.send_offers("p", 4);
    rig.run_for(seconds(50));
    EXPECT_EQ(rig.stored(id).attempts, 1u);
    rig.run_for(seconds(20));
    EXPECT_EQ(rig.stored(id).attempts, 2u);
}

}  // namespace
