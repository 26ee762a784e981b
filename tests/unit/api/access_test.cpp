#include "broker/api/router.hpp"
#include "broker/support/bytes.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace westerly::testing {
namespace {

class access_test : public api_fixture {};

/// A target for a route: its {…} filled with what exists nowhere.
std::string target_of(const route& r) {
    std::string out(r.pattern);
    for (const std::string_view name : {"{id}", "{name}", "{path}"})
        if (const auto at = out.find(name); at != std::string::npos)
            out.replace(at, name.size(), "01890000-0000-7000-8000-000000000000");
    return out;
}

header_list types_of(const route& r) {
    if (r.body == body_kind::json)
        return {{"Content-Type", "application/json"}};
    if (r.body == body_kind::tar)
        return {{"Content-Type", "application/x-tar"}};
    return {};
}

TEST_F(access_test, every_route_asks_for_the_key_that_the_table_says) {
    serve();
    for (const auto& r : routes()) {
        const auto with = [&](header_list headers) {
            for (auto& one : types_of(r))
                headers.push_back(one);
            return ask(to_string(r.method), target_of(r), headers, r.body == body_kind::json ? "{}" : "").status;
        };
        const auto name = std::string(to_string(r.method)) + " " + std::string(r.pattern);
        const bool open = r.who == access::open || r.who == access::operator_or_loopback;
        EXPECT_EQ(with({}) == 401, !open) << name;
        EXPECT_EQ(with(as("wk_" + std::string(64, '0'))) == 401, !open) << name;
        EXPECT_EQ(with(as(broker.east_key)) == 403, r.who == access::operator_) << name;
        const int as_operator = with(as(broker.operator_key));
        EXPECT_TRUE(as_operator != 401 && as_operator != 403 && as_operator < 500) << name << " " << as_operator;
    }
}

struct bad_key {
    const char* name;
    std::string header;
};
class bad_key_test : public api_fixture, public ::testing::WithParamInterface<bad_key> {};

TEST_P(bad_key_test, is_401_with_a_challenge) {
    serve();
    const auto reply = ask("GET", "/v1/whoami", {{"Authorization", GetParam().header}});
    expect_problem(reply, 401, "unauthenticated");
    EXPECT_EQ(reply.header("www-authenticate"), "Bearer");
}

INSTANTIATE_TEST_SUITE_P(all, bad_key_test,
                         ::testing::Values(bad_key{"empty", ""}, bad_key{"basic", "Basic d2s6"},
                                           bad_key{"short_one", "Bearer wk_" + std::string(63, 'a')},
                                           bad_key{"long_one", "Bearer wk_" + std::string(65, 'a')},
                                           bad_key{"upper_case", "Bearer wk_" + std::string(64, 'A')},
                                           bad_key{"no_prefix", "Bearer " + std::string(67, 'a')}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(access_test, another_tenants_thing_looks_exactly_like_a_missing_one) {
    auto w = broker.add_workload(broker.east, "w", workload_state::failed);
    broker.add_attempt(w, attempt_state::ended);
    const auto d = broker.add_decision(w);
    serve();
    const std::string nobody = "01890000-0000-7000-8000-000000000000";
    for (const auto& [method, before, after] :
         {std::tuple("GET", "/v1/workloads/", ""), std::tuple("GET", "/v1/workloads/", "/events"),
          std::tuple("GET", "/v1/workloads/", "/logs"), std::tuple("GET", "/v1/workloads/", "/files"),
          std::tuple("GET", "/v1/workloads/", "/files/a"), std::tuple("GET", "/v1/workloads/", "/attempts"),
          std::tuple("GET", "/v1/workloads/", "/decision"), std::tuple("POST", "/v1/workloads/", "/cancel"),
          std::tuple("POST", "/v1/workloads/", "/retry"), std::tuple("GET", "/v1/decisions/", "")}) {
        const std::string mine = std::string(before) == "/v1/decisions/" ? to_string(d.id) : to_string(w.id);
        const auto theirs = ask(method, before + mine + after, as(broker.west_key));
        const auto missing = ask(method, before + nobody + after, as(broker.west_key));
        EXPECT_EQ(theirs.status, 404) << before << after;
        EXPECT_EQ(theirs.body, missing.body) << before << after;
        EXPECT_EQ(ask(method, std::string(before) + "nonsense" + after, as(broker.west_key)).body, missing.body);
    }
}

TEST_F(access_test, a_revoked_key_is_refused_on_a_connection_that_used_it) {
    serve();
    auto client = connect();
    const auto me = parse(client.ask("GET", "/v1/whoami", as(broker.east_key)).body);
    EXPECT_STREQ(me["role"].GetString(), "member");
    EXPECT_STREQ(me["tenant_name"].GetString(), "east");
    const std::string revoke = std::string("/v1/keys/") + me["key"].GetString();
    EXPECT_EQ(ask("POST", revoke + "/revoke", as(broker.operator_key)).status, 204);
    expect_problem(client.ask("GET", "/v1/whoami", as(broker.east_key)), 401, "unauthenticated");
    EXPECT_EQ(ask("DELETE", revoke, as(broker.operator_key)).status, 204);
}

TEST_F(access_test, tenants_and_keys) {
    serve();
    const auto made = post_json("/v1/tenants", broker.operator_key, R"({"name":"north"})");
    ASSERT_EQ(made.status, 201) << made.body;
    expect_problem(post_json("/v1/tenants", broker.operator_key, R"({"name":"north"})"), 409, "conflict");
    expect_problem(post_json("/v1/tenants", broker.operator_key, R"({"name":"No"})"), 400, "invalid");
    expect_problem(post_json("/v1/tenants", broker.operator_key, R"({"name":"x","colour":"red"})"), 400, "invalid");
    EXPECT_EQ(parse(ask("GET", "/v1/tenants", as(broker.operator_key)).body)["items"].Size(), 4u);
    const auto key =
        post_json("/v1/keys", broker.operator_key, R"({"tenant":"north","role":"member","name":"laptop"})");
    ASSERT_EQ(key.status, 201) << key.body;
    const auto body = parse(key.body);
    EXPECT_EQ(ask("GET", "/v1/whoami", as(body["secret"].GetString())).status, 200);
    EXPECT_EQ(key.body.find(to_hex(broker.asked<create_key>()[0].hash)), std::string::npos);
    expect_problem(post_json("/v1/keys", broker.operator_key, R"({"tenant":"nobody","name":"x"})"), 400, "invalid");
    expect_problem(post_json("/v1/keys", broker.operator_key, R"({"role":"king","name":"x"})"), 400, "invalid");
    expect_problem(post_json("/v1/keys", broker.operator_key, R"({"role":"member"})"), 400, "invalid");
    const auto mine = parse(ask("GET", "/v1/keys", as(broker.east_key)).body);
    ASSERT_EQ(mine["items"].Size(), 1u);
    EXPECT_EQ(parse(ask("GET", "/v1/keys", as(broker.operator_key)).body)["items"].Size(), 4u);
}

TEST_F(access_test, what_files_manage_is_read_only) {
    serve();
    for (const auto& [method, target] : {std::pair("POST", "/v1/policies"), std::pair("PUT", "/v1/policies/cheapest"),
                                         std::pair("POST", "/v1/providers"), std::pair("PUT", "/v1/providers/hall")}) {
        const auto reply = ask(method, target, as(broker.operator_key, {{"Content-Type", "application/json"}}), "{}");
        expect_problem(reply, 409, "conflict");
        EXPECT_NE(reply.body.find("managed by files"), std::string::npos);
    }
    expect_problem(ask("DELETE", "/v1/policies/cheapest", as(broker.operator_key)), 409, "conflict");
}

}  // namespace
}  // namespace westerly::testing
