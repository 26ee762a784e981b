#include "adapters/local/records/plan.hpp"
#include "adapters/local/records/task_files.hpp"
#include "tests/unit/local/adapter_process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace westerly {
namespace {

using phase = observation::phase;
namespace fs = std::filesystem;

/// A tenant's task that tries to get at what is not its own, in each isolation that can be had here.
class local_breakout : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        const bool root = ::geteuid() == 0;
        if (!GetParam() && !root)
            GTEST_SKIP() << "isolation by uid needs root";
        adapter_process::settings use{.state = dir_.path() / "broker" / "state"};
        fs::create_directory(dir_.path() / "broker");
        std::ofstream(dir_.path() / "broker" / "key") << "the broker's key";
        ::chmod((dir_.path() / "broker" / "key").c_str(), 0600);
        ::chmod((dir_.path() / "broker").c_str(), 0700);
        if (root && GetParam()) {
            use.as_nobody = true;
            for (const auto* name : {"", "broker", "broker/key"})
                ASSERT_EQ(::chown((dir_.path() / name).c_str(), 65534, 65534), 0);
        }
        // The broker's own process, for tasks to aim at.
        victim_ = ::fork();
        if (victim_ == 0) {
            if (use.as_nobody && ::setuid(65534) != 0)
                ::_exit(1);
            ::execlp("sleep", "sleep", "987200", nullptr);
            ::_exit(1);
        }
        use_ = use;
        adapter_ = std::make_unique<adapter_process>(use);
        ASSERT_EQ(adapter_->start().what, rpc_message::kind::response);
        const auto probe = decode_probe_reply(rpc_body(adapter_->call("probe", "{}")));
        if (!probe->ok)
            GTEST_SKIP() << "cannot be tried here: " << probe->message;
    }
    void TearDown() override {
        if (victim_ <= 0)
            return;
        EXPECT_EQ(::waitpid(victim_, nullptr, WNOHANG), 0) << "the broker's process was reached";
        ::kill(victim_, SIGKILL);
        ::waitpid(victim_, nullptr, 0);
    }
    std::string run(const std::string& script) {
        const auto request = shell(script);
        token_ = request.token;
        EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
        last_ = adapter_->wait_for_end(request.token);
        return adapter_->log(request.token);
    }
    rpc_message fetch(const std::string& path) {
        return adapter_->call("fetch", encode(fetch_params{token_, path, 0}));
    }

    scratch_dir dir_;
    adapter_process::settings use_;
    std::unique_ptr<adapter_process> adapter_;
    pid_t victim_ = -1;
    std::string token_;
    observation last_;
};

TEST_P(local_breakout, the_brokers_files_cannot_be_reached) {
    const auto key = (dir_.path() / "broker" / "key").string();
    const auto state = use_.state.string();
    const auto said = run("cat " + key + " && echo READ; ls " + state + " && echo LISTED; echo x > " + key +
                          " && echo WROTE; for p in /proc/[0-9]*; do cat $p/root" + key +
                          " && echo THROUGH; done; "
                          "cat /etc/shadow && echo SHADOW; echo end");
    EXPECT_EQ(said, "end\n");
    std::ifstream in(key);
    std::string kept;
    std::getline(in, kept);
    EXPECT_EQ(kept, "the broker's key");
}

TEST_P(local_breakout, other_processes_cannot_be_signalled_nor_seen) {
    const auto said =
        run("kill -9 " + std::to_string(victim_) + " && echo KILLED; kill -9 " + std::to_string(adapter_->pid()) +
            " && echo ADAPTER; cat /proc/*/cmdline | tr '\\0' ' ' | "
            "grep -c 98720[0] ; kill -9 -1; echo end");
    EXPECT_EQ(said, "0\nend\n");
    EXPECT_EQ(adapter_->find(token_).at, phase::exited);
}

TEST_P(local_breakout, another_workload_cannot_be_reached) {
    auto other = shell("echo secret > $WESTERLY_OUTPUT_DIR/s; echo t > /tmp/left; exec sleep 987201");
    ASSERT_EQ(adapter_->launch(other).outcome, call_outcome::done);
    adapter_->wait_for_phase(other.token, phase::running);
    const auto said =
        run("ls /tmp | grep left && echo SEEN; pkill -9 sleep; for p in /proc/[0-9]*; do kill -9 "
            "${p#/proc/} 2>/dev/null; done; echo end");
    EXPECT_THAT(said, testing::Not(testing::HasSubstr("SEEN")));
    EXPECT_EQ(adapter_->find(other.token).at, phase::running);
    adapter_->cancel(other.token, 0);
    adapter_->wait_for_end(other.token);
}

TEST_P(local_breakout, links_in_the_output_lead_nowhere) {
    const auto key = (dir_.path() / "broker" / "key").string();
    run("cd $WESTERLY_OUTPUT_DIR; ln -s " + key +
        " a; ln -s /etc b; ln -s ../../.. c; mkfifo d; ln -s real e; echo r > "
        "real; mkdir sub; echo s > sub/f; ln /etc/passwd hard 2>/dev/null; ln -s /proc/self/root" +
        key + " g");
    for (const auto* path : {"a", "b/passwd", "c/spec.json", "d", "../spec.json", "/etc/passwd", "g", "hard"})
        EXPECT_EQ(fetch(path).what, rpc_message::kind::error) << path;
    EXPECT_EQ(decode_fetch_reply(rpc_body(fetch("e")))->piece->bytes, "r\n");
    const auto piece = decode_fetch_reply(rpc_body(fetch("sub/f")))->piece;
    EXPECT_EQ(piece->bytes, "s\n");
    EXPECT_TRUE(piece->complete);
    EXPECT_THAT(decode_fetch_reply(rpc_body(fetch("")))->entries,
                testing::ElementsAre(file_entry{"real", 2}, file_entry{"sub/f", 2}));
    EXPECT_THAT(decode_fetch_reply(rpc_body(fetch("sub")))->entries, testing::ElementsAre(file_entry{"sub/f", 2}));
    EXPECT_EQ(decode_rpc_failure(fetch("nothing")).kind, adapter_error::not_found);
}

TEST_P(local_breakout, no_privilege_can_be_won) {
    const auto said =
        run("grep -c NoNewPrivs:.1 /proc/self/status; mount -t tmpfs none /tmp 2>/dev/null && echo MOUNTED; "
            "chown 0 . 2>/dev/null; touch /usr/x 2>/dev/null && echo TOUCHED; echo end");
    EXPECT_EQ(said, "1\nend\n");
}

TEST_P(local_breakout, a_checkpoint_folder_goes_on_to_the_next_attempt) {
    auto first = shell(
        "echo one > $WESTERLY_CHECKPOINT_DIR/a; mkdir $WESTERLY_CHECKPOINT_DIR/d; ln -s / "
        "$WESTERLY_CHECKPOINT_DIR/d/l; chmod 700 $WESTERLY_CHECKPOINT_DIR/d");
    first.workload = "shared";
    adapter_->launch(first);
    EXPECT_EQ(adapter_->wait_for_end(first.token).exit_code, 0);
    auto second = shell("cat $WESTERLY_CHECKPOINT_DIR/a && echo two > $WESTERLY_CHECKPOINT_DIR/d/b");
    second.workload = "shared";
    adapter_->launch(second);
    EXPECT_EQ(adapter_->wait_for_end(second.token).exit_code, 0);
    EXPECT_EQ(adapter_->log(second.token), "one\n");
}

std::string name_of_isolation(const testing::TestParamInfo<bool>& info) {
    return info.param ? "bubblewrap" : "uid";
}
INSTANTIATE_TEST_SUITE_P(all, local_breakout, testing::Bool(), name_of_isolation);

class local_files : public testing::Test {
protected:
    void SetUp() override {
        adapter_ = std::make_unique<adapter_process>(adapter_process::settings{
            .state = dir_.path() / "state",
            .config = R"({"sites":[{"site":"east","vcpus":8,"memory_mib":16384}],"isolation":"unsafe_same_user"})"});
        ASSERT_EQ(adapter_->start().what, rpc_message::kind::response);
    }
    byte_piece piece(const log_request& request) {
        return decode_byte_piece(rpc_body(adapter_->call("logs", encode(request)))).value();
    }
    scratch_dir dir_;
    std::unique_ptr<adapter_process> adapter_;
};

TEST_F(local_files, logs_come_by_offsets_and_know_their_end) {
    const auto request = shell("head -c 700000 /dev/zero | tr '\\0' a; echo err >&2; sleep 0.1; echo -n z");
    adapter_->launch(request);
    adapter_->wait_for_end(request.token);
    const auto first = piece({request.token, 0, false, 0});
    EXPECT_EQ(first.bytes.size(), 512u << 10);
    EXPECT_FALSE(first.complete);
    const auto second = piece({request.token, 0, false, first.next});
    EXPECT_EQ(second.next, 700'001u);
    EXPECT_TRUE(second.complete);
    EXPECT_EQ(second.bytes.back(), 'z');
    EXPECT_EQ(piece({request.token, 0, true, 0}).bytes, "err\n");
    EXPECT_TRUE(piece({request.token, 0, true, 4}).complete);
    EXPECT_EQ(adapter_->call("logs", encode(log_request{request.token, 7, false, 0})).what, rpc_message::kind::error);
}

TEST_F(local_files, a_bundle_is_unpacked_into_each_scratch_directory) {
    const auto tar = dir_.path() / "b.tar";
    fs::create_directories(dir_.path() / "src/inner");
    std::ofstream(dir_.path() / "src/inner/hello") << "from the bundle\n";
    ASSERT_EQ(std::system(("tar -cf " + tar.string() + " -C " + (dir_.path() / "src").string() + " .").c_str()), 0);
    std::ifstream in(tar);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    auto request = shell("cat inner/hello");
    request.tasks = 2;
    request.has_files = true;
    request.run.files = "sha256:00";
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::not_done);
    for (std::size_t from = 0; from < bytes.size(); from += 4096)
        EXPECT_EQ(
            adapter_->call("put", encode(put_params{request.token, "bundle.tar", from, bytes.substr(from, 4096)})).what,
            rpc_message::kind::response);
    EXPECT_EQ(adapter_->launch(request).outcome, call_outcome::done);
    EXPECT_EQ(adapter_->wait_for_end(request.token).exit_code, 0);
    EXPECT_EQ(adapter_->log(request.token, 1), "from the bundle\n");
}

TEST_F(local_files, pieces_must_follow_and_stay_within_the_limit) {
    const auto refused = [&](const put_params& p) {
        return adapter_->call("put", encode(p)).what == rpc_message::kind::error;
    };
    const auto token = new_token();
    EXPECT_TRUE(refused({token, "bundle.tar", 10, "x"}));
    EXPECT_TRUE(refused({token, "../evil", 0, "x"}));
    EXPECT_TRUE(refused({token, "bundle.tar", 20u << 20, "x"}));
    EXPECT_FALSE(refused({token, "bundle.tar", 0, "xy"}));
    EXPECT_FALSE(refused({token, "bundle.tar", 1, "y"}));
    EXPECT_FALSE(refused({token, "bundle.tar", 2, "z"}));
}

/// The shim alone, with a plan of our own: a log past its bound says so and the task goes on.
TEST(local_shim, output_past_the_bound_is_dropped_aloud) {
    scratch_dir dir;
    const auto attempt = dir.path();
    const auto task = task_dir(attempt, 0);
    for (const auto& folder : {task / "scratch", attempt / "input", attempt / "output", attempt / "checkpoint"})
        fs::create_directories(folder);
    task_plan plan;
    plan.attempt_dir = attempt;
    plan.checkpoint_dir = attempt / "checkpoint";
    plan.command = {"/bin/sh", "-c", "head -c 100000 /dev/zero | tr '\\0' a; echo end >&2"};
    plan.log_bytes_max = 1000;
    std::ofstream(attempt / "plan") << pack_plan(plan);
    std::ofstream(attempt / "verdict") << format_verdict({true, instant{}, boot_id(), {}});
    const auto command = std::string(WESTERLY_BIN_DIR "/westerly-local-shim run ") + attempt.string() + " 0";
    ASSERT_EQ(std::system(command.c_str()), 0);
    while (task_locked(task))
        ::usleep(10'000);
    const auto end = parse_end(read_small(task / "ended").value_or(""));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->exit_code, 0);
    EXPECT_THAT(read_small(task / "stdout").value_or(""),
                testing::AllOf(testing::SizeIs(testing::Lt(1200u)), testing::HasSubstr("is dropped")));
    EXPECT_EQ(read_small(task / "stderr"), "end\n");
}

TEST(local_records, plans_ends_and_verdicts_come_back) {
    task_plan plan;
    plan.isolation = isolation_kind::bubblewrap;
    plan.uid = 7;
    plan.token = "w";
    plan.attempt_dir = "/a b";
    plan.checkpoint_dir = "/c";
    plan.command = {"", "-c", "two\nlines"};
    plan.env = {"A=1", "B="};
    plan.tasks = 3;
    plan.max_runtime_s = 9;
    plan.bundle = true;
    EXPECT_EQ(unpack_plan(pack_plan(plan)).value(), plan);
    EXPECT_FALSE(unpack_plan(pack_plan(plan).substr(1)));
    EXPECT_FALSE(unpack_plan(""));

    task_end end;
    end.at = instant(milliseconds(1234));
    end.exit_signal = 9;
    end.stopped = stop_reason::time_limit;
    end.message = "two\nlines";
    const auto back = parse_end(format_end(end)).value();
    EXPECT_EQ(back.at, end.at);
    EXPECT_EQ(back.exit_signal, 9);
    EXPECT_FALSE(back.exit_code);
    EXPECT_EQ(back.stopped, stop_reason::time_limit);
    EXPECT_EQ(back.message, "two lines");
    EXPECT_FALSE(parse_end("12 exit"));
    EXPECT_FALSE(parse_end("12 went 3 none "));

    EXPECT_EQ(parse_verdict(format_verdict({true, end.at, "boot", {}}))->at, end.at);
    EXPECT_EQ(parse_verdict(format_verdict({false, {}, {}, "no room"}))->reason, "no room");
    EXPECT_EQ(parse_verdict(format_verdict({true, end.at, "boot", {}, 77}))->up_ms, 77);
    EXPECT_EQ(parse_verdict(format_verdict({true, end.at, "boot", {}, 77}))->boot, "boot");
    EXPECT_FALSE(parse_verdict("perhaps"));
    EXPECT_FALSE(parse_verdict("go 12 many boot"));
}

TEST(local_records, a_run_is_metered_by_a_clock_that_nobody_sets) {
    // The wall clock was set back by years after the start.
    const auto start = system_wall_clock().now() + std::chrono::hours(50'000);
    const launch_verdict started{true, start, boot_id(), {}, time_since_boot_ms() - 5'000};
    EXPECT_GE(now_since(started), start + milliseconds(5'000));
    EXPECT_LT(now_since(started), start + milliseconds(65'000));
    // Of another boot, or by an earlier version: there is only the wall clock.
    for (const auto& other : {launch_verdict{true, start, "other", {}, 1}, launch_verdict{true, start, boot_id(), {}}})
        EXPECT_LT(now_since(other), start);
}

TEST(local_records, a_reused_pid_is_not_signalled) {
    auto who = own_identity();
    EXPECT_TRUE(signal_process(who, 0));
    who.start_ticks += 1;
    EXPECT_FALSE(signal_process(who, 0));
    who = own_identity();
    who.boot = "another";
    EXPECT_FALSE(signal_process(who, 0));
}

}  // namespace
}  // namespace westerly
