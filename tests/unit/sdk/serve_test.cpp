#include "adapters/sdk/serve.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

namespace westerly {
namespace {

const std::string token = "w0123456789abcdef0123456789abcdef";
const std::string token_params_json = "{\"token\":\"" + token + "\"}";

/// Answers from a table; prints where it must not.
class fake_adapter final : public adapter {
public:
    verb_result<initialize_reply> initialize(const initialize_request& request, notifier& tell) override {
        std::puts("a library prints");
        std::fflush(stdout);
        if (request.provider == "refused")
            return failed(adapter_error::unauthorised, "no such account");
        tell_ = &tell;
        initialize_reply reply;
        reply.kind = "fake";
        reply.adapter_version = "1";
        return reply;
    }
    verb_result<offers_reply> offers(const offers_params&, const call_state&) override { return offers_reply{}; }
    verb_result<mutation_reply> launch(const launch_request&, const call_state&) override {
        return failed(adapter_error::no_capacity, std::string("voll \xff") + std::string(3000, 'x'), 7);
    }
    verb_result<observation> find(const token_params& p, const call_state&) override {
        observation seen;
        seen.token = p.token;
        tell_->attempt_changed(seen);
        return seen;
    }
    verb_result<std::vector<observation>> get(const tokens_params&, const call_state&) override {
        throw std::runtime_error("lost my mind");
    }
    verb_result<mutation_reply> cancel(const token_params& p, const call_state& call) override {
        observation begun;
        begun.token = p.token;
        tell_->attempt_changed(begun);
        while (!call.cancelled())
            std::this_thread::sleep_for(milliseconds(1));
        return failed(adapter_error::unavailable, "gave up");
    }
    verb_result<listing> list(const list_params&, const call_state&) override {
        listing page;
        page.items.resize(9000);
        for (auto& item : page.items) {
            item.token = token;
            item.message = std::string(200, 'm');
        }
        return page;
    }
    verb_result<probe_reply> probe(const call_state&) override { return probe_reply{true, {}}; }

private:
    notifier* tell_ = nullptr;
};

/// The adapter in a process of its own, with its streams as pipes.
class serve_test : public testing::Test {
protected:
    void SetUp() override {
        int to[2];
        int from[2];
        ASSERT_EQ(::pipe2(to, O_CLOEXEC), 0);
        ASSERT_EQ(::pipe2(from, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(to[0], 0);
            ::dup2(from[1], 1);
            ::close(to[1]);
            protocol_streams streams;
            fake_adapter provider;
            serve_and_exit(provider, streams, {.workers_max = 4, .queue_max = 8, .end_wait = milliseconds(500)});
        }
        ::close(to[0]);
        ::close(from[1]);
        in_ = to[1];
        out_ = from[0];
    }
    void TearDown() override {
        end_input();
        if (pid_ > 0)
            ::waitpid(pid_, nullptr, 0);
        ::close(out_);
    }
    void send(const std::string& line) {
        const auto whole = line + '\n';
        for (std::size_t done = 0; done < whole.size();) {
            const auto wrote = ::write(in_, whole.data() + done, whole.size() - done);
            if (wrote <= 0)
                return;
            done += static_cast<std::size_t>(wrote);
        }
    }
    rpc_message receive() {
        while (buffer_.find('\n') == std::string::npos) {
            char chunk[65536];
            pollfd ready{out_, POLLIN, 0};
            if (::poll(&ready, 1, 20'000) != 1)
                break;
            const auto got = ::read(out_, chunk, sizeof chunk);
            if (got <= 0)
                break;
            buffer_.append(chunk, static_cast<std::size_t>(got));
        }
        const auto end = buffer_.find('\n');
        EXPECT_NE(end, std::string::npos) << "no line: " << buffer_;
        if (end == std::string::npos)
            return {};
        auto message = decode_rpc(buffer_.substr(0, end));
        EXPECT_TRUE(message) << buffer_.substr(0, 200);
        buffer_.erase(0, end + 1);
        return message ? std::move(*message) : rpc_message();
    }
    void initialize(const std::string& provider = "fake") {
        send(rpc_request(1, "initialize", encode(initialize_request{1, provider, "me", "/tmp", "{}", {}})));
    }
    rpc_failure failure() { return decode_rpc_failure(receive()); }
    void end_input() {
        if (in_ >= 0)
            ::close(in_);
        in_ = -1;
    }
    int exit_code() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    pid_t pid_ = -1;
    int in_ = -1;
    int out_ = -1;
    std::string buffer_;
};

TEST_F(serve_test, what_a_library_prints_stays_off_the_stream) {
    initialize();
    const auto reply = receive();
    EXPECT_EQ(reply.what, rpc_message::kind::response);
    EXPECT_EQ(decode_initialize_reply(rpc_body(reply))->kind, "fake");
    end_input();
    EXPECT_EQ(exit_code(), 0);
}

TEST_F(serve_test, initialize_comes_first_and_may_be_tried_again) {
    send(rpc_request(5, "probe", "{}"));
    EXPECT_EQ(failure().kind, adapter_error::invalid);
    initialize("refused");
    EXPECT_EQ(failure().kind, adapter_error::unauthorised);
    initialize();
    EXPECT_EQ(receive().what, rpc_message::kind::response);
}

TEST_F(serve_test, failures_keep_their_kind_and_fit) {
    initialize();
    receive();
    launch_request request;
    request.token = token;
    request.owner = request.workload = request.attempt = request.tenant = request.site = request.offer = "x";
    request.run.command = {"true"};
    send(rpc_request(2, "launch", encode(request)));
    const auto why = failure();
    EXPECT_EQ(why.kind, adapter_error::no_capacity);
    EXPECT_EQ(why.retry_after_s, 7u);
    EXPECT_LE(why.message.size(), 1024u);
    send(rpc_request(3, "get", R"({"tokens":[]})"));
    EXPECT_THAT(failure().message, testing::HasSubstr("lost my mind"));
    send(rpc_request(4, "find", R"({"token":"w1"})"));
    EXPECT_EQ(failure().kind, adapter_error::invalid);
    send(rpc_request(5, "dance", "{}"));
    EXPECT_EQ(failure().kind, adapter_error::invalid);
    send(rpc_request(6, "logs", encode(log_request{token, 0, false, 0})));
    EXPECT_EQ(failure().kind, adapter_error::invalid);
}

TEST_F(serve_test, an_answer_that_does_not_fit_is_a_failure) {
    initialize();
    receive();
    send(rpc_request(2, "list", encode(list_params{"me", ""})));
    EXPECT_EQ(failure().kind, adapter_error::internal);
}

TEST_F(serve_test, notifications_stand_between_the_answers) {
    initialize();
    receive();
    send(rpc_request(2, "find", token_params_json));
    const auto note = receive();
    EXPECT_EQ(note.method, "attempt.changed");
    EXPECT_EQ(decode_observation(rpc_body(note))->token, token);
    EXPECT_EQ(receive().id, 2u);
}

TEST_F(serve_test, a_slow_call_can_be_cancelled_while_others_are_answered) {
    initialize();
    receive();
    send(rpc_request(2, "cancel", token_params_json));
    EXPECT_EQ(receive().method, "attempt.changed") << "it has begun: what is cancelled before is told otherwise";
    send(rpc_request(3, "probe", "{}"));
    EXPECT_EQ(receive().id, 3u);
    send(rpc_notification("$/cancel", encode(cancel_call_params{2})));
    const auto late = receive();
    EXPECT_EQ(late.id, 2u);
    EXPECT_EQ(decode_rpc_failure(late).kind, adapter_error::unavailable);
}

TEST_F(serve_test, a_verb_that_never_ends_does_not_keep_the_process) {
    initialize();
    receive();
    send(rpc_request(2, "cancel", token_params_json));
    end_input();
    EXPECT_EQ(exit_code(), 0);
}

class bad_line_test : public serve_test, public testing::WithParamInterface<std::string> {};
TEST_P(bad_line_test, ends_the_adapter) {
    initialize();
    receive();
    ::signal(SIGPIPE, SIG_IGN);
    send(GetParam());
    EXPECT_EQ(exit_code(), exit_bad_line);
}
INSTANTIATE_TEST_SUITE_P(all, bad_line_test,
                         testing::Values("not json", "[]", R"({"jsonrpc":"2.0","id":1})",
                                         R"({"jsonrpc":"2.0","id":1,"id":1,"method":"probe"})",
                                         std::string(protocol_line_max + 1, ' ')));

TEST_F(serve_test, a_stream_that_ends_inside_a_line_is_bad) {
    initialize();
    receive();
    ASSERT_EQ(::write(in_, "{", 1), 1);
    end_input();
    EXPECT_EQ(exit_code(), exit_bad_line);
}

}  // namespace
}  // namespace westerly
