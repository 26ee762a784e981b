#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

errc code_of(const result<answer>& said) {
    return said ? errc{} : said.error().code;
}

TEST(admission, an_unknown_policy_is_named_with_the_known_ones) {
    engine_rig rig;
    auto spec = small_spec();
    spec.policy = "cheapset";
    const auto said = rig.ask_submit(spec);
    ASSERT_EQ(code_of(said), errc::invalid);
    ASSERT_EQ(said.error().faults.size(), 1u);
    EXPECT_EQ(said.error().faults[0].pointer, "/policy");
    EXPECT_EQ(said.error().faults[0].remedy, "Use one of: cheapest.");
    EXPECT_TRUE(rig.store.workloads.empty());
}

TEST(admission, a_deadline_in_the_past_is_refused) {
    engine_rig rig;
    auto spec = small_spec();
    spec.when.deadline_at = rig.now;
    EXPECT_EQ(code_of(rig.ask_submit(spec)), errc::invalid);
    spec.when.deadline_at = rig.now + milliseconds(1);
    EXPECT_TRUE(rig.ask_submit(spec).has_value());
}

struct limit_case {
    std::string_view name;
    engine_options options;
    std::string key;
    errc refusal;
};

class admission_limit : public testing::TestWithParam<limit_case> {};

/// Two are taken, the third is one too many; when one has ended, another is taken.
TEST_P(admission_limit, refuses_past_it) {
    engine_rig rig(GetParam().options);
    const auto& key = GetParam().key;
    const auto first = rig.submit(small_spec(), key.empty() ? "" : key + "1");
    rig.submit(small_spec(), key.empty() ? "" : key + "2");
    const auto third = rig.ask_submit(small_spec(), key.empty() ? "" : key + "3");
    ASSERT_EQ(code_of(third), GetParam().refusal);
    EXPECT_FALSE(third.error().remedy.empty());
    if (key.empty())
        EXPECT_TRUE(rig.cancel(first).has_value());
    else
        rig.run_for(std::chrono::hours(24) + seconds(1));
    EXPECT_TRUE(rig.ask_submit(small_spec(), key.empty() ? "" : key + "3").has_value());
}

INSTANTIATE_TEST_SUITE_P(
    all, admission_limit,
    testing::Values(
        limit_case{"all_tenants", {.regions = {}, .accelerators = {}, .live_workloads_max = 2}, "", errc::overloaded},
        limit_case{"one_tenant", {.regions = {}, .accelerators = {}, .live_per_tenant_max = 2}, "", errc::too_large},
        limit_case{
            "keys", {.regions = {}, .accelerators = {}, .idempotency_per_tenant_max = 2}, "k", errc::overloaded}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(idempotency, a_repeat_gets_the_first_workload) {
    engine_rig rig;
    const auto id = rig.submit(small_spec(), "key", 1);
    const auto again = rig.ask_submit(small_spec(), "key", 1);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(std::get<submitted>(*again).repeated);
    EXPECT_EQ(std::get<submitted>(*again).accepted.id, id);
    EXPECT_NE(std::get<submitted>(*again).accepted.spec, nullptr);
    EXPECT_EQ(rig.store.workloads.size(), 1u);
    EXPECT_EQ(code_of(rig.ask_submit(small_spec(), "key", 2)), errc::key_reused);
    EXPECT_NE(rig.submit(small_spec(), "other", 1), id);
}

TEST(idempotency, holds_over_a_restart_and_after_the_end) {
    engine_rig rig;
    const auto id = rig.submit(small_spec(), "key", 1);
    rig.restart();
    EXPECT_EQ(std::get<submitted>(*rig.ask_submit(small_spec(), "key", 1)).accepted.id, id);
    EXPECT_TRUE(rig.cancel(id).has_value());
    const auto again = rig.ask_submit(small_spec(), "key", 1);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(std::get<submitted>(*again).repeated);
    EXPECT_EQ(std::get<submitted>(*again).accepted.id, id);
    EXPECT_EQ(std::get<submitted>(*again).accepted.spec, nullptr);
}

TEST(idempotency, a_key_is_forgotten_after_a_day_in_store_and_memory) {
    engine_rig rig;
    const auto id = rig.submit(small_spec(), "key", 1);
    rig.run_for(std::chrono::hours(24));
    EXPECT_EQ(rig.submit(small_spec(), "key", 1), id);
    rig.run_for(seconds(1));
    EXPECT_TRUE(rig.store.load().idempotency.empty());
    rig.restart();
    EXPECT_NE(rig.submit(small_spec(), "key", 1), id);
}

TEST(drain, takes_nothing_new_and_starts_nothing) {
    engine_rig rig;
    const auto waits = rig.submit();
    rig.submit(small_spec(), "key");
    rig.give(drain_begun{});
    EXPECT_EQ(code_of(rig.ask_submit(small_spec())), errc::shutting_down);
    EXPECT_TRUE(rig.ask_submit(small_spec(), "key").has_value());
    rig.add_provider("p", 5);
    rig.run_for(seconds(30));
    EXPECT_EQ(rig.stored(waits).state, workload_state::queued);
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.send_offers("p", 5);
    EXPECT_EQ(rig.stored(waits).state, workload_state::launching);
}

TEST(cancel, a_queued_one_ends_at_once) {
    engine_rig rig;
    const auto id = rig.submit();
    EXPECT_EQ(code_of(rig.cancel(id, rig.stored(id).revision + 1)), errc::precondition_failed);
    ASSERT_TRUE(rig.cancel(id, rig.stored(id).revision).has_value());
    EXPECT_EQ(rig.stored(id).state, workload_state::cancelled);
    EXPECT_EQ(code_of(rig.cancel(id)), errc::not_found);
}

TEST(cancel, is_nobody_elses_but_the_operators) {
    engine_rig rig;
    const auto id = rig.submit();
    principal other = rig.who;
    other.tenant.bytes[15] ^= 1;
    rig.give(cancel_workload{77, other, id, {}});
    EXPECT_EQ(code_of(rig.answered()), errc::not_found);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    other.as = role::operator_;
    rig.give(cancel_workload{78, other, id, {}});
    EXPECT_EQ(rig.stored(id).state, workload_state::cancelled);
}

TEST(cancel, is_repeated_until_the_end_is_seen) {
    engine_rig rig;
    rig.add_provider("p", 1);
    auto spec = small_spec();
    spec.grace_s = 5;
    const auto id = rig.submit(spec);
    const auto launch = rig.only<call_provider>();
    rig.answer_call(launch, call_outcome::done);
    rig.observe(launch.attempt, phase::running, 1);
    ASSERT_TRUE(rig.cancel(id).has_value());
    EXPECT_EQ(rig.stored(id).state, workload_state::stopping);
    auto stop = rig.only<call_provider>();
    EXPECT_EQ(stop.verb, outbox_verb::cancel);
    EXPECT_EQ(stop.grace_s, 5u);
    EXPECT_TRUE(rig.cancel(id).has_value());  // once more changes nothing
    EXPECT_TRUE(rig.all<call_provider>().empty());
    for (const auto outcome : {call_outcome::unknown, call_outcome::not_done, call_outcome::done}) {
        rig.answer_call(stop, outcome);
        EXPECT_EQ(rig.store.outbox.size(), 1u);
        rig.run_for(seconds(40));
        ASSERT_EQ(rig.all<call_provider>().size(), 1u);
        stop = rig.only<call_provider>();
        EXPECT_EQ(stop.verb, outbox_verb::cancel);
    }
    rig.observe(launch.attempt, phase::exited, 2, 143);
    EXPECT_EQ(rig.stored(id).state, workload_state::cancelled);
    EXPECT_EQ(rig.store.usages.size(), 1u);
}

TEST(cancel, while_the_launch_is_open_follows_its_answer) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto id = rig.submit();
    const auto launch = rig.only<call_provider>();
    ASSERT_TRUE(rig.cancel(id).has_value());
    EXPECT_TRUE(rig.all<call_provider>().empty());
    rig.answer_call(launch, call_outcome::done);
    EXPECT_EQ(rig.only<call_provider>().verb, outbox_verb::cancel);
    EXPECT_EQ(rig.stored(launch.attempt).state, attempt_state::stopping);
}

TEST(cancel, runs_again_after_a_restart) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto id = rig.submit();
    const auto launch = rig.only<call_provider>();
    rig.answer_call(launch, call_outcome::done);
    ASSERT_TRUE(rig.cancel(id).has_value());
    const auto seq = rig.only<call_provider>().outbox_seq;
    rig.restart();
    rig.report("p", provider_state::ready);
    EXPECT_EQ(rig.only<call_provider>().outbox_seq, seq);
    EXPECT_EQ(rig.only<call_provider>().verb, outbox_verb::cancel);
}

TEST(retry, only_of_what_has_ended) {
    engine_rig rig;
    const auto id = rig.submit();
    const auto spec = std::make_shared<workload_spec>(small_spec());
    const auto retry = [&](std::shared_ptr<const workload_spec> of) {
        rig.give(retry_workload{99, rig.who, std::move(of), id, "again", {}});
        return rig.answered();
    };
    EXPECT_EQ(code_of(retry(spec)), errc::conflict);
    ASSERT_TRUE(rig.cancel(id).has_value());
    EXPECT_EQ(code_of(retry(nullptr)), errc::not_found);
    const auto made = retry(spec);
    ASSERT_TRUE(made.has_value());
    EXPECT_NE(std::get<submitted>(*made).accepted.id, id);
    EXPECT_TRUE(std::get<submitted>(*retry(spec)).repeated);
}

TEST(administration, tenants_and_keys) {
    engine_rig rig;
    rig.give(create_tenant{1, "acme"});
    const auto acme = std::get<tenant>(*rig.answered());
    EXPECT_EQ(rig.all<keys_changed>().size(), 1u);
    rig.give(create_tenant{2, "acme"});
    EXPECT_EQ(code_of(rig.answered()), errc::conflict);
    rig.give(create_key{3, acme.id, role::member, "laptop", {}});
    const auto key = std::get<api_key>(*rig.answered());
    rig.give(create_key{4, tenant_id{}, role::member, "x", {}});
    EXPECT_EQ(code_of(rig.answered()), errc::not_found);

    rig.restart();
    rig.give(revoke_key{5, rig.who, key.id});  // a member of another tenant
    EXPECT_EQ(code_of(rig.answered()), errc::not_found);
    principal boss = rig.who;
    boss.as = role::operator_;
    rig.give(revoke_key{6, boss, key.id});
    EXPECT_EQ(std::get<api_key>(*rig.answered()).revoked_at, rig.now);
    EXPECT_TRUE(rig.store.keys.at(key.id).revoked_at);
    rig.give(revoke_key{7, boss, key.id});
    EXPECT_TRUE(rig.answered().has_value());
    EXPECT_TRUE(rig.all<keys_changed>().empty());
}

}  // namespace
