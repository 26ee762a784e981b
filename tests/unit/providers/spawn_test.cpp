#include "broker/providers/process_spawn.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace westerly {
namespace {

using testing::HasSubstr;
using testing::Not;

spawn_request shell(const std::string& script) {
    return {std::filesystem::path(WESTERLY_BIN_DIR) / "westerly-spawn", {"/bin/sh", "-c", script}, {}};
}

std::string read_all(int fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    return text;
}

std::string wait_for(int pidfd) {
    pollfd watched{pidfd, POLLIN, 0};
    if (::poll(&watched, 1, 30'000) != 1)
        return "still running";
    return reap(pidfd).value_or("not reaped");
}

struct ran {
    std::string output;
    std::string errors;
    std::string how;
};
ran run(const spawn_request& request) {
    auto made = spawn(request);
    if (!made)
        return {{}, made.error().detail, {}};
    made->input = unique_fd();
    ran out{read_all(made->output.get()), read_all(made->errors.get()), {}};
    out.how = wait_for(made->pidfd.get());
    return out;
}

TEST(spawn, tells_exit_codes_and_signals_apart) {
    EXPECT_EQ(run(shell("exit 3")).how, "exit code 3");
    EXPECT_EQ(run(shell("kill -9 $$")).how, "signal 9 (Killed)");
    EXPECT_EQ(reap(-1).value_or("").substr(0, 14), "unknown status");
}

TEST(spawn, a_running_process_is_not_reaped) {
    auto made = spawn(shell("read line; echo \"$line\""));
    ASSERT_TRUE(made);
    EXPECT_FALSE(reap(made->pidfd.get()));
    ASSERT_EQ(::write(made->input.get(), "hi\n", 3), 3);
    EXPECT_EQ(wait_for(made->pidfd.get()), "exit code 0");
    EXPECT_EQ(read_all(made->output.get()), "hi\n");
}

TEST(spawn, only_the_three_pipes_are_inherited) {
    const int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
    ASSERT_GE(leaked, 3);
    const auto got = run(shell("ls /proc/$$/fd"));
    ::close(leaked);
    EXPECT_EQ(got.output, "0\n1\n2\n");
}

TEST(spawn, limits_groups_and_signals_are_set) {
    ::setenv("WESTERLY_SECRET", "x", 1);
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto got =
        run(shell("ulimit -c; ulimit -n; grep SigBlk /proc/self/status; ps -o pgid= -p $$ | tr -d ' '; "
                  "echo $$; env"));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::unsetenv("WESTERLY_SECRET");
    EXPECT_THAT(got.output, HasSubstr("0\n4096\nSigBlk:\t0000000000000000\n"));
    EXPECT_THAT(got.output, Not(HasSubstr("WESTERLY_SECRET")));
}

TEST(spawn, dies_with_the_thread_that_started_it) {
    unique_fd pidfd;
    std::thread([&] {
        auto made = spawn(shell("echo up; exec sleep 60"));
        ASSERT_TRUE(made);
        char up[4];
        ASSERT_EQ(::read(made->output.get(), up, 3), 3);  // past the helper's work
        pidfd = std::move(made->pidfd);
    }).join();
    EXPECT_EQ(wait_for(pidfd.get()), "signal 9 (Killed)");
}

struct refusal {
    const char* name;
    std::vector<std::string> arguments;
    const char* how;
    const char* says;
};
class spawn_refusal_test : public testing::TestWithParam<refusal> {};
TEST_P(spawn_refusal_test, is_told) {
    // The helper started by the helper, with these arguments.
    const auto helper = std::filesystem::path(WESTERLY_BIN_DIR) / "westerly-spawn";
    spawn_request request{helper, {helper.string()}, {}};
    request.command.insert(request.command.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    const auto got = run(request);
    EXPECT_EQ(got.how, GetParam().how);
    EXPECT_THAT(got.errors, HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    all, spawn_refusal_test,
    testing::Values(refusal{"no_parent", {"--", "true"}, "exit code 126", "--parent: is missing"},
                    refusal{"no_command", {"--parent", "1"}, "exit code 126", "needs a command"},
                    refusal{"another_parent", {"--parent", "999999999", "--", "true"}, "exit code 126", "is gone"},
                    refusal{"unknown_option", {"--nice", "1"}, "exit code 126", "--nice: unknown option"},
                    refusal{"no_number", {"--parent", "1x"}, "exit code 126", "needs a number"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(spawn, a_missing_command_or_helper_is_told) {
    const auto got = run({std::filesystem::path(WESTERLY_BIN_DIR) / "westerly-spawn", {"no-such-command"}, {}});
    EXPECT_EQ(got.how, "exit code 127");
    EXPECT_THAT(got.errors, HasSubstr("no-such-command: No such file or directory"));
    const auto none = spawn({"/nonexistent/helper", {"true"}, {}});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, errc::provider_unavailable);
}

TEST(spawn, the_helper_changes_the_user_before_the_death_signal) {
    if (::geteuid() != 0)
        GTEST_SKIP() << "needs root";
    const auto helper = std::filesystem::path(WESTERLY_BIN_DIR) / "westerly-spawn";
    // exec keeps the pid, so the inner helper's parent is this process as well.
    spawn_request request{helper,
                          {helper.string(), "--parent", std::to_string(::getpid()), "--uid", "65534", "--gid", "65534",
                           "--", "/bin/sh", "-c", "id -u; id -g"},
                          {}};
    EXPECT_EQ(run(request).output, "65534\n65534\n");
}

}  // namespace
}  // namespace westerly
