#include "broker/domain/waiting.hpp"
#include "broker/placement/replay.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

struct wait_case {
    std::string_view name;
    void (*prepare)(engine_rig&);
    void (*ask)(engine_rig&, workload_spec&);
    std::string_view code;
    void (*lift)(engine_rig&);  // nullptr: nothing lifts it here
};

class waiting_reason : public testing::TestWithParam<wait_case> {};

TEST_P(waiting_reason, is_shown_and_lifted) {
    engine_rig rig;
    GetParam().prepare(rig);
    auto spec = small_spec();
    GetParam().ask(rig, spec);
    const auto id = rig.submit(spec);
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    ASSERT_FALSE(rig.stored(id).waiting.empty());
    EXPECT_EQ(rig.stored(id).waiting[0].code, GetParam().code);
    EXPECT_EQ(rig.stored(id).waiting[0].detail.back(), '.') << rig.stored(id).waiting[0].detail;
    EXPECT_TRUE(in_words(rig.stored(id).waiting[0], language::zh).ends_with("。"))
        << in_words(rig.stored(id).waiting[0], language::zh);
    if (!GetParam().lift)
        return;
    GetParam().lift(rig);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
    EXPECT_TRUE(rig.stored(id).waiting.empty());
}

void as_is(engine_rig&, workload_spec&) {}
void one_free_provider(engine_rig& rig) {
    rig.add_provider("p", 1);
}

INSTANTIATE_TEST_SUITE_P(all, waiting_reason,
                         testing::Values(wait_case{"no_offers_at_all", [](engine_rig& rig) { rig.run_for(seconds(6)); },
                                                   as_is, "no_feasible_offer",
                                                   [](engine_rig& rig) {
                                                       rig.add_provider("p", 1);
                                                   }},
                                         wait_case{"full",
                                                   [](engine_rig& rig) {
                                                       one_free_provider(rig);
                                                       rig.submit();
                                                   },
                                                   as_is, "no_capacity",
                                                   [](engine_rig& rig) {
                                                       rig.send_offers("p", 2);
                                                   }},
                                         wait_case{"no_region", one_free_provider,
                                                   [](engine_rig&, workload_spec& spec) {
                                                       spec.limits.regions = {"cn-west"};
                                                   },
                                                   "no_feasible_offer", nullptr},
                                         wait_case{"provider_down",
                                                   [](engine_rig& rig) {
                                                       one_free_provider(rig);
                                                       rig.report("p", provider_state::down);
                                                   },
                                                   as_is, "provider_unhealthy",
                                                   [](engine_rig& rig) {
                                                       rig.report("p", provider_state::ready);
                                                   }},
                                         wait_case{"cordoned",
                                                   [](engine_rig& rig) {
                                                       one_free_provider(rig);
                                                       rig.give(cordon_provider{0, "p", true});
                                                   },
                                                   as_is, "provider_unhealthy",
                                                   [](engine_rig& rig) {
                                                       rig.give(cordon_provider{0, "p", false});
                                                   }},
                                         wait_case{"earliest_start", one_free_provider,
                                                   [](engine_rig& rig, workload_spec& spec) {
                                                       spec.when.earliest_start_at = rig.now + seconds(60);
                                                   },
                                                   "not_before",
                                                   [](engine_rig& rig) {
                                                       rig.run_for(seconds(60));
                                                   }}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(waiting, a_policy_that_is_gone_is_waited_for) {
    engine_rig rig;
    const auto id = rig.submit();
    policy other;
    other.name = "other";
    rig.give(policies_configured{{other}, {}});
    rig.add_provider("p", 1);
    EXPECT_EQ(rig.stored(id).waiting.at(0).code, "policy_missing");
    policy cheapest;
    cheapest.name = "cheapest";
    rig.give(policies_configured{{cheapest}, {}});
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

/// Ten hours of work within two: one has nine of them behind it.
TEST(waiting, is_not_for_the_reasons_of_the_same_work_that_has_more_left) {
    engine_rig rig;
    workload_spec spec = small_spec();
    spec.work.runtime_s = 36'000;
    spec.checkpoint = checkpoint_rule{.interval_s = 600, .portable = true};
    spec.when.deadline_at = rig.now + std::chrono::hours(2);
    const auto whole = rig.submit(spec), tenth = rig.submit(spec);
    rig.store.workloads.at(tenth).work_done = 0.9;
    rig.restart();
    rig.add_provider("p", 2);
    rig.run_for(seconds(10));
    EXPECT_EQ(rig.stored(whole).state, workload_state::queued);
    EXPECT_EQ(rig.stored(whole).waiting.at(0).code, "no_feasible_offer");
    EXPECT_EQ(rig.stored(tenth).state, workload_state::launching);
}

/// 30 s to the earliest start, then 40 s of queue and 10 s of work.
TEST(waiting, a_plan_of_a_later_start_promises_what_is_done_then) {
    engine_rig rig;
    rig.add_provider("p", 1);
    offer queued = small_offer("p", 1);
    queued.queue_wait_s = 40;
    rig.give(offers_received{"p", {queued}});
    workload_spec spec = small_spec();
    spec.work.runtime_s = 10;
    spec.when.earliest_start_at = rig.now + seconds(30);
    const instant finish = rig.now + seconds(80);
    const auto ask = [&](instant deadline, std::size_t ranked) {
        spec.when.deadline_at = deadline;
        rig.give(plan_workload{9, rig.who, std::make_shared<workload_spec>(spec)});
        const auto planned = std::get<plan_result>(rig.answered().value());
        EXPECT_EQ(planned.made.ranked.size(), ranked);
        for (const appraisal& each : planned.made.ranked)
            EXPECT_EQ(each.finish_at, finish);
        return rig.submit(spec);
    };
    const auto late = ask(finish - milliseconds(1), 0), in_time = ask(finish, 1);
    rig.run_for(seconds(30));
    EXPECT_EQ(rig.stored(late).state, workload_state::queued);
    EXPECT_EQ(rig.stored(in_time).state, workload_state::launching);
}

TEST(waiting, ends_at_its_limit) {
    engine_rig rig;
    auto by_wait = small_spec();
    by_wait.when.max_wait_s = 100;
    auto by_deadline = small_spec();
    by_deadline.when.deadline_at = rig.now + seconds(50);
    by_deadline.when.max_wait_s = 100;
    const auto first = rig.submit(by_wait);
    const auto second = rig.submit(by_deadline);
    rig.run_for(milliseconds(49'999));
    EXPECT_EQ(rig.stored(second).state, workload_state::queued);
    rig.run_for(milliseconds(1));
    EXPECT_EQ(rig.stored(second).state, workload_state::expired);
    rig.restart();
    rig.run_for(seconds(49));
    EXPECT_EQ(rig.stored(first).state, workload_state::queued);
    rig.run_for(seconds(1));
    EXPECT_EQ(rig.stored(first).state, workload_state::expired);
    EXPECT_FALSE(rig.stored(first).message.empty());
    EXPECT_EQ(rig.core->live_workloads(), 0u);
}

TEST(capacity, never_more_than_there_is_and_the_next_in_turn_follows) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto with_priority = [&](std::int32_t priority) {
        auto spec = small_spec();
        spec.priority = priority;
        rig.pass(milliseconds(1));  // age is told in milliseconds
        return rig.submit(spec);
    };
    std::vector<call_provider> calls;
    for (int i = 0; i < 2; ++i) {
        rig.submit();
        calls.push_back(rig.only<call_provider>());
    }
    const auto low = with_priority(-1), old = with_priority(0), young = with_priority(0), high = with_priority(1);
    for (const auto& id : {low, old, young, high})
        EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    // The provider's own count lags behind ours: it still says 2 free, none ours.
    rig.send_offers("p", 2);
    EXPECT_EQ(rig.stored(high).state, workload_state::queued);
    rig.run_for(seconds(2));
    ASSERT_NE(rig.market, nullptr);
    EXPECT_EQ(rig.market->offers.at(0).units_free, 0u);
    for (const auto& expected : {high, old, young, low}) {
        rig.answer_call(calls.front(), call_outcome::done);
        rig.observe(calls.front().attempt, phase::running, 1);
        rig.observe(calls.front().attempt, phase::exited, 2);
        calls.erase(calls.begin());
        EXPECT_EQ(rig.stored(expected).state, workload_state::launching);
        calls.push_back(rig.only<call_provider>());
    }
    rig.restart();  // units of live attempts count again
    rig.report("p", provider_state::ready);
    rig.send_offers("p", 2);
    EXPECT_EQ(rig.stored(rig.submit()).state, workload_state::queued);
}

TEST(rounds, one_shape_costs_one_decision_however_many_wait) {
    engine_rig rig;
    rig.add_provider("p", 1);
    for (int i = 0; i < 500; ++i)
        rig.submit();
    const auto decisions = [&] {
        rig.run_for(seconds(2));
        return rig.market->counts.decisions;
    };
    EXPECT_EQ(decisions(), 2u);  // the first that was placed, the second that was not
    rig.send_offers("p", 4);
    EXPECT_EQ(decisions(), 2u + 3 + 1);
    EXPECT_EQ(rig.store.decisions.size(), 4u);
}

TEST(rounds, one_input_places_no_more_than_its_limit_and_the_next_tick_goes_on) {
    engine_options few;
    few.placements_per_input_max = 3;
    engine_rig rig(few);
    for (int i = 0; i < 8; ++i)
        rig.submit();
    rig.add_provider("p", 100);
    EXPECT_EQ(rig.all<call_provider>().size(), 3u);
    EXPECT_LE(rig.core->next_wake(), rig.now);
    rig.run_for(milliseconds(0));
    EXPECT_EQ(rig.all<call_provider>().size(), 5u);
}

TEST(rounds, unchanged_offers_wake_nobody) {
    engine_rig rig;
    rig.add_provider("p", 1);
    rig.submit();
    rig.submit();
    rig.run_for(seconds(2));
    const auto before = rig.market->counts.decisions;
    auto dated = small_offer("p", 1);
    dated.as_of = rig.now;
    rig.give(offers_received{"p", {dated}});
    rig.run_for(seconds(2));
    EXPECT_EQ(rig.market->counts.decisions, before);
}

TEST(start, waits_a_moment_for_all_providers_offers) {
    engine_rig rig;
    rig.add_provider("p", 1);
    rig.add_provider("q", 1);
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.send_offers("p", 1);
    const auto id = rig.submit();
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(seconds(5));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

/// Also when it is made again from its record.
TEST(decision, says_for_how_long_and_why_its_start_was_waited_for) {
    engine_rig rig;
    rig.add_provider("p", 1);
    auto spec = small_spec();
    spec.resources.vcpus = 4;
    const auto first = rig.submit(spec), second = rig.submit(spec);
    rig.observe(*rig.stored(first).current, phase::running, 1);
    rig.pass(seconds(90));
    random_source random(1);
    observation gone = rig.seen(*rig.stored(first).current, phase::exited, 2);
    gone.started_at = rig.now - seconds(90);
    gone.ended_at = rig.now;
    gone.exit_code = 0;
    const change_set done = rig.core->handle(attempt_observed{"p", gone}, rig.now, random).changes;
    ASSERT_EQ(done.decisions.size(), 1u);
    const decision& made = done.decisions[0];
    EXPECT_EQ(made.workload, second);
    ASSERT_FALSE(made.notes.empty());
    EXPECT_EQ(made.notes.back(), (note{note_kind::waited, {"no_capacity"}, {90}}));
    market_past past;
    past.offers = {{"p", {small_offer("p", 1)}}};
    past_book book(past, {});
    const auto again = book.decide_again(made, done.bases.at(0), cheapest_policy(), {}, spec);
    ASSERT_TRUE(again.has_value()) << again.error().detail;
    EXPECT_EQ(again->notes, made.notes);
}

TEST(budget, what_was_billed_is_gone_also_after_a_restart) {
    engine_rig rig;
    rig.add_provider("p", 1);
    auto spec = small_spec();
    spec.work.runtime_s = 60;      // 0.06 CNY a try
    spec.budget = money{100'000};  // enough for one and a half
    spec.retry.on = {retry_cause::failed};
    const auto id = rig.submit(spec);
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    rig.pass(seconds(60));
    rig.observe(call.attempt, phase::exited, 2, 1);
    EXPECT_EQ(rig.stored(id).billed_micros, 60'000);
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.send_offers("p", 1);
    rig.run_for(seconds(60));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).waiting.at(0).code, "no_feasible_offer");
}

TEST(plan, decides_without_a_trace) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto events = rig.store.events.size();
    rig.give(plan_workload{5, rig.who, std::make_shared<workload_spec>(small_spec())});
    const auto said = rig.answered();
    ASSERT_TRUE(said.has_value());
    EXPECT_EQ(std::get<plan_result>(*said).made.ranked.at(0).offer, "p/s/small/on_demand");
    EXPECT_TRUE(rig.store.workloads.empty());
    EXPECT_EQ(rig.store.events.size(), events);
    EXPECT_TRUE(rig.all<call_provider>().empty());
}

}  // namespace
