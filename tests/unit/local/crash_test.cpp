#include "tests/unit/local/adapter_process.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <random>

namespace westerly {
namespace {

using phase = observation::phase;
namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

class local_crash : public testing::Test {
protected:
    void begin(std::uint64_t vcpus = 8) {
        adapter_ = std::make_unique<adapter_process>(
            adapter_process::settings{.state = dir_.path() / "state",
                                      .config = R"({"sites":[{"site":"east","vcpus":)" + std::to_string(vcpus) +
                                                R"(,"memory_mib":65536}],"isolation":"unsafe_same_user"})"});
        ASSERT_EQ(adapter_->start().what, rpc_message::kind::response);
    }
    fs::path attempt(const std::string& token) const { return dir_.path() / "state" / "attempts" / token; }

    scratch_dir dir_;
    std::unique_ptr<adapter_process> adapter_;
};

/// The adapter is killed at a random moment of a launch, again and again; the launch is repeated as the broker would.
/// However it falls, the gang runs once: each rank appends one line to a file.
TEST_F(local_crash, killed_at_any_moment_a_launch_happens_once) {
    std::mt19937 chance(20261128);
    for (int round = 0; round < 12; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        begin();
        auto request = shell("echo $WESTERLY_RANK >> $WESTERLY_CHECKPOINT_DIR/ran");
        request.tasks = 3;
        const int kills = 1 + static_cast<int>(chance() % 3);
        for (int kill = 0; kill < kills; ++kill) {
            adapter_->begin("launch", encode(request));
            ::usleep(chance() % 60'000);
            adapter_->kill_9();
            begin();
            ASSERT_FALSE(HasFatalFailure());
        }
        auto seen = adapter_->find(request.token);
        if (seen.at == phase::absent) {
            EXPECT_FALSE(fs::exists(dir_.path() / "state" / "checkpoints" / request.workload / "ran"));
            EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
        } else if (chance() % 2 == 0) {
            EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
        }
        seen = adapter_->wait_for_end(request.token);
        EXPECT_EQ(seen.exit_code, 0) << seen.message;
        auto ran = text_of(dir_.path() / "state" / "checkpoints" / request.workload / "ran");
        std::sort(ran.begin(), ran.end());
        EXPECT_EQ(ran, "\n\n\n012");
        EXPECT_EQ(adapter_->units_free(), 8u);
        adapter_.reset();
    }
}

TEST_F(local_crash, a_repeated_launch_is_one_attempt) {
    begin();
    const auto request = shell("echo x >> $WESTERLY_CHECKPOINT_DIR/ran; sleep 0.2");
    std::vector<std::uint64_t> calls;
    for (int i = 0; i < 10; ++i)
        calls.push_back(adapter_->begin("launch", encode(request)));
    for (const auto id : calls)
        EXPECT_EQ(decode_mutation_reply(rpc_body(adapter_->wait_for(id)))->outcome, call_outcome::done);
    EXPECT_EQ(adapter_->units_free(), 7u);
    EXPECT_EQ(adapter_->wait_for_end(request.token).exit_code, 0);
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
    EXPECT_EQ(text_of(dir_.path() / "state" / "checkpoints" / request.workload / "ran"), "x\n");
}

TEST_F(local_crash, an_older_fence_is_refused) {
    begin();
    auto request = shell("true");
    request.fence = 5;
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
    request.fence = 4;
    EXPECT_EQ(decode_rpc_failure(adapter_->call("launch", encode(request))).kind, adapter_error::unauthorised);
    request.fence = 9;
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
    adapter_->kill_9();
    begin();
    request.fence = 8;
    EXPECT_EQ(adapter_->call("launch", encode(request)).what, rpc_message::kind::error);
}

TEST_F(local_crash, an_attempt_without_a_verdict_is_driven_on_at_start) {
    begin();
    const auto request = shell("echo y >> $WESTERLY_CHECKPOINT_DIR/ran");
    adapter_->launch(request);
    adapter_->wait_for_end(request.token);
    adapter_->kill_9();
    ASSERT_TRUE(gone(request.token));  // the shim of the run that is about to be forgotten
    // As if the adapter had been killed between the rename and the first shim.
    fs::remove(attempt(request.token) / "verdict");
    fs::remove(attempt(request.token) / "outcome.json");
    fs::remove(attempt(request.token) / "tasks/0/ended");
    fs::create_directories(dir_.path() / "state" / "making" / new_token() / "tasks");
    begin();
    EXPECT_EQ(adapter_->wait_for_end(request.token).exit_code, 0);
    EXPECT_EQ(text_of(dir_.path() / "state" / "checkpoints" / request.workload / "ran"), "y\ny\n");
    EXPECT_TRUE(fs::is_empty(dir_.path() / "state" / "making"));
}

TEST_F(local_crash, another_boot_ends_what_ran) {
    begin();
    const auto request = shell("echo out; sleep 987101");
    adapter_->launch(request);
    while (adapter_->log(request.token).empty())
        ::usleep(10'000);
    adapter_->kill_9();
    for (const auto pid : processes_with(request.token))
        ::kill(pid, SIGKILL);
    for (const auto pid : processes_with("987101"))
        ::kill(pid, SIGKILL);
    EXPECT_TRUE(gone(request.token));
    auto verdict = text_of(attempt(request.token) / "verdict");
    verdict.replace(verdict.rfind(' ') + 1, 8, "deadbeef");
    std::ofstream(attempt(request.token) / "verdict") << verdict;
    begin();
    const auto seen = adapter_->wait_for_end(request.token);
    EXPECT_THAT(seen.message, testing::HasSubstr("machine restarted"));
    EXPECT_LE(*seen.started_at, *seen.ended_at);
    EXPECT_EQ(adapter_->log(request.token), "out\n");
}

TEST_F(local_crash, the_list_is_whole_and_only_ours) {
    begin(400);
    std::vector<std::string> tokens;
    for (int burst = 0; burst < 3; ++burst) {
        std::vector<std::uint64_t> calls;
        for (int i = 0; i < 100; ++i) {
            auto request = shell("true");
            request.memory_mib = 100;
            calls.push_back(adapter_->begin("launch", encode(request)));
            tokens.push_back(request.token);
        }
        for (std::size_t i = 0; i < calls.size() && burst < 2; ++i)
            EXPECT_EQ(adapter_->wait_for(calls[i]).what, rpc_message::kind::response);
    }
    // The last burst is still on its way: a list that comes after it waits for it.
    std::vector<std::string> listed;
    std::string cursor;
    do {
        const auto reply = adapter_->call("list", encode(list_params{"me", cursor}));
        ASSERT_EQ(reply.what, rpc_message::kind::response) << decode_rpc_failure(reply).message;
        const auto page = decode_listing(rpc_body(reply)).value();
        EXPECT_TRUE(page.complete);
        for (const auto& item : page.items)
            listed.push_back(item.token);
        cursor = page.next_cursor;
    } while (!cursor.empty());
    std::sort(tokens.begin(), tokens.end());
    EXPECT_EQ(listed, tokens);
    const auto other = decode_listing(rpc_body(adapter_->call("list", encode(list_params{"you", ""})))).value();
    EXPECT_TRUE(other.items.empty());
    EXPECT_EQ(decode_rpc_failure(adapter_->call("cancel", encode(token_params{new_token(), 0}))).kind,
              adapter_error::not_found);
}

TEST_F(local_crash, a_second_adapter_does_not_share_the_directory) {
    begin();
    adapter_process second({.state = dir_.path() / "state"});
    const auto reply = second.start();
    EXPECT_EQ(decode_rpc_failure(reply).kind, adapter_error::unavailable);
}

struct config_case {
    std::string config;
    std::string words;
};
class local_config_fault : public testing::TestWithParam<config_case> {};
TEST_P(local_config_fault, is_named) {
    scratch_dir dir;
    adapter_process adapter({.state = dir.path() / "state", .config = GetParam().config});
    const auto reply = adapter.start();
    ASSERT_EQ(reply.what, rpc_message::kind::error);
    EXPECT_EQ(decode_rpc_failure(reply).kind, adapter_error::invalid);
    EXPECT_THAT(decode_rpc_failure(reply).message, testing::HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    all, local_config_fault,
    testing::Values(config_case{"{}", "/sites"}, config_case{R"({"sites":[]})", "/sites"},
                    config_case{R"({"sites":[{"site":"a","vcpus":0,"memory_mib":1}]})", "/sites/0/vcpus"},
                    config_case{R"({"sites":[{"site":"a","vcpus":2,"memory_mib":1}]})", "/sites/0/memory_mib"},
                    config_case{R"({"sites":[{"site":"a","vcpus":1,"memory_mib":1},
                                             {"site":"a","vcpus":1,"memory_mib":1}]})",
                                "twice"},
                    config_case{R"({"sites":[{"site":"a","vcpus":1,"memory_mib":1}],"isolation":"none"})",
                                "/isolation"},
                    config_case{R"({"sites":[{"site":"a","vcpus":1,"memory_mib":1}],"speed":1})", "/speed"}));

}  // namespace
}  // namespace westerly
