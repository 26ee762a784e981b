#include "adapters/slurm/words/job_script.hpp"
#include "adapters/slurm/words/web_token.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace westerly {
namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// An attempt's folder as the adapter makes it, and its batch script run by bash as Slurm would run it.
class slurm_script : public testing::Test {
protected:
    slurm_script() {
        char name[] = "/tmp/westerly-script-XXXXXX";
        folder_ = ::mkdtemp(name);
        request_.workload = "wl";
        request_.attempt = "at";
        request_.grace_s = 1;
        config_.scratch_directory = folder_;
        fs::create_directories(fs::path(folder_) / "control");
        fs::create_directories(fs::path(folder_) / "checkpoint");
    }
    ~slurm_script() override { fs::remove_all(folder_); }

    void put(const char* name, const std::string& text) { std::ofstream(fs::path(folder_) / name) << text; }
    std::string get(const std::string& name) const { return text_of_file(fs::path(folder_) / name); }

    /// The exit code of the job.
    int run(const char* script, int job = 5) {
        request_.run.command = {"sh", "-c", script};
        put(attempt_file::run, run_script(request_));
        put(attempt_file::rank, rank_script(config_, request_, folder_, folder_ + "/checkpoint"));
        put("batch", batch_script(config_, request_, folder_, {}));
        const auto line = "SLURM_JOB_ID=" + std::to_string(job) + " bash " + folder_ + "/batch 2>" + folder_ + "/log";
        const int status = ::system(line.c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::optional<run_record> record() const { return read_run_record(get(attempt_file::ended)); }

    std::string folder_;
    slurm_config config_;
    launch_request request_;
};

TEST_F(slurm_script, runs_once_and_tells_its_code_in_its_own_record) {
    put(attempt_file::job, "5\n");
    request_.run.env = {{"V", "a 'b' $HOME"}};
    EXPECT_EQ(run("printf '%s' \"$V\"; echo x >\"$WESTERLY_OUTPUT_DIR/f\"; exit 99"), 1)
        << "a site may requeue by code";
    EXPECT_EQ(get("tasks/0/stdout"), "a 'b' $HOME");
    EXPECT_EQ(get("output/f"), "x\n");
    ASSERT_TRUE(record());
    EXPECT_EQ(record()->code, 99);
    EXPECT_EQ(record()->rank, 0u);
    EXPECT_EQ(run("echo again"), 1);
    EXPECT_TRUE(fs::exists(folder_ + "/again"));
    EXPECT_EQ(get("tasks/0/stdout"), "a 'b' $HOME") << "it ran twice";
}

TEST_F(slurm_script, the_tasks_streams_are_its_own) {
    put(attempt_file::job, "5\n");
    EXPECT_EQ(run("echo out; echo err >&2; kill -SEGV $$"), 1);
    EXPECT_EQ(get("tasks/0/stdout"), "out\n");
    EXPECT_EQ(get("tasks/0/stderr"), "err\n") << "the shells around it told of its end, too";
    EXPECT_EQ(record()->code, 128 + 11);
}

TEST_F(slurm_script, a_job_that_is_not_the_recorded_one_runs_nothing) {
    put(attempt_file::job, "6\n");
    EXPECT_EQ(run("echo ran"), 1);
    EXPECT_FALSE(fs::exists(folder_ + "/gate"));
    EXPECT_FALSE(fs::exists(folder_ + "/tasks/0/stdout"));
}

TEST_F(slurm_script, a_gate_that_was_shut_stays_shut) {
    put(attempt_file::job, "5\n");
    fs::create_directory(folder_ + "/gate");
    EXPECT_EQ(run("echo ran"), 1);
    EXPECT_FALSE(fs::exists(folder_ + "/tasks/0/stdout"));
}

TEST_F(slurm_script, success_is_zero_and_leaves_no_scratch) {
    put(attempt_file::job, "5\n");
    EXPECT_EQ(run("pwd; touch left"), 0);
    EXPECT_EQ(record()->code, 0);
    auto scratch = get("tasks/0/stdout");
    scratch.pop_back();
    EXPECT_FALSE(fs::exists(scratch));
}

TEST_F(slurm_script, its_time_limit_and_a_stop_end_it_in_order) {
    put(attempt_file::job, "5\n");
    request_.max_runtime_s = 1;
    EXPECT_EQ(run("trap 'echo told; exit 3' TERM; sleep 60 & wait"), 1);
    EXPECT_EQ(get("tasks/0/stdout"), "told\n");
    EXPECT_TRUE(record()->timed_out);
    EXPECT_EQ(record()->code, 3);
}

TEST_F(slurm_script, a_signal_to_all_of_its_processes_at_once_leaves_a_record) {
    put(attempt_file::job, "5\n");
    // As Slurm does it: the task, and every shell around it.
    EXPECT_EQ(run("trap 'exit 6' TERM; p=$PPID; kill -TERM $p $(cut -d' ' -f4 /proc/$p/stat); kill -TERM $$"), 1);
    ASSERT_TRUE(record());
    EXPECT_EQ(record()->code, 6);
}

TEST_F(slurm_script, a_signal_before_the_task_starts_is_not_its_failure) {
    put(attempt_file::job, "5\n");
    fs::create_directory(folder_ + "/bin");
    put("bin/mktemp", "#!/bin/sh\nkill -TERM $PPID $$\nexec /usr/bin/mktemp \"$@\"\n");
    fs::permissions(folder_ + "/bin/mktemp", fs::perms::owner_all);
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", (folder_ + "/bin:" + path).c_str(), 1);
    EXPECT_EQ(run("echo ran"), 0);
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(get("tasks/0/stdout"), "ran\n");
}

TEST_F(slurm_script, what_a_killed_job_left_is_removed_and_nothing_else) {
    put(attempt_file::job, "5\n");
    ASSERT_EQ(run("pwd"), 0);
    auto left = get("tasks/0/stdout");
    left.pop_back();  // its process is gone
    const std::vector<std::string> others = {folder_ + "/westerly-of.other.node-12345678", folder_ + "/westerly-old"};
    fs::create_directories(left + "/files");
    for (const auto& other : others)
        fs::create_directory(other);
    fs::remove_all(folder_ + "/gate");
    ASSERT_EQ(run("true"), 0);
    EXPECT_FALSE(fs::exists(left));
    for (const auto& other : others)
        EXPECT_TRUE(fs::exists(other)) << other;
}

TEST_F(slurm_script, a_task_that_is_deaf_is_killed_after_its_grace) {
    put(attempt_file::job, "5\n");
    put(attempt_file::stop, "1\n");
    EXPECT_EQ(run("trap '' TERM; while :; do sleep 0.1; done"), 1);
    EXPECT_EQ(record()->code, 128 + 9);
    EXPECT_FALSE(record()->timed_out);
}

TEST(slurm_record, is_read_and_rubbish_refused) {
    const auto record = read_run_record("1700000000123 143 2 time_limit\n");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->ended_ms, 1'700'000'000'123);
    EXPECT_EQ(record->code, 143);
    EXPECT_EQ(record->rank, 2u);
    EXPECT_TRUE(record->timed_out);
    for (const auto* text : {"", "x", "1", "1 2", "1 x 3"})
        EXPECT_FALSE(read_run_record(text)) << text;
}

TEST(slurm_token, is_signed_as_slurm_signs_and_tells_its_end) {
    const instant now(seconds(1'700'000'000));
    const auto token = sign_token("key", "hpcuser", now, seconds(600));
    // By hand: base64url of {"alg":"HS256","typ":"JWT"} and the claims, and HMAC-SHA256 of both under "key".
    EXPECT_EQ(token.substr(0, 37), "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
    EXPECT_EQ(token_end(token), now + seconds(600));
    EXPECT_EQ(token.find('='), std::string::npos);
    EXPECT_NE(token, sign_token("other", "hpcuser", now, seconds(600)));
    EXPECT_EQ(token_end("no.token"), std::nullopt);
    EXPECT_EQ(token_end("a.b.c"), std::nullopt);
}

TEST(slurm_token, is_found_in_what_scontrol_prints) {
    EXPECT_EQ(token_in("SLURM_JWT=a.b.c\n"), "a.b.c");
    EXPECT_EQ(token_in("  a.b.c \n"), "a.b.c");
    EXPECT_EQ(token_in("\n"), "");
}

struct config_case {
    const char* json;
    const char* pointer;  // nullptr: good
};

TEST(slurm_config_file, faults_are_named) {
    constexpr config_case cases[] = {
        {R"({"endpoint":"http://h:1","user":"u","shared_directory":"/s","token":{"file":"/t"}})", nullptr},
        {R"({"endpoint":"https://h","user":"u","shared_directory":"/s","signing_key":{"file":"/k"},
             "partitions":[{"partition":"p","units":["core","node"]}]})",
         nullptr},
        {R"({"endpoint":"h:1","user":"u","shared_directory":"/s","token":{"file":"/t"}})", "/endpoint"},
        {R"({"endpoint":"http://h/slurm","user":"u","shared_directory":"/s","token":{"file":"/t"}})", "/endpoint"},
        {R"({"endpoint":"http://h","user":"u","shared_directory":"s p","token":{"file":"/t"}})", "/shared_directory"},
        {R"({"endpoint":"http://h","user":"u","shared_directory":"/s"})", ""},
        {R"({"endpoint":"http://h","user":"u","shared_directory":"/s","token":{"file":"/t","env":"T"}})", ""},
        {R"({"endpoint":"http://h","user":"u","shared_directory":"/s","token":{"file":"/t"},"partition":[]})",
         "/partition"},
        {R"({"endpoint":"http://h","user":"u","shared_directory":"/s","token":{"file":"/t"},
             "partitions":[{"partition":"p","units":["gpu"]}]})",
         "/partitions/0/units/0"},
        {R"({"endpoint":"http://h","user":"u","shared_directory":"/s","token":{"file":"/t"},
             "partitions":[{"partition":"p","site":"elsewhere"}]})",
         "/partitions/0/site"}};
    for (const auto& one : cases) {
        const auto config = decode_slurm_config(one.json, {"here"});
        ASSERT_EQ(config.has_value(), one.pointer == nullptr) << one.json;
        if (one.pointer != nullptr) {
            EXPECT_EQ(config.error().faults.at(0).pointer, one.pointer) << one.json;
        }
    }
}

}  // namespace
}  // namespace westerly
