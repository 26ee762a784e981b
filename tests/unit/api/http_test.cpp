#include "tests/unit/api/api_fixture.hpp"

#include <thread>

namespace westerly::testing {
namespace {

class http_test : public api_fixture {
protected:
    /// Sends bytes as they are and reads one answer.
    http_reply raw(std::string_view bytes) {
        auto client = connect();
        client.send(bytes);
        return client.read_reply();
    }
};

TEST_F(http_test, health_needs_no_key_and_headers_are_safe) {
    serve();
    const auto reply = ask("GET", "/healthz");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"status":"ok"})");
    EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.header("cache-control"), "no-store");
    EXPECT_NE(reply.header("strict-transport-security"), "");
    EXPECT_NE(reply.header("content-security-policy"), "");
    EXPECT_EQ(reply.header("date").size(), std::string("Sun, 06 Nov 1994 08:49:37 GMT").size());
    EXPECT_EQ(ask("GET", "/readyz").status, 200);
    broker.is_ready = false;
    const auto not_ready = ask("GET", "/readyz");
    expect_problem(not_ready, 503);
    EXPECT_NE(not_ready.body.find("the store is loading"), std::string::npos);
}

TEST_F(http_test, metrics_come_as_prometheus_text) {
    serve();
    ask("GET", "/healthz");
    const auto reply = ask("GET", "/metrics");
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.header("content-type").starts_with("text/plain"));
    for (const std::string_view part :
         {"westerly_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"2xx\"} 1",
          "westerly_http_connections", "westerly_workloads{state=\"queued\"} 0",
          "westerly_provider_ready{provider=\"hall\"} 1", "westerly_extra 1"})
        EXPECT_NE(reply.body.find(part), std::string::npos) << part;
}

TEST_F(http_test, keep_alive_serves_many_and_pipelining_keeps_the_order) {
    serve();
    auto client = connect();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(client.ask("GET", "/v1/whoami", as(broker.east_key)).status, 200);
    const std::string auth = "Authorization: Bearer " + broker.east_key + "\r\nHost: x\r\n";
    client.send(
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        "POST /v1/workloads HTTP/1.1\r\n" +
        auth + "Content-Type: application/json\r\nContent-Length: " + std::to_string(small_workload.size()) +
        "\r\n\r\n" + std::string(small_workload) +
        "GET /v1/nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /v1/workloads HTTP/1.1\r\n" +
        auth + "\r\n");
    EXPECT_EQ(client.read_reply().status, 200);
    EXPECT_EQ(client.read_reply().status, 201);
    EXPECT_EQ(client.read_reply().status, 404);
    EXPECT_EQ(parse(client.read_reply().body)["items"].Size(), 1u);
}

TEST_F(http_test, http_1_0_and_connection_close_end_the_connection) {
    serve();
    auto old = connect();
    old.send("GET /healthz HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.read_reply().status, 200);
    EXPECT_TRUE(old.ended());
    auto asked = connect();
    const auto reply = asked.ask("GET", "/healthz", {{"Connection", "close"}});
    EXPECT_EQ(reply.header("connection"), "close");
    EXPECT_TRUE(asked.ended());
}

TEST_F(http_test, head_gives_the_length_and_no_body_and_options_the_methods) {
    const auto w = broker.add_workload(broker.east, "w");
    serve();
    auto client = connect();
    const auto path = "/v1/workloads/" + to_string(w.id);
    const auto full = client.ask("GET", path, as(broker.east_key));
    const auto head = client.ask("HEAD", path, as(broker.east_key));
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("content-length"), std::to_string(full.body.size()));
    EXPECT_EQ(head.header("etag"), full.header("etag"));
    const auto options = client.ask("OPTIONS", "/v1/workloads");
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.header("allow"), "POST, GET, HEAD, OPTIONS");
    EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(http_test, wrong_method_type_and_accept) {
    serve();
    const auto wrong = ask("DELETE", "/v1/workloads", as(broker.east_key));
    expect_problem(wrong, 405);
    EXPECT_EQ(wrong.header("allow"), "POST, GET, HEAD, OPTIONS");
    expect_problem(ask("PATCH", "/v1/workloads", as(broker.east_key)), 405);
    expect_problem(ask("POST", "/v1/workloads", as(broker.east_key, {{"Content-Type", "text/yaml"}}), "a: b"), 415);
    expect_problem(ask("POST", "/v1/workloads", as(broker.east_key), "{}"), 415);
    expect_problem(ask("GET", "/v1/whoami", as(broker.east_key, {{"Accept", "image/png"}})), 406);
    expect_problem(ask("GET", "/v1/whoami", as(broker.east_key, {{"Accept", "application/json;q=0"}})), 406);
    for (const auto* accept : {"*/*", "application/*", "text/html, application/json;q=0.5"})
        EXPECT_EQ(ask("GET", "/v1/whoami", as(broker.east_key, {{"Accept", accept}})).status, 200) << accept;
    expect_problem(ask("GET", "/v2/workloads", as(broker.east_key)), 404);
    expect_problem(ask("GET", "/v1/workloads/", as(broker.east_key)), 400);
}

struct malformed_case {
    const char* name;
    std::string bytes;
    int status = 400;
};
class malformed_test : public http_test, public ::testing::WithParamInterface<malformed_case> {};

TEST_P(malformed_test, is_answered_and_ended) {
    serve();
    auto client = connect();
    client.send(GetParam().bytes);
    expect_problem(client.read_reply(), GetParam().status);
    EXPECT_TRUE(client.ended());
}

INSTANTIATE_TEST_SUITE_P(
    all, malformed_test,
    ::testing::Values(
        malformed_case{"noise", "\x01\x02\x03\r\n\r\n"}, malformed_case{"no_version", "GET /healthz\r\n\r\n"},
        malformed_case{"version_2", "GET /healthz HTTP/2.0\r\n\r\n", 505},
        malformed_case{"bad_field", "GET /healthz HTTP/1.1\r\nHost x\r\n\r\n"},
        malformed_case{"space_in_field", "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n"},
        malformed_case{"two_lengths",
                       "POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"},
        malformed_case{"bad_length", "POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}"},
        malformed_case{"length_and_chunked",
                       "POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n{}"},
        malformed_case{"large_header", "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x'), 431}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(http_test, a_request_needs_one_host) {
    serve();
    expect_problem(raw("GET /healthz HTTP/1.1\r\n\r\n"), 400);
    expect_problem(raw("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
}

TEST_F(http_test, bodies_have_limits) {
    serve();
    const std::string auth =
        "Host: x\r\nAuthorization: Bearer " + broker.east_key + "\r\nContent-Type: application/json\r\n";
    {
        auto client = connect();  // told by the header alone
        client.send("POST /v1/plans HTTP/1.1\r\n" + auth + "Content-Length: 1048577\r\n\r\n");
        expect_problem(client.read_reply(), 413, "too-large");
        EXPECT_TRUE(client.ended());
    }
    {
        auto client = connect();  // found out while reading
        client.send("POST /v1/plans HTTP/1.1\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\n");
        const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
        for (int i = 0; i < 17; ++i)
            client.send(chunk);
        expect_problem(client.read_reply(), 413, "too-large");
    }
    {
        auto client = connect();  // the whole body is sent before the answer is read
        client.send("POST /v1/plans HTTP/1.1\r\n" + auth + "Content-Length: 4000000\r\n\r\n" +
                    std::string(4'000'000, ' '));
        expect_problem(client.read_reply(), 413, "too-large");
    }
    expect_problem(ask("GET", "/v1/whoami", as(broker.east_key), "{}"), 400);
    const std::string exact = std::string(small_workload) + std::string((1 << 20) - small_workload.size(), ' ');
    EXPECT_EQ(post_json("/v1/workloads", broker.east_key, exact).status, 201);
}

TEST_F(http_test, chunked_bodies_and_expect_continue) {
    serve();
    auto client = connect();
    const std::string head =
        "POST /v1/workloads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
        broker.east_key + "\r\n";
    const auto half = small_workload.size() / 2;
    char size[16];
    client.send(head + "Transfer-Encoding: chunked\r\n\r\n");
    for (const auto part : {small_workload.substr(0, half), small_workload.substr(half)}) {
        std::snprintf(size, sizeof size, "%zx\r\n", part.size());
        client.send(std::string(size) + std::string(part) + "\r\n");
    }
    client.send("0\r\n\r\n");
    EXPECT_EQ(client.read_reply().status, 201);
    client.send(head + "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    client.send("\r");
    client.send("\n");
    EXPECT_EQ(client.read_reply().status, 400);
    client.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(small_workload.size()) + "\r\n\r\n");
    EXPECT_EQ(client.read_reply().status, 100);
    client.send(small_workload);
    EXPECT_EQ(client.read_reply().status, 201);
    client.send(head + "Expect: miracles\r\nContent-Length: 2\r\n\r\n{}");
    expect_problem(client.read_reply(), 417);
}

TEST_F(http_test, a_refused_request_with_a_short_body_keeps_the_connection) {
    serve();
    auto client = connect();
    EXPECT_EQ(client.ask("POST", "/v1/plans", {{"Content-Type", "application/json"}}, "{}").status, 401);
    EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(http_test, plain_http_is_told_to_use_https) {
    serve();
    tls_client client(server->port(), {.tls = false});
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto reply = client.read_reply();
    expect_problem(reply, 400);
    EXPECT_NE(reply.body.find("https://"), std::string::npos);
    tls_client noise(server->port(), {.tls = false});
    noise.send("\x01\x02\x03");
    EXPECT_TRUE(noise.ended());
}

TEST_F(http_test, slow_and_silent_clients_are_ended) {
    options.idle_timeout = seconds(1);
    options.request_timeout = seconds(1);
    serve();
    auto slow_head = connect();
    slow_head.send("GET /healthz HTTP/1.1\r\nHost: x\r\n");
    auto slow_body = connect();
    slow_body.send(
        "POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n"
        "Authorization: Bearer " +
        broker.east_key + "\r\n\r\n{");
    auto idle = connect();
    EXPECT_EQ(idle.ask("GET", "/healthz").status, 200);
    tls_client silent(server->port(), {.tls = false});
    tls_client half_hello(server->port(), {.tls = false});
    half_hello.send("\x16\x03\x01");
    auto half_open = connect();
    half_open.send("GET /hea");
    half_open.close_writing();
    EXPECT_TRUE(half_open.ended());
    expect_problem(slow_head.read_reply(), 408);
    expect_problem(slow_body.read_reply(), 408);
    for (auto* one : {&slow_head, &slow_body, &idle, &silent, &half_hello})
        EXPECT_TRUE(one->ended());
}

/// The deadline may pass at the moment at which a byte has come, when nothing waits that could be cancelled.
TEST_F(http_test, clients_that_never_pause_are_ended_too) {
    options.idle_timeout = seconds(1);
    serve();
    std::vector<tls_client> drips;
    for (int i = 0; i < 32; ++i) {
        drips.push_back(connect());
        drips.back().send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-");
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2200);
    for (int sent = 0; sent < 12'000 && std::chrono::steady_clock::now() < until; ++sent)
        for (auto& one : drips)
            one.send("a");
    for (auto& one : drips)
        expect_problem(one.read_reply(), 408);
}

TEST_F(http_test, an_answer_that_does_not_come_is_504_and_a_late_one_is_dropped) {
    options.request_timeout = seconds(1);
    serve();
    broker.hold(true);
    auto client = connect();
    expect_problem(client.ask("POST", "/v1/workloads", as(broker.east_key, {{"Content-Type", "application/json"}}),
                              small_workload),
                   504, "timed-out");
    broker.hold(false);
    EXPECT_EQ(parse(client.ask("GET", "/v1/whoami", as(broker.east_key)).body)["tenant_name"], "east");
}

TEST_F(http_test, connections_are_bounded_by_address) {
    options.connections_per_address_max = 2;
    serve();
    auto one = connect();
    auto two = connect();
    EXPECT_TRUE(one.connected() && two.connected());
    EXPECT_FALSE(connect().connected());
    one.close();
    bool again = false;
    for (int i = 0; i < 500 && !again; ++i) {
        again = connect().connected();
        if (!again)
            std::this_thread::sleep_for(milliseconds(10));
    }
    EXPECT_TRUE(again);
}

TEST_F(http_test, connections_are_bounded_in_all) {
    options.connections_max = 1;
    serve();
    auto one = connect();
    EXPECT_TRUE(one.connected());
    EXPECT_FALSE(connect().connected());
}

TEST_F(http_test, rates_are_bounded_by_key_when_set) {
    options.requests_per_s_per_key = 2;
    serve();
    auto client = connect();
    const auto first = client.ask("GET", "/v1/whoami", as(broker.east_key));
    EXPECT_EQ(first.header("ratelimit-limit"), "2");
    EXPECT_EQ(first.header("ratelimit-remaining"), "1");
    EXPECT_EQ(first.header("ratelimit-reset"), "1");
    http_reply last;
    for (int i = 0; i < 50 && last.status != 429; ++i)
        last = client.ask("GET", "/v1/whoami", as(broker.east_key));
    expect_problem(last, 429, "rate-limited");
    EXPECT_EQ(last.header("retry-after"), "1");
    EXPECT_EQ(client.ask("GET", "/v1/whoami", as(broker.west_key)).status, 200);
    EXPECT_EQ(client.ask("GET", "/healthz").header("ratelimit-limit"), "");
}

TEST_F(http_test, offers_providers_policies_costs_and_upkeep) {
    auto w = broker.add_workload(broker.east, "w", workload_state::succeeded);
    const auto run = broker.add_attempt(w, attempt_state::ended);
    broker.add_usage(w, run);
    serve();
    const auto get = [&](const std::string& target, const std::string& key) {
        const auto reply = ask("GET", target, as(key));
        EXPECT_EQ(reply.status, 200) << target << reply.body;
        return parse(reply.body);
    };
    EXPECT_EQ(get("/v1/offers", broker.east_key)["items"].Size(), 3u);
    EXPECT_EQ(get("/v1/offers?provider=hall&region=cn-west", broker.east_key)["items"].Size(), 1u);
    const auto first = get("/v1/offers?limit=2", broker.east_key);
    const auto rest =
        get(std::string("/v1/offers?limit=2&cursor=") + first["next_cursor"].GetString(), broker.east_key);
    EXPECT_STREQ(rest["items"][0]["id"].GetString(), "paper/west/gpu/on_demand");
    EXPECT_FALSE(rest.HasMember("next_cursor"));
    EXPECT_STREQ(get("/v1/providers/hall", broker.east_key)["health"]["state"].GetString(), "ready");
    EXPECT_EQ(get("/v1/providers", broker.east_key)["items"].Size(), 2u);
    expect_problem(ask("GET", "/v1/providers/none", as(broker.east_key)), 404);
    const auto signals = get("/v1/signals?zone=CN-GD", broker.east_key);
    ASSERT_EQ(signals["items"].Size(), 1u);
    EXPECT_STREQ(signals["items"][0]["feed"].GetString(), "signals/grid.json");
    EXPECT_TRUE(signals["items"][0]["in_use"].GetBool());
    EXPECT_EQ(get("/v1/signals?zone=none", broker.east_key)["items"].Size(), 0u);
    EXPECT_EQ(get("/v1/policies", broker.east_key)["items"].Size(), 2u);
    EXPECT_STREQ(get("/v1/policies/cheapest", broker.east_key)["name"].GetString(), "cheapest");
    expect_problem(ask("GET", "/v1/policies/none", as(broker.east_key)), 404);
    const auto charges = get("/v1/charges", broker.east_key);
    EXPECT_STREQ(charges["totals"][0]["billed_cost"]["amount"].GetString(), "0.000125");
    EXPECT_EQ(get("/v1/charges", broker.west_key)["items"].Size(), 0u);
    EXPECT_DOUBLE_EQ(
        get("/v1/usage?from=2020-01-01T00:00:00%2B08:00", broker.east_key)["totals"]["energy_kwh"].GetDouble(), 0.0015);
    EXPECT_EQ(get("/v1/orphans", broker.operator_key)["items"].Size(), 1u);
    EXPECT_EQ(ask("POST", "/v1/sweep/confirm", as(broker.operator_key)).status, 204);
    EXPECT_EQ(ask("POST", "/v1/backup", as(broker.operator_key)).status, 201);
    EXPECT_TRUE(parse(ask("POST", "/v1/providers/hall/probe", as(broker.operator_key)).body)["ok"].GetBool());
    expect_problem(ask("POST", "/v1/providers/paper/probe", as(broker.operator_key)), 409);
    EXPECT_EQ(ask("POST", "/v1/providers/hall/cordon", as(broker.operator_key)).status, 204);
    EXPECT_EQ(ask("POST", "/v1/providers/hall/uncordon", as(broker.operator_key)).status, 204);
    const auto cordons = broker.asked<cordon_provider>();
    ASSERT_EQ(cordons.size(), 2u);
    EXPECT_TRUE(cordons[0].cordoned && !cordons[1].cordoned);
    const auto plan = post_json("/v1/plans", broker.east_key, small_workload);
    EXPECT_EQ(plan.status, 200);
    EXPECT_STREQ(parse(plan.body)["rejected"][0]["reason"].GetString(), "plan_only");
}

}  // namespace
}  // namespace westerly::testing
