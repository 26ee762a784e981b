#include "broker/support/bytes.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace westerly::testing {
namespace {

class workloads_test : public api_fixture {};

TEST_F(workloads_test, submit_answers_201_with_location_and_etag_and_can_be_read) {
    serve();
    const auto made = post_json("/v1/workloads", broker.east_key, small_workload);
    ASSERT_EQ(made.status, 201) << made.body;
    const auto body = parse(made.body);
    EXPECT_EQ(made.header("location"), std::string("/v1/workloads/") + body["id"].GetString());
    EXPECT_EQ(made.header("etag"), "\"1\"");
    EXPECT_EQ(made.header("idempotent-replayed"), "");
    EXPECT_STREQ(body["state"].GetString(), "queued");
    const auto read = ask("GET", made.header("location"), as(broker.east_key));
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(read.body, made.body);
    const auto asked = broker.asked<submit_workload>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].who.tenant, broker.east);
    EXPECT_EQ(asked[0].spec->name, "hello");
    EXPECT_EQ(asked[0].body, sha256(small_workload));
}

TEST_F(workloads_test, a_repeat_with_the_same_key_gives_the_stored_workload) {
    serve();
    const header_list key = {{"Idempotency-Key", "run 1"}};
    const auto first = post_json("/v1/workloads", broker.east_key, small_workload, key);
    const auto second = post_json("/v1/workloads", broker.east_key, small_workload, key);
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(second.status, 200);
    EXPECT_EQ(second.header("idempotent-replayed"), "true");
    EXPECT_EQ(first.body, second.body);
    const auto misuse = post_json("/v1/workloads", broker.east_key,
                                  R"({"kind":"batch","name":"other","variants":[{"command":["/bin/true"]}]})", key);
    expect_problem(misuse, 422, "idempotency-key-reused");
}

TEST_F(workloads_test, idempotency_keys_are_1_to_255_printable_ascii) {
    serve();
    const auto with = [&](const std::string& key) {
        return post_json("/v1/workloads", broker.east_key, small_workload, {{"Idempotency-Key", key}}).status;
    };
    EXPECT_EQ(with(std::string(255, 'k')), 201);
    EXPECT_EQ(with(std::string(256, 'k')), 400);
    EXPECT_EQ(with("caf\xC3\xA9"), 400);
    EXPECT_EQ(with(""), 400);
}

TEST_F(workloads_test, a_fault_names_its_field) {
    serve();
    const auto reply = post_json("/v1/workloads", broker.east_key,
                                 R"({"kind":"batch","name":"x","tasks":0,"variants":[{"command":["/bin/true"]}]})");
    expect_problem(reply, 400, "invalid");
    const auto body = parse(reply.body);
    ASSERT_TRUE(body.HasMember("errors"));
    EXPECT_STREQ(body["errors"][0]["pointer"].GetString(), "/tasks");
    EXPECT_TRUE(broker.asked<submit_workload>().empty());
}

TEST_F(workloads_test, a_bundle_must_have_been_uploaded) {
    serve();
    const auto with = [&](const std::string& files) {
        return post_json(
            "/v1/workloads", broker.east_key,
            R"({"kind":"batch","name":"x","variants":[{"command":["/bin/true"],"files":")" + files + "\"}]}");
    };
    expect_problem(with("sha256:" + std::string(64, '0')), 400, "invalid");
    const auto kept = ask("POST", "/v1/bundles", as(broker.east_key, {{"Content-Type", "application/x-tar"}}), "bytes");
    ASSERT_EQ(kept.status, 201);
    const auto body = parse(kept.body);
    EXPECT_EQ(body["size_bytes"].GetUint64(), 5u);
    EXPECT_EQ(with(body["files"].GetString()).status, 201);
}

TEST_F(workloads_test, lists_by_filter_and_cursor) {
    for (int i = 0; i < 5; ++i)
        broker.add_workload(broker.east, "east-" + std::to_string(i),
                            i == 0 ? workload_state::succeeded : workload_state::queued);
    broker.add_workload(broker.west, "west-0");
    serve();
    const auto count = [&](const std::string& target, const std::string& key) {
        const auto reply = ask("GET", target, as(key));
        EXPECT_EQ(reply.status, 200) << reply.body;
        return parse(reply.body)["items"].Size();
    };
    EXPECT_EQ(count("/v1/workloads", broker.east_key), 5u);
    EXPECT_EQ(count("/v1/workloads", broker.west_key), 1u);
    EXPECT_EQ(count("/v1/workloads", broker.operator_key), 6u);
    EXPECT_EQ(count("/v1/workloads?tenant=" + to_string(broker.west), broker.operator_key), 1u);
    EXPECT_EQ(count("/v1/workloads?state=succeeded&state=failed", broker.east_key), 1u);
    EXPECT_EQ(count("/v1/workloads?name=east-3", broker.east_key), 1u);
    EXPECT_EQ(count("/v1/workloads?label=a=b", broker.east_key), 0u);
    EXPECT_EQ(count("/v1/workloads?project=p", broker.east_key), 0u);
    const auto first = parse(ask("GET", "/v1/workloads?limit=3", as(broker.east_key)).body);
    EXPECT_EQ(first["items"].Size(), 3u);
    const auto rest = parse(
        ask("GET", std::string("/v1/workloads?limit=3&cursor=") + first["next_cursor"].GetString(), as(broker.east_key))
            .body);
    EXPECT_EQ(rest["items"].Size(), 2u);
    EXPECT_FALSE(rest.HasMember("next_cursor"));
}

struct bad_query {
    const char* name;
    const char* target;
    int status = 400;
};
class bad_query_test : public api_fixture, public ::testing::WithParamInterface<bad_query> {};

TEST_P(bad_query_test, is_refused) {
    auto w = broker.add_workload(broker.east, "w");
    broker.add_attempt(w, attempt_state::running);
    serve();
    std::string target = GetParam().target;
    if (const auto at = target.find("ID"); at != std::string::npos)
        target.replace(at, 2, to_string(w.id));
    expect_problem(ask("GET", target, as(broker.east_key)), GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    all, bad_query_test,
    ::testing::Values(
        bad_query{"unknown_name", "/v1/workloads?colour=red"},
        bad_query{"unknown_on_a_path_without_any", "/v1/whoami?limit=3"},
        bad_query{"twice", "/v1/workloads?limit=3&limit=4"}, bad_query{"limit_zero", "/v1/workloads?limit=0"},
        bad_query{"limit_501", "/v1/workloads?limit=501"}, bad_query{"limit_text", "/v1/workloads?limit=x"},
        bad_query{"cursor", "/v1/workloads?cursor=x"}, bad_query{"state", "/v1/workloads?state=done"},
        bad_query{"label_without_key", "/v1/workloads?label==b"},
        bad_query{"label_without_value", "/v1/workloads?label=a"}, bad_query{"tenant", "/v1/workloads?tenant=x"},
        bad_query{"another_tenant", "/v1/workloads?tenant=01890000-0000-7000-8000-000000000000", 403},
        bad_query{"from", "/v1/charges?from=yesterday"},
        bad_query{"from_after_until", "/v1/usage?from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z"},
        bad_query{"workload", "/v1/charges?workload=1"}, bad_query{"offers_cursor", "/v1/offers?cursor=xyz"},
        bad_query{"rank", "/v1/workloads/ID/logs?rank=1"}, bad_query{"stream", "/v1/workloads/ID/logs?stream=both"},
        bad_query{"from_byte", "/v1/workloads/ID/logs?from=-1"},
        bad_query{"follow", "/v1/workloads/ID/logs?follow=yes"},
        bad_query{"attempt_zero", "/v1/workloads/ID/logs?attempt=0"},
        bad_query{"attempt_unknown", "/v1/workloads/ID/logs?attempt=2", 404},
        bad_query{"percent", "/v1/workloads?name=%zz"}, bad_query{"zero_byte", "/v1/workloads?name=%00"},
        bad_query{"not_utf8", "/v1/workloads?name=%ff"}, bad_query{"dots", "/v1/../etc"},
        bad_query{"event_cursor", "/v1/events?cursor=x"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(workloads_test, if_none_match_answers_304) {
    const auto w = broker.add_workload(broker.east, "w");
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id);
    const auto same = ask("GET", path, as(broker.east_key, {{"If-None-Match", "\"7\", W/\"1\""}}));
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.body, "");
    EXPECT_EQ(same.header("etag"), "\"1\"");
    EXPECT_EQ(ask("GET", path, as(broker.east_key, {{"If-None-Match", "\"2\""}})).status, 200);
}

TEST_F(workloads_test, cancel_honours_if_match) {
    const auto w = broker.add_workload(broker.east, "w");
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id) + "/cancel";
    expect_problem(ask("POST", path, as(broker.east_key, {{"If-Match", "\"9\""}})), 412, "precondition-failed");
    expect_problem(ask("POST", path, as(broker.east_key, {{"If-Match", "nine"}})), 412, "precondition-failed");
    const auto done = ask("POST", path, as(broker.east_key, {{"If-Match", "\"1\""}}));
    EXPECT_EQ(done.status, 202);
    EXPECT_EQ(done.header("etag"), "\"2\"");
    EXPECT_TRUE(parse(done.body)["cancel_wanted"].GetBool());
    EXPECT_EQ(ask("POST", path, as(broker.east_key, {{"If-Match", "*"}})).status, 202);
    EXPECT_EQ(ask("POST", path, as(broker.east_key, {{"Content-Type", "application/json"}}), "{}").status, 202);
}

TEST_F(workloads_test, retry_makes_a_new_one_of_the_same_spec) {
    const auto failed = broker.add_workload(broker.east, "w", workload_state::failed);
    const auto queued = broker.add_workload(broker.east, "q");
    serve();
    const auto made = ask("POST", "/v1/workloads/" + to_string(failed.id) + "/retry", as(broker.east_key));
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_STRNE(parse(made.body)["id"].GetString(), to_string(failed.id).c_str());
    EXPECT_EQ(*broker.asked<retry_workload>()[0].spec, *failed.spec);
    expect_problem(ask("POST", "/v1/workloads/" + to_string(queued.id) + "/retry", as(broker.east_key)), 409,
                   "conflict");
}

TEST_F(workloads_test, a_second_copy_is_accepted_in_so_many_words) {
    auto w = broker.add_workload(broker.east, "w", workload_state::launching);
    const auto unknown = broker.add_attempt(w, attempt_state::unknown);
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id) + "/give-up";
    const auto asked = [&](const std::string& body, const std::string& key) {
        return ask("POST", path, as(key, {{"Content-Type", "application/json"}}), body);
    };
    const std::string id = "\"attempt\": \"" + to_string(unknown.id) + "\"";
    const auto good = "{" + id + ", \"accept_second_copy\": true}";
    expect_problem(asked("{" + id + "}", broker.east_key), 400, "invalid");
    expect_problem(asked("{" + id + ", \"accept_second_copy\": false}", broker.east_key), 400, "invalid");
    expect_problem(asked("{\"accept_second_copy\": true}", broker.east_key), 400, "invalid");
    expect_problem(asked("{" + id + ", \"accept_second_copy\": true, \"sure\": true}", broker.east_key), 400,
                   "invalid");
    expect_problem(asked(good, broker.west_key), 404, "not-found");
    EXPECT_TRUE(broker.asked<give_up_attempt>().empty());
    EXPECT_EQ(asked(good, broker.east_key).status, 202);
    ASSERT_EQ(broker.asked<give_up_attempt>().size(), 1u);
    EXPECT_EQ(broker.asked<give_up_attempt>()[0].attempt, unknown.id);
}

TEST_F(workloads_test, attempts_and_decisions) {
    auto w = broker.add_workload(broker.east, "w", workload_state::active);
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id);
    expect_problem(ask("GET", path + "/decision", as(broker.east_key)), 404, "not-found");
    broker.add_attempt(w, attempt_state::running);
    const auto made = broker.add_decision(w);
    EXPECT_EQ(parse(ask("GET", path + "/attempts", as(broker.east_key)).body)["items"].Size(), 1u);
    const auto last = ask("GET", path + "/decision", as(broker.east_key));
    EXPECT_EQ(last.status, 200);
    const auto same = ask("GET", "/v1/decisions/" + to_string(made.id), as(broker.east_key));
    EXPECT_EQ(same.body, last.body);
    EXPECT_EQ(ask("GET", "/v1/decisions/" + to_string(made.id), as(broker.operator_key)).status, 200);
}

TEST_F(workloads_test, the_engines_refusals_keep_their_status) {
    serve();
    for (const auto& [code, status] : {std::pair(errc::overloaded, 503), std::pair(errc::shutting_down, 503),
                                       std::pair(errc::no_feasible_offer, 422), std::pair(errc::timed_out, 504),
                                       std::pair(errc::too_large, 413), std::pair(errc::storage_failed, 500)}) {
        broker.refuse_with = fail(code, "no", "wait");
        const auto reply = post_json("/v1/workloads", broker.east_key, small_workload);
        expect_problem(reply, status);
        EXPECT_EQ(reply.header("retry-after"), status == 503 ? "1" : "");
    }
}

TEST_F(workloads_test, a_defect_answers_500_and_the_connection_goes_on) {
    const auto w = broker.add_workload(broker.east, "w");
    serve();
    broker.readers_throw = true;
    auto client = connect();
    expect_problem(client.ask("GET", "/v1/workloads/" + to_string(w.id), as(broker.east_key)), 500, "internal");
    broker.readers_throw = false;
    EXPECT_EQ(client.ask("GET", "/v1/workloads/" + to_string(w.id), as(broker.east_key)).status, 200);
}

}  // namespace
}  // namespace westerly::testing
