#include "adapters/local/records/task_files.hpp"
#include "tests/unit/local/adapter_process.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace westerly {
namespace {

using phase = observation::phase;

/// Each test runs in every isolation that this user and machine can have.
enum class setting { root_uid, nobody_bubblewrap, own_bubblewrap, unsafe };

class local_run : public testing::TestWithParam<setting> {
protected:
    void SetUp() override {
        const bool root = ::geteuid() == 0;
        if (root != (GetParam() != setting::own_bubblewrap) && GetParam() != setting::unsafe)
            GTEST_SKIP() << "this isolation is for " << (root ? "a user that is not root" : "root");
        adapter_process::settings use{.state = dir_.path() / "state"};
        if (GetParam() == setting::unsafe)
            use.config = R"({"sites":[{"site":"east","vcpus":8,"memory_mib":16384}],"isolation":"unsafe_same_user"})";
        if (GetParam() == setting::nobody_bubblewrap) {
            use.as_nobody = true;
            dir_.give_to_nobody();
        }
        use_ = use;
        begin();
        const auto probe = decode_probe_reply(rpc_body(adapter_->call("probe", "{}")));
        if (!probe->ok)
            GTEST_SKIP() << "cannot be tried here: " << probe->message;
    }
    void begin() {
        adapter_ = std::make_unique<adapter_process>(use_);
        ASSERT_EQ(adapter_->start().what, rpc_message::kind::response);
    }
    void restart() {
        adapter_->kill_9();
        begin();
    }
    observation run(const launch_request& request) {
        const auto reply = adapter_->launch(request);
        EXPECT_EQ(reply.outcome, call_outcome::done) << reply.message;
        return adapter_->wait_for_end(request.token);
    }

    scratch_dir dir_;
    adapter_process::settings use_;
    std::unique_ptr<adapter_process> adapter_;
};

TEST_P(local_run, tells_exit_codes_and_signals_apart) {
    const struct {
        std::string script;
        std::optional<int> code;
        std::optional<int> signal;
    } cases[] = {
        {"true", 0, {}}, {"exit 3", 3, {}}, {"exit 137", 137, {}}, {"kill -9 $$", {}, 9}, {"kill -11 $$", {}, 11}};
    for (const auto& want : cases) {
        const auto seen = run(shell(want.script));
        EXPECT_EQ(seen.at, phase::exited) << want.script;
        EXPECT_EQ(seen.exit_code, want.code) << want.script;
        EXPECT_EQ(seen.exit_signal, want.signal) << want.script;
        EXPECT_EQ(seen.failed_rank.has_value(), want.code != 0) << want.script;
        EXPECT_LE(*seen.started_at, *seen.ended_at);
    }
}

TEST_P(local_run, a_command_that_is_not_there_fails_with_127_and_says_so) {
    auto request = shell("");
    request.run.command = {"/no/such/program"};
    const auto seen = run(request);
    EXPECT_EQ(seen.exit_code, 127);
    EXPECT_THAT(seen.message, testing::HasSubstr("No such file"));
}

TEST_P(local_run, a_task_sees_the_contract_and_nothing_of_the_adapter) {
    auto request = shell(
        "env; echo cwd=$(ls -A | wc -l); touch here \"$WESTERLY_OUTPUT_DIR/o\" "
        "\"$WESTERLY_CHECKPOINT_DIR/c\"; ls -d \"$WESTERLY_INPUT_DIR\" >/dev/null && echo ok; ulimit -c");
    request.run.env = {{"GREETING", "two words"}, {"WESTERLY_RANK", "99"}};
    const auto seen = run(request);
    ASSERT_EQ(seen.exit_code, 0) << adapter_->log(request.token, 0, true);
    const auto text = adapter_->log(request.token);
    for (const auto& line :
         {"WESTERLY_WORKLOAD=" + request.workload, "WESTERLY_ATTEMPT=" + request.attempt,
          std::string("WESTERLY_TASKS=1"), std::string("WESTERLY_RANK=0"),
          std::string("WESTERLY_MASTER_ADDR=127.0.0.1"), std::string("GREETING=two words"), std::string("LANG="),
          std::string("PATH="), std::string("HOME="), std::string("cwd=0\n"), std::string("ok\n0\n")})
        EXPECT_THAT(text, testing::HasSubstr(line));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("GTEST")));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("=99")));
}

TEST_P(local_run, the_ranks_of_a_gang_differ_and_share_one_master) {
    auto request = shell("echo $WESTERLY_RANK of $WESTERLY_TASKS at $WESTERLY_MASTER_PORT");
    request.tasks = 4;
    request.units = 4;
    EXPECT_EQ(run(request).exit_code, 0);
    const auto first = adapter_->log(request.token, 0);
    const auto port = first.substr(first.rfind(' '));
    for (std::uint32_t rank = 0; rank < 4; ++rank)
        EXPECT_EQ(adapter_->log(request.token, rank), std::to_string(rank) + " of 4 at" + port);
}

TEST_P(local_run, the_first_rank_that_fails_ends_the_others) {
    auto request = shell("[ $WESTERLY_RANK = 2 ] && exit 7; sleep 987001");
    request.tasks = 4;
    const auto seen = run(request);
    EXPECT_EQ(seen.exit_code, 7);
    EXPECT_EQ(seen.failed_rank, 2u);
    EXPECT_TRUE(gone("987001"));
}

TEST_P(local_run, a_gang_with_a_rank_that_cannot_start_never_starts) {
    auto request = shell("touch $WESTERLY_CHECKPOINT_DIR/ran");
    request.has_files = true;
    ASSERT_EQ(adapter_->call("put", encode(put_params{request.token, "bundle.tar", 0, "not a tar file"})).what,
              rpc_message::kind::response);
    request.tasks = 2;
    const auto reply = adapter_->launch(request);
    EXPECT_EQ(reply.outcome, call_outcome::not_done);
    EXPECT_THAT(reply.message, testing::HasSubstr("cannot be unpacked"));
    EXPECT_EQ(adapter_->find(request.token).at, phase::absent);
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::not_done);
    EXPECT_FALSE(std::filesystem::exists(use_.state / "checkpoints" / request.workload / "ran"));
    EXPECT_EQ(adapter_->units_free(), 8u);
}

TEST_P(local_run, the_time_limit_ends_a_task_and_is_told) {
    auto request = shell("sleep 987002");
    request.max_runtime_s = 1;
    const auto seen = run(request);
    EXPECT_TRUE(seen.timed_out);
    EXPECT_EQ(seen.exit_signal, SIGTERM);
    EXPECT_GE(*seen.ended_at - *seen.started_at, std::chrono::seconds(1));
    EXPECT_TRUE(gone("987002"));
}

TEST_P(local_run, a_cancel_lets_a_task_end_itself) {
    const auto request = shell("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    adapter_->launch(request);
    while (adapter_->log(request.token).empty())
        ::usleep(10'000);
    EXPECT_EQ(adapter_->cancel(request.token, 30).outcome, call_outcome::done);
    const auto seen = adapter_->wait_for_end(request.token);
    EXPECT_EQ(seen.exit_code, 5);
    EXPECT_EQ(adapter_->log(request.token), "ready\nbye\n");
    EXPECT_EQ(adapter_->cancel(request.token, 30).outcome, call_outcome::done);
}

TEST_P(local_run, a_cancel_ends_what_ignores_it_after_the_grace) {
    const auto request = shell("trap '' TERM; echo ready; sleep 987003 & wait; sleep 987003");
    adapter_->launch(request);
    while (adapter_->log(request.token).empty())
        ::usleep(10'000);
    adapter_->cancel(request.token, 1);
    const auto seen = adapter_->wait_for_end(request.token);
    EXPECT_EQ(seen.exit_signal, SIGKILL);
    EXPECT_TRUE(gone("987003"));
}

TEST_P(local_run, what_a_task_leaves_behind_ends_with_it) {
    const auto seen = run(shell("setsid sh -c 'sleep 987004 & exec sleep 987004' & (setsid sleep 987004 &); exit 0"));
    EXPECT_EQ(seen.exit_code, 0);
    EXPECT_TRUE(gone("987004"));
}

TEST_P(local_run, memory_and_file_size_are_limited) {
    auto request = shell(
        "dd if=/dev/zero of=big bs=1M count=3 2>/dev/null; wc -c < big; "
        "python3 -c 'x = bytearray(900 << 20)' 2>/dev/null || dd if=/dev/zero bs=900M count=1 "
        "of=/dev/null 2>/dev/null || echo refused");
    request.disk_mib = 1;
    run(request);
    EXPECT_EQ(adapter_->log(request.token), "1048576\nrefused\n");
}

TEST_P(local_run, many_at_once_hold_and_give_back_their_units) {
    std::vector<launch_request> requests;
    std::vector<std::uint64_t> calls;
    for (int i = 0; i < 24; ++i)
        requests.push_back(shell("sleep 0.2"));
    std::set<std::string> waiting;
    for (const auto& request : requests)
        waiting.insert(request.token);
    int refused = 0;
    while (!waiting.empty() && !HasFailure()) {
        calls.clear();
        std::vector<std::string> asked(waiting.begin(), waiting.end());
        for (const auto& token : asked)
            calls.push_back(
                adapter_->begin("launch", encode(*std::ranges::find(requests, token, &launch_request::token))));
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const auto reply = adapter_->wait_for(calls[i]);
            if (reply.what == rpc_message::kind::response)
                waiting.erase(asked[i]);
            else if (decode_rpc_failure(reply).kind == adapter_error::no_capacity)
                ++refused;
            else
                ADD_FAILURE() << decode_rpc_failure(reply).message;
        }
        EXPECT_LE(adapter_->units_free(), 8u);
        ::usleep(20'000);
    }
    EXPECT_GT(refused, 0);
    for (const auto& request : requests)
        EXPECT_EQ(adapter_->wait_for_end(request.token).exit_code, 0);
    EXPECT_EQ(adapter_->units_free(), 8u);
}

TEST_P(local_run, memory_counts_against_the_units_too) {
    auto request = shell("sleep 987005");
    request.memory_mib = 5000;  // three units of 2048 MiB
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
    EXPECT_EQ(adapter_->units_free(), 5u);
    auto second = shell("true");
    second.tasks = 6;
    EXPECT_EQ(decode_rpc_failure(adapter_->call("launch", encode(second))).kind, adapter_error::no_capacity);
    EXPECT_EQ(adapter_->find(second.token).at, phase::absent);
    adapter_->cancel(request.token, 0);
    adapter_->wait_for_end(request.token);
    EXPECT_EQ(adapter_->units_free(), 8u);
}

TEST_P(local_run, changes_are_told_and_seq_rises_over_restarts) {
    const auto request = shell("sleep 987006");
    adapter_->launch(request);
    const auto before = adapter_->wait_for_phase(request.token, phase::running);
    restart();
    const auto after = adapter_->find(request.token);
    EXPECT_EQ(after.at, phase::running);
    EXPECT_GE(after.seq, before.seq);
    EXPECT_EQ(after.started_at, before.started_at);
    adapter_->cancel(request.token, 0);
    const auto end = adapter_->wait_for_end(request.token);
    EXPECT_GT(end.seq, after.seq);
    adapter_->call("probe", "{}");
    ASSERT_FALSE(adapter_->changes.empty());
    EXPECT_EQ(adapter_->changes.back().at, phase::exited);
    restart();
    const auto again = adapter_->find(request.token);
    EXPECT_EQ(again.at, phase::exited);
    EXPECT_EQ(again.ended_at, end.ended_at);
    EXPECT_GE(again.seq, end.seq);
}

TEST_P(local_run, a_task_ends_without_the_adapter_and_is_found_after) {
    const auto request = shell("sleep 0.3; echo done >> $WESTERLY_CHECKPOINT_DIR/log; exit 4");
    adapter_->launch(request);
    adapter_->kill_9();
    EXPECT_TRUE(gone(request.token));
    begin();
    const auto seen = adapter_->find(request.token);
    EXPECT_EQ(seen.at, phase::exited);
    EXPECT_EQ(seen.exit_code, 4);
}

TEST_P(local_run, a_cancel_outlives_the_adapter) {
    const auto request = shell("trap '' TERM; sleep 987007; sleep 987007");
    adapter_->launch(request);
    adapter_->cancel(request.token, 1);
    adapter_->kill_9();
    EXPECT_TRUE(gone("987007"));
    begin();
    EXPECT_EQ(adapter_->wait_for_end(request.token).at, phase::exited);
}

TEST_P(local_run, without_its_folder_neither_task_nor_shim_goes_on) {
    const auto request = shell("sleep 987009");
    adapter_->launch(request);
    adapter_->wait_for_phase(request.token, phase::running);
    adapter_->kill_9();
    std::filesystem::remove_all(use_.state);
    EXPECT_TRUE(gone("987009"));
    EXPECT_TRUE(gone(request.token));
}

TEST_P(local_run, the_end_of_a_shim_is_the_end_of_its_task) {
    auto request = shell("sleep 987008");
    request.tasks = 2;
    adapter_->launch(request);
    adapter_->wait_for_phase(request.token, phase::running);
    for (const std::uint32_t rank : {0u, 1u}) {
        const auto who = read_small(task_dir(use_.state / "attempts" / request.token, rank) / task_file::pid);
        ASSERT_TRUE(who);
        ASSERT_TRUE(signal_process(*parse_identity(*who), SIGKILL));
    }
    EXPECT_TRUE(gone("987008"));
    const auto seen = adapter_->wait_for_end(request.token);
    EXPECT_EQ(seen.exit_signal, SIGKILL);
    EXPECT_THAT(seen.message, testing::HasSubstr("watched over it was killed"));
    EXPECT_EQ(adapter_->units_free(), 8u);
}

std::string name_of_setting(const testing::TestParamInfo<setting>& info) {
    constexpr const char* names[] = {"root_uid", "nobody_bubblewrap", "own_bubblewrap", "unsafe"};
    return names[static_cast<int>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(all, local_run,
                         testing::Values(setting::root_uid, setting::nobody_bubblewrap, setting::own_bubblewrap,
                                         setting::unsafe),
                         name_of_setting);

}  // namespace
}  // namespace westerly
