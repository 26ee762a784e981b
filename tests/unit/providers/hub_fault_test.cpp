#include "tests/unit/providers/hub_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

namespace westerly {
namespace {

using testing::HasSubstr;

std::string faults(const std::string& rows, const std::string& more = {}) {
    return R"({"faults": [)" + rows + "]" + more + "}";
}

struct launch_case {
    const char* name;
    const char* fault;
    call_outcome outcome;
    adapter_error why;
};

class launch_fault_test : public hub_test, public testing::WithParamInterface<launch_case> {};

TEST_P(launch_fault_test, answers_once_with_what_is_known) {
    start();
    auto config = fake(faults(GetParam().fault));
    config.call_timeout_s = 2;
    hub_->configure({config});
    ASSERT_TRUE(becomes(provider_state::ready));
    hub_->run(launch_of(new_attempt()));
    const auto answered = next<call_answered>();
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->reply.outcome, GetParam().outcome) << answered->reply.message;
    EXPECT_EQ(answered->reply.why, GetParam().why) << answered->reply.message;
    stop();
    EXPECT_EQ(count<call_answered>(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    all, launch_fault_test,
    testing::Values(
        launch_case{"answered", R"({"verb": "put", "do": "drop"})", call_outcome::done, adapter_error::none},
        launch_case{"repeated", R"({"verb": "launch", "do": "repeat"})", call_outcome::done, adapter_error::none},
        launch_case{"delayed", R"({"verb": "launch", "do": "delay", "s": 0.1})", call_outcome::done,
                    adapter_error::none},
        launch_case{"answered_then_dead", R"({"verb": "launch", "do": "die_after"})", call_outcome::done,
                    adapter_error::none},
        launch_case{"dropped", R"({"verb": "launch", "do": "drop"})", call_outcome::unknown,
                    adapter_error::unavailable},
        launch_case{"too_late", R"({"verb": "launch", "do": "delay", "s": 2.2})", call_outcome::unknown,
                    adapter_error::unavailable},
        launch_case{"dead", R"({"verb": "launch", "do": "die"})", call_outcome::unknown, adapter_error::none},
        launch_case{"garbled", R"({"verb": "launch", "do": "garble"})", call_outcome::unknown, adapter_error::none},
        launch_case{"endless_line", R"({"verb": "launch", "do": "long"})", call_outcome::unknown, adapter_error::none},
        launch_case{"stranger", R"({"verb": "launch", "do": "stranger"})", call_outcome::unknown, adapter_error::none},
        launch_case{"closed", R"({"verb": "launch", "do": "close"})", call_outcome::unknown, adapter_error::none},
        launch_case{"schema_broken", R"({"verb": "launch", "do": "reply", "result": {"outcome": "maybe"}})",
                    call_outcome::unknown, adapter_error::internal},
        launch_case{"no_capacity", R"({"verb": "launch", "do": "fail", "kind": "no_capacity"})", call_outcome::not_done,
                    adapter_error::no_capacity},
        launch_case{"unavailable", R"({"verb": "launch", "do": "fail", "kind": "unavailable"})", call_outcome::unknown,
                    adapter_error::unavailable}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(hub_test, a_dead_adapter_is_started_again_and_its_last_words_are_told) {
    start_ready(faults(R"({"verb": "launch", "nth": 1, "do": "die"})"));
    const auto attempt = new_attempt();
    hub_->run(launch_of(attempt));
    const auto answered = next<call_answered>();
    ASSERT_TRUE(answered);
    EXPECT_THAT(answered->reply.message, HasSubstr("signal 9"));
    EXPECT_THAT(answered->reply.message, HasSubstr("dying as scripted"));
    hub_->run(find_attempt{"fake", attempt});  // waits for the adapter instead of failing
    const auto found = next<attempt_found>();
    ASSERT_TRUE(found);
    ASSERT_TRUE(found->seen);
    EXPECT_EQ(found->seen->at, observation::phase::absent);
    EXPECT_TRUE(becomes(provider_state::ready));
}

TEST_F(hub_test, why_an_adapter_fell_is_told_exactly) {
    for (const auto& [fault, why] : {std::pair("exit", "exit code 3"), std::pair("close", "closed its standard output"),
                                     std::pair("stranger", "answered a call that was never made")}) {
        start_ready(faults(R"({"verb": "launch", "do": ")" + std::string(fault) + R"("})"));
        hub_->run(launch_of(new_attempt()));
        const auto answered = next<call_answered>();
        ASSERT_TRUE(answered);
        EXPECT_EQ(answered->reply.outcome, call_outcome::unknown);
        EXPECT_THAT(answered->reply.message, HasSubstr(why));
        stop();
    }
}

TEST_F(hub_test, reading_the_files_anew_starts_a_fallen_adapter_at_once) {
    start();
    const auto starts = dir_ / "starts";
    auto config = fake("{}");
    config.adapter_command = {"/bin/sh", "-c", "echo one >> " + starts.string() + "; exit 3"};
    const auto count = [&] {
        std::ifstream in(starts);
        return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
    };
    // By its back-off alone it would be started some seven times within this patience.
    for (const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
         count() < 20 && std::chrono::steady_clock::now() < limit; std::this_thread::sleep_for(milliseconds(20)))
        hub_->configure({config});
    EXPECT_GE(count(), 20);
}

TEST_F(hub_test, a_time_out_is_told_to_the_adapter) {
    start();
    auto config = fake(faults(R"({"verb": "launch", "do": "drop"})"));
    config.call_timeout_s = 1;
    hub_->configure({config});
    ASSERT_TRUE(becomes(provider_state::ready));
    hub_->run(launch_of(new_attempt()));
    ASSERT_TRUE(next<call_answered>());
    hub_->run(find_attempt{"fake", new_attempt()});  // comes after the $/cancel, on the same pipe
    ASSERT_TRUE(next<attempt_found>());
    EXPECT_EQ(calls_of("$/cancel"), 1u);
}

TEST_F(hub_test, calls_in_flight_are_bounded_by_calls_max) {
    start();
    auto config = fake(faults(R"({"verb": "launch", "nth": 1, "do": "delay", "s": 0.3})"));
    config.calls_max = 1;
    hub_->configure({config});
    ASSERT_TRUE(becomes(provider_state::ready));
    for (std::uint64_t seq = 1; seq <= 3; ++seq)
        hub_->run(launch_of(new_attempt(), seq));
    for (std::uint64_t seq = 1; seq <= 3; ++seq) {
        const auto answered = next<call_answered>();
        ASSERT_TRUE(answered);
        EXPECT_EQ(answered->outbox_seq, seq);  // in order, since each waits for the one before
    }
}

TEST_F(hub_test, failures_in_a_row_open_the_breaker_which_then_refuses) {
    start_ready(faults(R"({"verb": "find", "do": "fail", "kind": "unavailable"})", R"(, "probe_ok": [true, false])"));
    for (int i = 0; i < 5; ++i) {
        hub_->run(find_attempt{"fake", new_attempt()});
        const auto found = next<attempt_found>();
        ASSERT_TRUE(found);
        EXPECT_FALSE(found->seen);
    }
    const auto down = becomes(provider_state::down);
    ASSERT_TRUE(down);
    EXPECT_THAT(down->health.message, HasSubstr("5 calls in a row failed: scripted"));
    hub_->run(launch_of(new_attempt()));
    const auto refused = next<call_answered>();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->reply.outcome, call_outcome::unknown);  // an earlier broker may have made this launch
    EXPECT_EQ(calls_of("launch"), 0u);
}

TEST_F(hub_test, a_good_trial_closes_the_breaker) {
    start_ready(faults(R"({"verb": "find", "do": "fail", "kind": "unavailable"})"));
    for (int i = 0; i < 5; ++i)
        hub_->run(find_attempt{"fake", new_attempt()});
    ASSERT_TRUE(becomes(provider_state::down));
    EXPECT_TRUE(becomes(provider_state::ready));
    EXPECT_EQ(calls_of("probe"), 2u);
}

TEST_F(hub_test, a_rate_limit_degrades_and_holds_calls_back_until_its_time) {
    start_ready(faults(R"({"verb": "launch", "nth": 1, "do": "fail", "kind": "rate_limited", "retry_after_s": 1})"));
    hub_->run(launch_of(new_attempt(), 1));
    const auto limited = next<call_answered>();
    ASSERT_TRUE(limited);
    EXPECT_EQ(limited->reply.outcome, call_outcome::not_done);
    EXPECT_EQ(limited->reply.retry_after_s, 1u);
    hub_->run(launch_of(new_attempt(), 2));
    EXPECT_TRUE(becomes(provider_state::degraded));
    const auto later = next<call_answered>();
    ASSERT_TRUE(later);
    EXPECT_EQ(later->reply.outcome, call_outcome::done);
    EXPECT_TRUE(becomes(provider_state::ready));
}

TEST_F(hub_test, failing_offers_degrade_and_never_empty_the_book) {
    start();
    auto config = fake(faults(R"({"verb": "offers", "nth": 2, "do": "fail", "kind": "internal"})"));
    config.offers_refresh_s = 1;
    hub_->configure({config});
    ASSERT_TRUE(becomes(provider_state::ready));
    ASSERT_TRUE(becomes(provider_state::degraded));
    ASSERT_TRUE(becomes(provider_state::ready));
    for (int i = 0; i < 2; ++i) {
        const auto fed = next<offers_received>();
        ASSERT_TRUE(fed);
        EXPECT_EQ(fed->offers.size(), 2u);
    }
}

TEST_F(hub_test, an_adapter_that_never_serves_is_down_and_calls_are_refused) {
    start();
    hub_->configure({fake(R"({"version": 2})")});
    const auto down = becomes(provider_state::down);
    ASSERT_TRUE(down);
    EXPECT_THAT(down->health.message, HasSubstr("protocol version 2, this broker speaks 1"));
    hub_->run(launch_of(new_attempt()));
    const auto answered = next<call_answered>();
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->reply.outcome, call_outcome::unknown);
    EXPECT_EQ(count<offers_received>(), 0u);
}

TEST_F(hub_test, another_kind_is_refused) {
    start();
    hub_->configure({fake(R"({"kind": "other"})")});
    const auto down = becomes(provider_state::down);
    ASSERT_TRUE(down);
    EXPECT_THAT(down->health.message, HasSubstr("of kind other"));
}

TEST_F(hub_test, a_missing_adapter_is_told_with_the_remedy) {
    auto config = fake("{}");
    config.adapter_command.clear();
    start();
    hub_->configure({config});
    const auto down = becomes(provider_state::down);
    ASSERT_TRUE(down);
    EXPECT_THAT(down->health.message, HasSubstr("install westerly-adapter-fake in " + (dir_ / "bin").string()));
}

TEST_F(hub_test, a_command_that_does_not_exist_is_told) {
    auto config = fake("{}");
    config.adapter_command = {"/nonexistent/adapter"};
    start();
    hub_->configure({config});
    const auto down = becomes(provider_state::down);
    ASSERT_TRUE(down);
    EXPECT_THAT(down->health.message, HasSubstr("/nonexistent/adapter: No such file or directory"));
}

TEST_F(hub_test, a_failing_probe_keeps_the_provider_down_until_it_passes) {
    start();
    hub_->configure({fake(R"({"probe_ok": [false, true]})")});
    const auto down = becomes(provider_state::down);
    ASSERT_TRUE(down);
    EXPECT_THAT(down->health.message, HasSubstr("log in first"));
    EXPECT_TRUE(becomes(provider_state::ready));
    EXPECT_EQ(count<offers_received>(), 1u);
}

TEST_F(hub_test, an_operators_probe_reaches_a_provider_that_is_down) {
    start();
    hub_->configure({fake(R"({"probe_ok": [false]})")});
    ASSERT_TRUE(becomes(provider_state::down));
    std::promise<result<probe_reply>> probed;
    hub_->probe("fake", [&](auto reply) { probed.set_value(std::move(reply)); });
    const auto reply = probed.get_future().get();
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->ok);
    EXPECT_THAT(reply->message, HasSubstr("log in first"));
}

TEST_F(hub_test, a_put_that_fails_is_not_done_because_find_says_absent) {
    bundle_ = "tar";
    start_ready(faults(R"({"verb": "put", "do": "fail", "kind": "internal"})"));
    auto effect = launch_of(new_attempt());
    auto with_files = request(effect.attempt);
    with_files->has_files = true;
    effect.launch = with_files;
    hub_->run(effect);
    const auto answered = next<call_answered>();
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->reply.outcome, call_outcome::not_done);
    EXPECT_THAT(answered->reply.message, HasSubstr("the bundle was not put"));
    EXPECT_EQ(calls_of("launch"), 0u);
}

TEST_F(hub_test, an_unknown_provider_answers_unknown) {
    start();
    hub_->configure({});
    hub_->run(launch_of(new_attempt()));
    const auto answered = next<call_answered>();
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->reply.outcome, call_outcome::unknown);
    hub_->run(list_provider{"fake"});
    const auto listed = next<provider_listed>();
    ASSERT_TRUE(listed);
    EXPECT_FALSE(listed->list.complete);
}

TEST_F(hub_test, every_call_made_while_adapters_die_is_answered_once) {
    start_ready(faults(R"({"verb": "launch", "nth": 20, "do": "die"})"));
    constexpr std::uint64_t calls = 50;
    for (std::uint64_t seq = 1; seq <= calls; ++seq)
        hub_->run(launch_of(new_attempt(), seq));
    std::vector<std::uint64_t> answered;
    for (std::uint64_t i = 0; i < calls; ++i) {
        const auto one = next<call_answered>();
        ASSERT_TRUE(one);
        answered.push_back(one->outbox_seq);
    }
    std::sort(answered.begin(), answered.end());
    EXPECT_EQ(std::unique(answered.begin(), answered.end()), answered.end());
    stop();
    EXPECT_EQ(count<call_answered>(), 0u);
}

}  // namespace
}  // namespace westerly
