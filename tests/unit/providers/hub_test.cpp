#include "tests/unit/providers/hub_fixture.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <future>

namespace westerly {
namespace {

using testing::HasSubstr;

TEST_F(hub_test, a_provider_starts_feeds_its_offers_and_is_ready) {
    start();
    hub_->configure({fake("{}")});
    EXPECT_TRUE(becomes(provider_state::starting));
    const auto ready = becomes(provider_state::ready);
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->health.adapter_version, "0.1");
    EXPECT_EQ(ready->health.max_visibility_delay_s, 7u);
    const auto fed = next<offers_received>();
    ASSERT_TRUE(fed);
    ASSERT_EQ(fed->offers.size(), 2u);  // the third is of a site that the file does not know
    EXPECT_EQ(fed->offers[0].id, "fake/east/cpu/on_demand");
    EXPECT_EQ(fed->offers[1].site.region, "cn-west");
    EXPECT_EQ(fed->offers[1].price->nanos, 250'000'000);
    const auto mode = std::filesystem::status(options_.state_dir / "fake").permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_all);
}

TEST_F(hub_test, warnings_of_an_adapter_stand_beside_ready) {
    start();
    hub_->configure({fake(R"({"warnings": ["one probe reaches nobody", "the clock drifts"]})")});
    const auto ready = becomes(provider_state::ready);
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->health.message, "one probe reaches nobody; the clock drifts");
}

TEST_F(hub_test, launch_find_get_list_and_cancel_reach_the_adapter) {
    start_ready("{}");
    const auto attempt = new_attempt();
    hub_->run(launch_of(attempt, 11));
    const auto launched = next<call_answered>();
    ASSERT_TRUE(launched);
    EXPECT_EQ(launched->reply.outcome, call_outcome::done);
    EXPECT_EQ(launched->outbox_seq, 11u);
    EXPECT_EQ(launched->attempt, attempt);
    EXPECT_THAT(launched->reply.handle, HasSubstr("thing-"));

    hub_->run(find_attempt{"fake", attempt});
    const auto found = next<attempt_found>();
    ASSERT_TRUE(found && found->seen);
    EXPECT_EQ(found->seen->at, observation::phase::running);

    hub_->run(poll_attempts{"fake", {attempt}});
    const auto seen = next<attempt_observed>();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->seen.token, launch_token(attempt));

    hub_->run(list_provider{"fake"});
    const auto listed = next<provider_listed>();
    ASSERT_TRUE(listed);
    EXPECT_TRUE(listed->list.complete);
    ASSERT_EQ(listed->list.items.size(), 1u);

    hub_->run(cancel_of(attempt));
    const auto cancelled = next<call_answered>();
    ASSERT_TRUE(cancelled);
    EXPECT_EQ(cancelled->verb, outbox_verb::cancel);
    EXPECT_EQ(cancelled->reply.outcome, call_outcome::done);
    hub_->run(find_attempt{"fake", attempt});
    const auto absent = next<attempt_found>();
    ASSERT_TRUE(absent && absent->seen);
    EXPECT_EQ(absent->seen->at, observation::phase::absent);
}

TEST_F(hub_test, pages_of_offers_and_lists_are_joined) {
    start_ready(R"({"pages": 3})");
    const auto fed = next<offers_received>();
    ASSERT_TRUE(fed);
    EXPECT_EQ(fed->offers.size(), 2u);
    for (int i = 0; i < 7; ++i)
        hub_->run(launch_of(new_attempt(), static_cast<std::uint64_t>(i)));
    for (int i = 0; i < 7; ++i)
        ASSERT_TRUE(next<call_answered>([&](const auto& a) { return a.outbox_seq == static_cast<std::uint64_t>(i); }));
    hub_->run(list_provider{"fake"});
    const auto listed = next<provider_listed>();
    ASSERT_TRUE(listed);
    EXPECT_TRUE(listed->list.complete);
    EXPECT_EQ(listed->list.items.size(), 7u);
}

TEST_F(hub_test, a_list_of_which_a_page_fails_is_not_complete) {
    start_ready(R"({"pages": 2, "faults": [{"verb": "list", "nth": 2, "do": "fail", "kind": "internal"}]})");
    hub_->run(list_provider{"fake"});
    const auto listed = next<provider_listed>();
    ASSERT_TRUE(listed);
    EXPECT_FALSE(listed->list.complete);
}

TEST_F(hub_test, a_bundle_is_put_in_pieces_before_the_launch) {
    for (std::size_t i = 0; bundle_.size() < 1'300'000; ++i)
        bundle_ += std::to_string(i * 2'654'435'761u);
    start_ready("{}");
    const auto attempt = new_attempt();
    auto effect = launch_of(attempt);
    auto with_files = request(attempt);
    with_files->has_files = true;
    with_files->run.files = "sha256:" + std::string(64, 'a');
    effect.launch = with_files;
    hub_->run(effect);
    const auto launched = next<call_answered>();
    ASSERT_TRUE(launched);
    EXPECT_EQ(launched->reply.outcome, call_outcome::done) << launched->reply.message;
    EXPECT_EQ(calls_of("put"), 3u);
    std::ifstream in(options_.state_dir / "fake" / ("put-" + launch_token(attempt)), std::ios::binary);
    const std::string got((std::istreambuf_iterator<char>(in)), {});
    EXPECT_TRUE(got == bundle_) << got.size();
}

TEST_F(hub_test, notifications_become_observations) {
    start_ready(R"({"tell": true})");
    hub_->run(launch_of(new_attempt()));
    const auto seen = next<attempt_observed>();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->provider, "fake");
    EXPECT_EQ(seen->seen.at, observation::phase::running);
}

TEST_F(hub_test, logs_of_all_ranks_and_streams_are_archived) {
    start_ready("{}");
    hub_->run(archive_logs{"fake", new_attempt(), 2, 99});
    const auto archived = next<logs_archived>();
    ASSERT_TRUE(archived);
    EXPECT_TRUE(archived->ok) << archived->message;
    EXPECT_EQ(archived->outbox_seq, 99u);
    EXPECT_EQ(kept_["0/out"].size(), 1000u);
    EXPECT_EQ(kept_["1/out"], kept_["0/out"]);
}

TEST_F(hub_test, reads_answer_through_their_callbacks) {
    start_ready("{}");
    std::promise<result<fetch_reply>> fetched;
    hub_->fetch("fake", launch_token(new_attempt()), "", 0, [&](auto reply) { fetched.set_value(std::move(reply)); });
    const auto files = fetched.get_future().get();
    ASSERT_TRUE(files);
    EXPECT_EQ(files->entries.size(), 1u);
    std::promise<result<byte_piece>> logged;
    hub_->logs("fake", {launch_token(new_attempt()), 0, false, 900}, [&](auto r) { logged.set_value(std::move(r)); });
    const auto piece = logged.get_future().get();
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->bytes.size(), 100u);
    std::promise<result<probe_reply>> probed;
    hub_->probe("nobody", [&](auto r) { probed.set_value(std::move(r)); });
    const auto nobody = probed.get_future().get();
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().code, errc::provider_unavailable);
}

TEST_F(hub_test, what_the_adapter_cannot_do_is_never_asked_of_it) {
    start_ready(R"({"capabilities": []})");
    const auto fed = next<offers_received>();
    ASSERT_TRUE(fed);
    ASSERT_FALSE(fed->offers.empty());
    for (const auto& each : fed->offers)
        EXPECT_FALSE(each.runs_gangs || each.takes_files);
    hub_->run(archive_logs{"fake", new_attempt(), 2, 99});
    const auto archived = next<logs_archived>();
    ASSERT_TRUE(archived);
    EXPECT_TRUE(archived->ok) << archived->message;
    std::promise<result<byte_piece>> logged;
    hub_->logs("fake", {launch_token(new_attempt()), 0, false, 0}, [&](auto r) { logged.set_value(std::move(r)); });
    const auto piece = logged.get_future().get();
    ASSERT_TRUE(piece);
    EXPECT_TRUE(piece->bytes.empty() && !piece->complete);
    std::promise<result<fetch_reply>> fetched;
    hub_->fetch("fake", launch_token(new_attempt()), "", 0, [&](auto r) { fetched.set_value(std::move(r)); });
    const auto files = fetched.get_future().get();
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, errc::provider_rejected);
    EXPECT_FALSE(files.error().remedy.empty());
    EXPECT_EQ(calls_of("logs") + calls_of("fetch"), 0u);
}

TEST_F(hub_test, a_catalogue_feeds_plan_only_offers_and_runs_nothing) {
    provider_config config;
    config.id = "book";
    config.kind = "catalogue";
    offer sold;
    sold.id = "book/x/gpu/on_demand";
    config.offers = {sold};
    start();
    hub_->configure({config});
    const auto fed = next<offers_received>();
    ASSERT_TRUE(fed);
    ASSERT_EQ(fed->offers.size(), 1u);
    EXPECT_FALSE(fed->offers[0].launchable);
    EXPECT_TRUE(becomes(provider_state::ready));
    auto effect = launch_of(new_attempt());
    effect.provider = "book";
    hub_->run(effect);
    const auto refused = next<call_answered>();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->reply.outcome, call_outcome::unknown);
}

TEST_F(hub_test, changed_prices_feed_again_without_a_restart) {
    start_ready("{}");
    ASSERT_TRUE(next<offers_received>());
    auto config = fake("{}");
    config.prices[0].price.nanos = 1;
    hub_->configure({config});
    const auto fed = next<offers_received>([](const auto& f) { return f.offers.at(0).price->nanos == 1; });
    EXPECT_TRUE(fed);
    EXPECT_EQ(calls_of("offers"), 1u);
}

TEST_F(hub_test, a_changed_config_restarts_the_adapter_after_the_old_one_ended) {
    start_ready("{}");
    hub_->configure({fake(R"({"pages": 1})")});
    ASSERT_TRUE(becomes(provider_state::starting));
    ASSERT_TRUE(becomes(provider_state::ready));
    const auto lines = calls();
    const auto stopped = std::find(lines.begin(), lines.end(), "stopped");
    ASSERT_NE(stopped, lines.end());
    EXPECT_THAT(std::string(*std::next(stopped)), HasSubstr("initialize"));
}

TEST_F(hub_test, a_removed_provider_is_stopped_and_may_come_back) {
    start_ready("{}");
    hub_->configure({});
    hub_->configure({fake("{}")});
    ASSERT_TRUE(becomes(provider_state::ready));
    hub_->run(find_attempt{"fake", new_attempt()});
    const auto found = next<attempt_found>();
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->seen);
    EXPECT_EQ(calls_of("stopped"), 1u);
}

TEST_F(hub_test, stopping_closes_the_adapters_input_and_waits) {
    start_ready("{}");
    const int pid = adapter_pid();
    stop();
    EXPECT_EQ(calls_of("stopped"), 1u);
    EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(hub_test, an_adapter_that_ignores_every_wish_is_killed_in_time) {
    start_ready(R"({"ignore_stop": true})");
    const int pid = adapter_pid();
    const auto before = std::chrono::steady_clock::now();
    stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(6));
    EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(hub_test, adapters_are_found_by_kind) {
    std::filesystem::create_directories(dir_ / "bin");
    std::filesystem::create_symlink(std::string(WESTERLY_SOURCE_DIR) + "/tests/unit/providers/fake_adapter.py",
                                    dir_ / "bin" / "westerly-adapter-fake");
    auto config = fake("{}");
    config.adapter_command.clear();
    start();
    hub_->configure({config});
    EXPECT_TRUE(becomes(provider_state::ready));
}

}  // namespace
}  // namespace westerly
