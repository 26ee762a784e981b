#include "broker/engine/launch_gate.hpp"
#include "broker/engine/retry_budget.hpp"
#include "tests/unit/engine/rig.hpp"

#include <deque>

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

std::vector<call_provider> launches(const engine_rig& rig) {
    auto calls = rig.all<call_provider>();
    std::erase_if(calls, [](const auto& call) { return call.verb != outbox_verb::launch; });
    return calls;
}

void answer_badly(engine_rig& rig, const call_provider& call, adapter_error why = adapter_error::internal) {
    rig.answer_call(call, call_outcome::unknown, why);
}

/// So many launches of as many workloads, all unanswered, at the one provider "p".
void quarantine(engine_rig& rig) {
    rig.add_provider("p", 100);
    for (std::uint32_t i = 0; i < bad_in_a_row; ++i) {
        rig.submit();
        answer_badly(rig, rig.only<call_provider>());
    }
}

TEST(trust, a_provider_whose_launches_fail_is_quarantined_and_says_so) {
    engine_rig rig;
    quarantine(rig);
    const auto id = rig.submit();
    EXPECT_TRUE(launches(rig).empty());
    ASSERT_EQ(rig.stored(id).waiting.size(), 1u);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "provider_unhealthy");
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("p: launches failed there: it is quarantined until "),
              std::string::npos);
    rig.run_for(seconds(5));
    ASSERT_EQ(rig.market->quarantines.size(), 1u);
    const auto& told = rig.market->quarantines.front();
    EXPECT_EQ(told.provider, "p");
    EXPECT_FALSE(told.unauthorised);
    EXPECT_EQ(told.failures, bad_in_a_row);
    EXPECT_NE(told.why.find("5 launches in a row"), std::string::npos) << told.why;
    EXPECT_NE(told.why.find("westerly providers uncordon p"), std::string::npos) << told.why;
}

TEST(launch_gate, two_bad_launches_of_three_are_distrusted_though_never_five_in_a_row) {
    launch_gate gate;
    random_source random(1);
    const instant now{};
    std::uint8_t number = 0;
    int launches = 0;
    for (; !gate.distrusted() && launches < 100; ++launches)
        if (launches % 3 == 2)
            gate.went_well();
        else
            gate.went_badly(workload_id{{++number}}, "internal", now, random);
    EXPECT_EQ(number, bad_of_recent);
    ASSERT_TRUE(gate.distrusted());
    EXPECT_NE(gate.distrusted()->why.find("8 of the last 16 launches"), std::string::npos) << gate.distrusted()->why;
}

TEST(launch_gate, one_workload_that_fails_everywhere_distrusts_nobody) {
    launch_gate gate;
    random_source random(1);
    for (int i = 0; i < 100; ++i)
        gate.went_badly(workload_id{{static_cast<std::uint8_t>(1 + i % 2)}}, "internal", instant{}, random);
    EXPECT_FALSE(gate.distrusted());
}

TEST(trust, one_launch_is_tried_after_it_and_only_a_good_one_opens_the_way) {
    engine_rig rig;
    quarantine(rig);
    for (int i = 0; i < 10; ++i)
        rig.submit();
    rig.run_for(seconds(quarantine_first_s * 2 + 1));
    auto tried = launches(rig);
    ASSERT_EQ(tried.size(), 1u);
    answer_badly(rig, tried.front());
    EXPECT_TRUE(launches(rig).empty());
    rig.run_for(seconds(quarantine_first_s * 2));  // it lasts twice as long now
    EXPECT_TRUE(launches(rig).empty());
    rig.run_for(seconds(quarantine_first_s * 2 + 1));
    tried = launches(rig);
    ASSERT_EQ(tried.size(), 1u);
    rig.answer_call(tried.front(), call_outcome::done);
    const auto next = launches(rig);
    EXPECT_EQ(next.size(), 2u);  // a slow return
    rig.run_for(seconds(2));
    EXPECT_TRUE(rig.market->quarantines.empty());
}

TEST(trust, one_workload_alone_is_no_proof_against_a_provider) {
    launch_gate gate;
    random_source random(1);
    const auto one = workload_id::make(instant(seconds(1)), random);
    for (int i = 0; i < 100; ++i)
        gate.went_badly(one, "odd", instant(seconds(i)), random);
    EXPECT_FALSE(gate.distrusted());
}

TEST(trust, half_of_sixteen_is_enough) {
    launch_gate gate;
    random_source random(1);
    for (int i = 0; i < 16 && !gate.distrusted(); ++i) {
        gate.went_badly(workload_id::make(instant(seconds(i)), random), "odd", instant(seconds(i)), random);
        gate.went_badly(workload_id::make(instant(seconds(i)), random), "odd", instant(seconds(i)), random);
        gate.went_badly(workload_id::make(instant(seconds(i)), random), "odd", instant(seconds(i)), random);
        if (!gate.distrusted())
            gate.went_well();
    }
    EXPECT_TRUE(gate.distrusted());
}

TEST(trust, the_end_of_an_adapter_is_no_reason_for_distrust) {
    engine_rig rig;
    quarantine(rig);
    rig.report("p", provider_state::starting);
    rig.report("p", provider_state::ready);
    rig.submit();
    EXPECT_EQ(launches(rig).size(), 1u);
}

TEST(trust, the_operator_lifts_it) {
    engine_rig rig;
    quarantine(rig);
    rig.submit();
    rig.give(cordon_provider{0, "p", false});
    EXPECT_EQ(launches(rig).size(), 1u);
}

TEST(trust, refused_credentials_cost_no_workload_a_try_and_name_the_remedy) {
    engine_rig rig;
    rig.add_provider("p", 100);
    const auto running = rig.submit();
    rig.answer_call(rig.only<call_provider>(), call_outcome::done);
    const auto id = rig.submit();
    rig.answer_call(rig.only<call_provider>(), call_outcome::not_done, adapter_error::unauthorised);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).attempts_forgiven, 1u);
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("refuses the broker's credentials"), std::string::npos);
    EXPECT_EQ(rig.stored(running).state, workload_state::launching);
    rig.run_for(seconds(2));
    ASSERT_EQ(rig.market->quarantines.size(), 1u);
    EXPECT_TRUE(rig.market->quarantines.front().unauthorised);
    EXPECT_NE(rig.market->quarantines.front().why.find("SIGHUP"), std::string::npos);
    // The file is read again: one launch shows whether the credentials are good now.
    rig.configure();
    const auto tried = launches(rig);
    ASSERT_EQ(tried.size(), 1u);
    rig.answer_call(tried.front(), call_outcome::done);
    rig.run_for(seconds(2));
    EXPECT_TRUE(rig.market->quarantines.empty());
}

TEST(trust, capacity_that_is_gone_moves_the_workload_on_at_once_and_the_offer_is_full_until_the_next) {
    engine_rig rig;
    rig.add_provider("p", 2);
    rig.add_provider("q", 2);
    const auto id = rig.submit();
    auto call = rig.only<call_provider>();
    EXPECT_EQ(call.provider, "p");
    rig.answer_call(call, call_outcome::not_done, adapter_error::no_capacity);
    call = rig.only<call_provider>();
    EXPECT_EQ(call.provider, "q");
    rig.answer_call(call, call_outcome::not_done, adapter_error::quota_exceeded);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "no_capacity");
    EXPECT_EQ(rig.stored(id).attempts_forgiven, 2u);
    rig.run_for(seconds(60));
    EXPECT_TRUE(launches(rig).empty());
    rig.send_offers("p", 2);
    EXPECT_EQ(rig.only<call_provider>().provider, "p");
}

TEST(trust, workloads_that_waited_do_not_stampede_a_provider_that_is_back) {
    constexpr std::size_t herd = 10'000;
    constexpr milliseconds answers_after{250};
    engine_rig rig;
    rig.add_provider("p", 2 * herd);
    rig.report("p", provider_state::down);
    std::vector<workload_id> ids;
    for (std::size_t i = 0; i < herd; ++i) {
        rig.pass(milliseconds(1));
        ids.push_back(rig.submit());
    }
    rig.report("p", provider_state::ready);
    const instant back = rig.now;

    std::deque<std::pair<instant, call_provider>> under_way;
    std::vector<workload_id> launched;
    std::size_t in_first_second = 0, answered = 0;
    const auto take = [&] {
        for (const auto& call : launches(rig)) {
            under_way.emplace_back(rig.now + answers_after, call);
            launched.push_back(rig.stored(call.attempt).workload);
            in_first_second += rig.now - back < seconds(1) ? 1 : 0;
        }
        ASSERT_LE(under_way.size(), launches_at_first + answered);
        ASSERT_LE(under_way.size(), launches_per_call * 32u);
    };
    take();
    EXPECT_EQ(launched.size(), launches_at_first);
    while (launched.size() < herd || !under_way.empty()) {
        const auto wake = rig.core->next_wake();
        if (!under_way.empty() && (!wake || under_way.front().first <= *wake)) {
            rig.now = std::max(rig.now, under_way.front().first);
            const auto call = under_way.front().second;
            under_way.pop_front();
            ++answered;
            rig.answer_call(call, call_outcome::done);
        } else {
            ASSERT_TRUE(wake) << launched.size() << " launched, and nothing happens any more";
            rig.now = std::max(rig.now, *wake);
            rig.give(tick{});
        }
        take();
        if (testing::Test::HasFatalFailure())
            return;
        ASSERT_LT(rig.now - back, seconds(60));
    }
    EXPECT_LE(in_first_second, launches_at_first * 15u);  // 8 + 16 + 32 + 64
    EXPECT_EQ(launched, ids);                             // the oldest first: nobody starves
}

TEST(trust, retries_are_a_share_of_first_launches_and_ten_a_second_at_least) {
    const instant now(std::chrono::hours(24));
    for (const std::int64_t first : {0, 60'000}) {
        retry_budget budget;
        for (std::int64_t i = 0; i < first; ++i)
            budget.launched_first(now + milliseconds(i));
        const instant asked = now + seconds(59);
        const std::int64_t per_s = std::max<std::int64_t>(retry_budget::least_per_s, first / 60 / 10);
        std::int64_t at_once = 0, within_10_s = 0;
        instant last = asked;
        for (int i = 0; i < 5'000; ++i) {
            const auto place = budget.place(asked, asked);
            ASSERT_GE(place, last);
            last = place;
            at_once += place == asked ? 1 : 0;
            within_10_s += place <= asked + seconds(10) ? 1 : 0;
        }
        EXPECT_EQ(at_once, retry_budget::at_once);
        EXPECT_LE(within_10_s, retry_budget::at_once + 10 * per_s + 1);
        EXPECT_GE(within_10_s, 10 * per_s);
        EXPECT_EQ(budget.place(last + seconds(3600), last + seconds(3600)), last + seconds(3600));
    }
}

TEST(trust, runs_that_a_provider_drops_together_do_not_come_back_together) {
    constexpr std::size_t many = 300;
    engine_rig rig;
    rig.add_provider("p", 2 * many);
    std::vector<attempt_id> running;
    for (std::size_t i = 0; i < many; ++i) {
        rig.submit();
        const auto call = rig.only<call_provider>();
        rig.answer_call(call, call_outcome::done);
        rig.observe(call.attempt, phase::running, 1);
        running.push_back(call.attempt);
    }
    for (const auto& id : running) {
        observation gone = rig.seen(id, phase::exited, 2);
        gone.preempted = true;
        rig.give(attempt_observed{"p", gone});
    }
    const instant dropped = rig.now;
    std::size_t soon = 0;
    for (const auto& [id, w] : rig.store.workloads)
        soon += w.next_action_at && *w.next_action_at <= dropped + seconds(10) ? 1 : 0;
    EXPECT_LE(soon, 50u + 100u);
    EXPECT_GE(soon, 50u);
}

TEST(trust, questions_that_waited_for_a_provider_are_spread_when_it_is_back) {
    constexpr std::size_t many = 500;
    engine_rig rig;
    rig.add_provider("p", 2 * many);
    for (std::size_t i = 0; i < many; ++i) {
        rig.submit();
        rig.answer_call(rig.only<call_provider>(), call_outcome::done);
    }
    rig.report("p", provider_state::down);
    rig.run_for(seconds(300));  // all are lost now, and to be asked for
    rig.report("p", provider_state::ready);
    EXPECT_EQ(rig.all<list_provider>().size(), 1u);
    rig.run_for(seconds(1));
    EXPECT_LE(rig.all<find_attempt>().size(), 100u);
    rig.run_for(seconds(11));
    EXPECT_GE(rig.all<find_attempt>().size(), many * 8 / 10);
}

}  // namespace
