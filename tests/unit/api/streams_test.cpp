#include "tests/unit/api/api_fixture.hpp"

#include <thread>

namespace westerly::testing {
namespace {

class streams_test : public api_fixture {
protected:
    /// Asks for a stream and reads its header.
    tls_client open(const std::string& target, const std::string& key, header_list more = {}) {
        auto client = connect();
        std::string text = "GET " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\n";
        for (const auto& [name, value] : more)
            text += name + ": " + value + "\r\n";
        client.send(text + "\r\n");
        head = client.read_until("\r\n\r\n");
        return client;
    }
    tls_client open_events(const std::string& target, const std::string& key, header_list more = {}) {
        more.emplace_back("Accept", "text/event-stream");
        return open(target, key, std::move(more));
    }
    std::string head;
};

TEST_F(streams_test, events_as_a_list) {
    const auto w = broker.add_workload(broker.east, "w");
    const auto other = broker.add_workload(broker.west, "o");
    broker.add_event(w, "workload.queued");
    broker.add_event(w, "workload.launching");
    broker.add_event(other, "workload.queued");
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id) + "/events";
    const auto first = parse(ask("GET", path + "?limit=1", as(broker.east_key)).body);
    ASSERT_EQ(first["items"].Size(), 1u);
    EXPECT_STREQ(first["items"][0]["type"].GetString(), "workload.queued");
    const auto next = parse(ask("GET", path + "?cursor=" + first["next_cursor"].GetString(), as(broker.east_key)).body);
    EXPECT_EQ(next["items"].Size(), 1u);
    EXPECT_TRUE(next.HasMember("next_cursor"));
    EXPECT_EQ(parse(ask("GET", "/v1/events", as(broker.east_key)).body)["items"].Size(), 2u);
    EXPECT_EQ(parse(ask("GET", "/v1/events", as(broker.operator_key)).body)["items"].Size(), 3u);
}

TEST_F(streams_test, a_stream_gives_the_past_then_what_comes) {
    const auto w = broker.add_workload(broker.east, "w");
    const auto other = broker.add_workload(broker.west, "o");
    broker.add_event(w, "workload.queued");
    serve();
    auto client = open_events("/v1/events", broker.east_key);
    EXPECT_NE(head.find("Content-Type: text/event-stream"), std::string::npos) << head;
    EXPECT_NE(client.read_until("id: 1\n\n").find("event: workload.queued\ndata: {"), std::string::npos);
    broker.add_event(other, "workload.secret");
    broker.add_event(w, "workload.active");
    const auto text = client.read_until("id: 2\n\n");
    EXPECT_NE(text.find("event: workload.active"), std::string::npos);
    EXPECT_EQ(text.find("secret"), std::string::npos);
}

TEST_F(streams_test, a_stream_resumes_after_the_last_event_id) {
    const auto w = broker.add_workload(broker.east, "w");
    for (int i = 1; i <= 3; ++i)
        broker.add_event(w, "step." + std::to_string(i));
    serve();
    auto by_header = open_events("/v1/events", broker.east_key, {{"Last-Event-ID", "2"}});
    EXPECT_EQ(by_header.read_until("id: 3\n\n").find("step.2"), std::string::npos);
    auto by_cursor = open_events("/v1/events?cursor=2", broker.east_key);
    EXPECT_EQ(by_cursor.read_until("id: 3\n\n").find("step.2"), std::string::npos);
    expect_problem(
        ask("GET", "/v1/events", as(broker.east_key, {{"Accept", "text/event-stream"}, {"Last-Event-ID", "x"}})), 400);
}

TEST_F(streams_test, a_workloads_stream_ends_with_it) {
    auto w = broker.add_workload(broker.east, "w");
    broker.add_event(w, "workload.queued");
    serve();
    auto client = connect();
    client.send("GET /v1/workloads/" + to_string(w.id) +
                "/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                "Authorization: Bearer " +
                broker.east_key + "\r\n\r\n");
    w.state = workload_state::succeeded;
    broker.change(w);
    broker.add_event(w, "workload.succeeded");
    const auto reply = client.read_reply();
    EXPECT_TRUE(reply.whole);
    EXPECT_NE(reply.body.find("event: workload.succeeded"), std::string::npos) << reply.body;
    EXPECT_TRUE(reply.body.ends_with("event: end\ndata: {\"state\":\"succeeded\"}\n\n")) << reply.body;
    EXPECT_EQ(client.ask("GET", "/healthz").status, 200) << "the connection goes on";
}

TEST_F(streams_test, many_events_are_neither_lost_nor_repeated) {
    const auto w = broker.add_workload(broker.east, "w");
    serve();
    auto client = open_events("/v1/events", broker.east_key);
    std::thread writer([&] {
        for (int i = 1; i <= 1500; ++i)
            broker.add_event(w, "n" + std::to_string(i) + ".");
    });
    const auto text = client.read_until("id: 1500\n\n");
    writer.join();
    std::size_t at = 0;
    for (int i = 1; i <= 1500; ++i) {
        const auto found = text.find("event: n" + std::to_string(i) + ".\n", at);
        ASSERT_NE(found, std::string::npos) << i;
        ASSERT_GE(found, at);
        at = found;
    }
    EXPECT_EQ(text.find("event: n1.\n", text.find("event: n1.\n") + 1), std::string::npos);
}

TEST_F(streams_test, streams_are_counted_per_tenant) {
    options.streams_per_tenant_max = 1;
    serve();
    {
        auto first = open_events("/v1/events", broker.east_key);
        expect_problem(ask("GET", "/v1/events", as(broker.east_key, {{"Accept", "text/event-stream"}})), 429);
        EXPECT_NE(open_events("/v1/events", broker.west_key).read_some(), "");
        first.close();
    }
    int status = 0;  // the broker notices that the reader is gone
    for (int i = 0; i < 200 && status != 200; ++i) {
        std::this_thread::sleep_for(milliseconds(10));
        open_events("/v1/events", broker.east_key);
        status = std::stoi(head.substr(9, 3));
    }
    EXPECT_EQ(status, 200);
}

TEST_F(streams_test, logs_come_in_pieces) {
    auto w = broker.add_workload(broker.east, "w", workload_state::active);
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id) + "/logs";
    const auto before = ask("GET", path, as(broker.east_key));
    EXPECT_EQ(before.status, 200);
    EXPECT_EQ(before.header("x-log-complete"), "false");
    auto run = broker.add_attempt(w, attempt_state::running);
    EXPECT_EQ(ask("GET", path, as(broker.east_key)).header("x-next-offset"), "0") << "nothing written yet";
    broker.write_log(run.id, "hello\n", false);
    const auto piece = ask("GET", path + "?rank=0&stream=stdout&from=2&attempt=1", as(broker.east_key));
    EXPECT_EQ(piece.body, "llo\n");
    EXPECT_EQ(piece.header("content-type"), "application/octet-stream");
    EXPECT_EQ(piece.header("x-next-offset"), "6");
    EXPECT_EQ(piece.header("x-log-complete"), "false");
    broker.write_log(run.id, "", true);
    EXPECT_EQ(ask("GET", path + "?from=6", as(broker.east_key)).header("x-log-complete"), "true");
}

TEST_F(streams_test, logs_follow_from_before_the_start_to_the_end) {
    auto w = broker.add_workload(broker.east, "w");
    serve();
    auto client = open("/v1/workloads/" + to_string(w.id) + "/logs?follow=true", broker.east_key);
    EXPECT_NE(head.find("Transfer-Encoding: chunked"), std::string::npos);
    const auto run = broker.add_attempt(w, attempt_state::running);
    broker.write_log(run.id, "one\n", false);
    EXPECT_NE(client.read_until("one\n").find("one\n"), std::string::npos);
    broker.write_log(run.id, std::string(600'000, 'x') + "two\n", true);
    const auto rest = client.read_until("\r\n0\r\n\r\n");
    EXPECT_TRUE(rest.ends_with("two\n\r\n0\r\n\r\n"));
    EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(streams_test, following_ends_when_a_workload_ends_without_an_attempt) {
    auto w = broker.add_workload(broker.east, "w");
    serve();
    auto client = connect();
    client.send("GET /v1/workloads/" + to_string(w.id) +
                "/logs?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + broker.east_key + "\r\n\r\n");
    w.state = workload_state::cancelled;
    broker.change(w);
    const auto reply = client.read_reply();
    EXPECT_TRUE(reply.whole);
    EXPECT_EQ(reply.body, "");
}

TEST_F(streams_test, output_files) {
    auto w = broker.add_workload(broker.east, "w", workload_state::succeeded);
    serve();
    const auto path = "/v1/workloads/" + to_string(w.id) + "/files";
    expect_problem(ask("GET", path, as(broker.east_key)), 404);
    broker.add_attempt(w, attempt_state::ended);
    std::string large(3500, 'x');
    large.back() = 'y';
    broker.outputs = {{"a b.txt", "small"}, {"deep/er/large.bin", large}};
    const auto list = parse(ask("GET", path, as(broker.east_key)).body);
    ASSERT_EQ(list["items"].Size(), 2u);
    EXPECT_EQ(list["items"][1]["size_bytes"].GetUint64(), 3500u);
    const auto small = ask("GET", path + "/a%20b.txt", as(broker.east_key));
    EXPECT_EQ(small.body, "small");
    EXPECT_EQ(small.header("content-length"), "5");
    EXPECT_EQ(ask("GET", path + "/deep/er/large.bin?attempt=1", as(broker.east_key)).body, large);
    expect_problem(ask("GET", path + "/none", as(broker.east_key)), 404);
    expect_problem(ask("GET", path + "/deep/../a", as(broker.east_key)), 400);
    expect_problem(ask("GET", path + "/deep%2F..%2Fa", as(broker.east_key)), 400);
}

TEST_F(streams_test, drain_ends_streams_and_finishes_requests) {
    auto w = broker.add_workload(broker.east, "w");
    const auto run = broker.add_attempt(w, attempt_state::running);
    broker.write_log(run.id, "so far\n", false);
    serve();
    auto events = connect();
    events.send("GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer " +
                broker.east_key + "\r\n\r\n");
    auto log = open("/v1/workloads/" + to_string(w.id) + "/logs?follow=true", broker.east_key);
    log.read_until("so far\n");
    auto idle = connect();
    EXPECT_EQ(idle.ask("GET", "/healthz").status, 200);
    broker.hold(true);
    auto busy = connect();
    busy.send("POST /v1/workloads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(small_workload.size()) + "\r\nAuthorization: Bearer " + broker.east_key + "\r\n\r\n" +
              std::string(small_workload));
    while (broker.asked<submit_workload>().empty())
        std::this_thread::sleep_for(milliseconds(1));
    std::thread draining([&] { server->drain(seconds(20)); });
    EXPECT_TRUE(idle.ended());
    const auto last = events.read_reply();
    EXPECT_TRUE(last.whole);
    EXPECT_NE(last.body.find(": the broker is shutting down"), std::string::npos) << last.body;
    EXPECT_EQ(log.read_until("0\r\n\r\n").find("0\r\n\r\n"), std::string::npos) << "a cut log must not look whole";
    broker.hold(false);
    const auto made = busy.read_reply();
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.header("connection"), "close");
    draining.join();
    EXPECT_FALSE(connect().connected());
    EXPECT_EQ(broker.subscribers(), 0u);
}

TEST_F(streams_test, drain_gives_up_at_its_limit) {
    serve();
    broker.hold(true);
    auto busy = connect();
    busy.send("POST /v1/workloads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(small_workload.size()) + "\r\nAuthorization: Bearer " + broker.east_key + "\r\n\r\n" +
              std::string(small_workload));
    while (broker.asked<submit_workload>().empty())
        std::this_thread::sleep_for(milliseconds(1));
    server->drain(seconds(0));
    EXPECT_TRUE(busy.ended());
    broker.hold(false);  // the answer comes when nobody is there any more
    server.reset();
}

}  // namespace
}  // namespace westerly::testing
