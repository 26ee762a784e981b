#include "broker/providers/verbs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace westerly {
namespace {

using testing::ElementsAre;

/// Answers from a script, in order; timers run when asked.
class scripted_client final : public adapter_client {
public:
    struct reply {
        std::string result;  // empty: the failure
        rpc_failure failure;
    };
    std::deque<reply> replies;
    std::vector<std::string> verbs;
    std::vector<std::string> params;
    std::deque<std::function<void()>> timers;
    std::vector<milliseconds> waits;
    std::string name = "fake";

    void ok(const std::string& json) { replies.push_back({json, {}}); }
    void error(adapter_error kind) { replies.push_back({{}, {kind, "scripted", std::nullopt}}); }

    void call(std::string_view verb, std::string text, call_done done) override {
        verbs.emplace_back(verb);
        params.push_back(std::move(text));
        ASSERT_FALSE(replies.empty()) << verb;
        const auto next = replies.front();
        replies.pop_front();
        call_answer answer;
        answer.replied = true;
        answer.failure = next.failure;
        rapidjson::Document document;
        if (!next.result.empty()) {
            document.Parse(next.result.c_str());
            answer.value = &document;
        }
        done(answer);
    }
    void after(milliseconds delay, std::function<void()> then) override {
        waits.push_back(delay);
        timers.push_back(std::move(then));
    }
    void run_timers() {
        while (!timers.empty()) {
            const auto then = timers.front();
            timers.pop_front();
            then();
        }
    }
    const provider_id& id() const override { return name; }
};

const attempt_id attempt = [] {
    random_source random(9);
    return attempt_id::make(instant{milliseconds(5)}, random);
}();
const std::string token = launch_token(attempt);

std::string seen(const std::string& phase, const std::string& of = token) {
    return R"({"phase": ")" + phase + R"(", "token": ")" + of + R"(", "handle": "h", "seq": 1})";
}
const std::string done_reply = R"({"outcome": "done", "handle": "h"})";

struct put_case {
    const char* name;
    std::vector<std::string> replies;  // JSON, or "!" for an unavailable error
    std::vector<std::string> verbs;
    call_outcome outcome;
};
class put_test : public testing::TestWithParam<put_case> {};

TEST_P(put_test, decides_what_is_proved) {
    scripted_client client;
    for (const auto& reply : GetParam().replies)
        reply == "!" ? client.error(adapter_error::unavailable) : client.ok(reply);
    const std::string bundle(put_piece_bytes, 'x');
    const bundle_reader read = [&](const std::string&, std::uint64_t from, std::size_t most) -> result<std::string> {
        return bundle.substr(std::min<std::size_t>(from, bundle.size()), most);
    };
    auto request = std::make_shared<launch_request>();
    request->token = token;
    request->has_files = true;
    std::vector<mutation_reply> answers;
    launch(client, request, read, [&](mutation_reply reply) { answers.push_back(std::move(reply)); });
    EXPECT_EQ(client.verbs, GetParam().verbs);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].outcome, GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    all, put_test,
    testing::Values(
        put_case{"whole_pieces_end_with_the_file", {done_reply, done_reply}, {"put", "launch"}, call_outcome::done},
        put_case{"failed_and_absent", {"!", seen("absent")}, {"put", "find"}, call_outcome::not_done},
        put_case{"failed_but_an_earlier_launch_worked", {"!", seen("running")}, {"put", "find"}, call_outcome::done},
        put_case{"failed_and_not_found_out", {"!", "!"}, {"put", "find"}, call_outcome::unknown},
        put_case{"failed_and_another_thing_found",
                 {"!", seen("absent", "w0123456789abcdef0123456789abcdef")},
                 {"put", "find"},
                 call_outcome::unknown},
        put_case{"refused_in_its_result",
                 {R"({"outcome": "not_done", "why": "invalid", "message": "no"})", seen("absent")},
                 {"put", "find"},
                 call_outcome::not_done},
        put_case{"launch_without_answer", {done_reply, "!"}, {"put", "launch"}, call_outcome::unknown}),
    [](const auto& info) { return std::string(info.param.name); });

struct kind_case {
    adapter_error kind;
    call_outcome of_mutation;
    errc of_read;
};
class kind_test : public testing::TestWithParam<kind_case> {};
TEST_P(kind_test, is_mapped) {
    EXPECT_EQ(mutation_of({GetParam().kind, "m", 3}).outcome, GetParam().of_mutation);
    EXPECT_EQ(mutation_of({GetParam().kind, "m", 3}).retry_after_s, 3u);
    EXPECT_EQ(read_error("p", {GetParam().kind, "m", {}}).code, GetParam().of_read);
    scripted_client client;
    client.error(GetParam().kind);
    cancel(client, token, 5, [](mutation_reply reply) { EXPECT_EQ(reply.outcome, GetParam().of_mutation); });
}
INSTANTIATE_TEST_SUITE_P(
    all, kind_test,
    testing::Values(kind_case{adapter_error::unavailable, call_outcome::unknown, errc::provider_unavailable},
                    kind_case{adapter_error::internal, call_outcome::unknown, errc::provider_unavailable},
                    kind_case{adapter_error::not_found, call_outcome::unknown, errc::not_found},
                    kind_case{adapter_error::rate_limited, call_outcome::not_done, errc::provider_throttled},
                    kind_case{adapter_error::no_capacity, call_outcome::not_done, errc::provider_rejected},
                    kind_case{adapter_error::quota_exceeded, call_outcome::not_done, errc::provider_rejected},
                    kind_case{adapter_error::unauthorised, call_outcome::not_done, errc::provider_rejected},
                    kind_case{adapter_error::invalid, call_outcome::not_done, errc::invalid}),
    [](const auto& info) { return std::string(to_string(info.param.kind)); });

TEST(get, asks_in_batches_and_drops_what_was_not_asked_for) {
    scripted_client client;
    random_source random(2);
    std::vector<std::string> tokens = {token};
    while (tokens.size() < tokens_per_get + 1)
        tokens.push_back(launch_token(attempt_id::make(instant{milliseconds(6)}, random)));
    client.ok(R"({"items": [)" + seen("running") + "," + seen("running", "w0123456789abcdef0123456789abcdef") + "]}");
    client.error(adapter_error::unavailable);
    std::vector<std::string> told;
    get(client, tokens, [&](observation o) { told.push_back(o.token); });
    EXPECT_THAT(told, ElementsAre(token));
    EXPECT_THAT(client.verbs, ElementsAre("get", "get"));
}

std::string list_page(bool complete, const std::string& at, const std::string& cursor) {
    return R"({"items": [)" + seen("running") + R"(], "complete": )" + (complete ? "true" : "false") +
           R"(, "as_of": "2026-01-31T08:00:)" + at + R"(.000Z", "next_cursor": ")" + cursor + R"("})";
}

TEST(list_all, takes_the_last_word_on_completeness_and_the_earliest_time) {
    scripted_client client;
    client.ok(list_page(false, "07", "1"));
    client.ok(list_page(false, "03", "2"));
    client.ok(list_page(true, "05", ""));
    list_all(client, "me", [](listing all) {
        EXPECT_TRUE(all.complete);
        EXPECT_EQ(all.items.size(), 3u);
        EXPECT_EQ(format_rfc3339(all.as_of), "2026-01-31T08:00:03.000Z");
    });
    EXPECT_EQ(client.verbs.size(), 3u);
}

TEST(list_all, never_calls_complete_what_is_not) {
    scripted_client incomplete;
    incomplete.ok(list_page(false, "07", ""));
    list_all(incomplete, "me", [](listing all) { EXPECT_FALSE(all.complete); });
    scripted_client broken;
    broken.ok(list_page(true, "07", "1"));
    broken.error(adapter_error::unavailable);
    list_all(broken, "me", [](listing all) { EXPECT_FALSE(all.complete); });
    scripted_client circling;
    circling.ok(list_page(true, "07", "1"));
    circling.ok(list_page(true, "07", "1"));
    list_all(circling, "me", [](listing all) { EXPECT_FALSE(all.complete); });
}

std::string piece(std::uint64_t from, const std::string& base64, std::uint64_t next, bool complete) {
    return R"({"from": )" + std::to_string(from) + R"(, "next": )" + std::to_string(next) + R"(, "base64": ")" +
           base64 + R"(", "complete": )" + (complete ? "true" : "false") + "}";
}

class archive_test : public testing::Test {
protected:
    logs_archived run(std::uint32_t tasks = 1) {
        std::vector<logs_archived> ended;
        archive(client_, {"fake", attempt, tasks, 4}, keep_, random_, [&](logs_archived e) { ended.push_back(e); });
        client_.run_timers();
        EXPECT_EQ(ended.size(), 1u);
        return ended.empty() ? logs_archived{} : ended[0];
    }
    scripted_client client_;
    random_source random_{4};
    std::string kept_;
    int keep_fails_ = 0;
    log_keeper keep_ = [this](const attempt_id&, std::uint32_t rank, bool error_stream, std::uint64_t from,
                              const std::string& bytes) -> result<void> {
        if (keep_fails_-- > 0)
            return fail(errc::storage_failed, "disk full");
        kept_ += std::to_string(rank) + (error_stream ? "e" : "o") + std::to_string(from) + bytes + " ";
        return {};
    };
};

TEST_F(archive_test, reads_ranks_streams_and_pieces_in_order) {
    client_.ok(piece(0, "YWI=", 2, false));
    client_.ok(piece(2, "Yw==", 3, true));
    client_.ok(piece(0, "", 0, true));
    client_.ok(piece(0, "ZA==", 1, true));
    client_.ok(piece(0, "ZQ==", 1, true));
    EXPECT_TRUE(run(2).ok);
    EXPECT_EQ(kept_, "0o0ab 0o2c 1o0d 1e0e ");
}

TEST_F(archive_test, tries_again_where_it_was) {
    keep_fails_ = 1;
    client_.ok(piece(0, "YWI=", 2, true));  // not kept
    client_.error(adapter_error::unavailable);
    client_.ok(piece(0, "YWI=", 2, true));
    client_.ok(piece(0, "", 0, true));
    EXPECT_TRUE(run().ok);
    EXPECT_EQ(kept_, "0o0ab ");
    EXPECT_EQ(client_.waits.size(), 2u);
}

TEST_F(archive_test, gives_up_at_the_limit) {
    for (std::uint32_t i = 0; i < archive_tries_max; ++i)
        client_.error(adapter_error::unavailable);
    const auto ended = run();
    EXPECT_FALSE(ended.ok);
    EXPECT_EQ(ended.message, "scripted");
    EXPECT_EQ(ended.outbox_seq, 4u);
}

TEST_F(archive_test, gives_up_at_once_when_the_logs_are_gone) {
    client_.error(adapter_error::not_found);
    EXPECT_FALSE(run().ok);
    EXPECT_TRUE(client_.waits.empty());
}

TEST_F(archive_test, offsets_that_run_back_are_not_kept) {
    client_.ok(piece(0, "YWI=", 2, false));
    for (std::uint32_t i = 0; i < archive_tries_max; ++i)
        client_.ok(piece(0, "YWI=", 2, false));
    EXPECT_FALSE(run().ok);
    EXPECT_EQ(kept_, "0o0ab ");
}

}  // namespace
}  // namespace westerly
