#include "broker/api/event_hub.hpp"
#include "broker/api/message.hpp"
#include "broker/api/pending.hpp"
#include "broker/api/problem.hpp"
#include "broker/api/rate_limiter.hpp"
#include "broker/api/request_reader.hpp"
#include "broker/api/router.hpp"
#include "broker/api/target.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(target, is_taken_apart_and_decoded) {
    const auto parts = parse_target("/v1/a%20b/c?x=1&y=%E4%B8%9C+z&x=2&flag");
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->segments, (std::vector<std::string>{"v1", "a b", "c"}));
    const query_parameters want = {{"x", "1"}, {"y", "\xE4\xB8\x9C z"}, {"x", "2"}, {"flag", ""}};
    EXPECT_EQ(parts->query, want);
    EXPECT_TRUE(parse_target("/")->segments.empty());
}

TEST(target, is_refused) {
    for (const std::string_view bad : {"", "*", "v1", "http://x/", "/a//b", "/a/", "/./a", "/a/..", "/%2e%2e/a",
                                       "/a%2Fb", "/%", "/%4", "/%4g", "/a?x=%", "/%00", "/%ff", "/a?%c0%80=1"})
        EXPECT_FALSE(parse_target(bad)) << bad;
    EXPECT_TRUE(parse_target("/" + std::string(8191, 'a')));
    EXPECT_FALSE(parse_target("/" + std::string(8192, 'a')));
    std::string many = "/a?";
    for (int i = 0; i < 64; ++i)
        many += "x=1&";
    EXPECT_TRUE(parse_target(many));
    EXPECT_FALSE(parse_target(many + "x=1"));
}

TEST(accept_header, admits) {
    EXPECT_TRUE(accepts("", "application/json"));
    EXPECT_TRUE(accepts("text/html, application/JSON; q=0.2", "application/json"));
    EXPECT_TRUE(accepts("*/*", "application/json"));
    EXPECT_TRUE(accepts("application/*", "application/json"));
    EXPECT_FALSE(accepts("text/*", "application/json"));
    EXPECT_FALSE(accepts("application/json;q=0.0", "application/json"));
    EXPECT_FALSE(accepts("application/jsonx", "application/json"));
    EXPECT_FALSE(accepts_exactly("*/*", "text/event-stream"));
    EXPECT_TRUE(accepts_exactly("text/event-stream, */*", "text/event-stream"));
}

TEST(etags, compare) {
    EXPECT_TRUE(etag_listed("\"1\", W/\"2\"", "\"2\""));
    EXPECT_TRUE(etag_listed("*", "\"2\""));
    EXPECT_FALSE(etag_listed("\"1\"", "\"11\""));
    EXPECT_EQ(revision_of_etag(" \"42\" "), 42u);
    for (const std::string_view bad : {"42", "\"\"", "\"x\"", "\"-1\"", "\"99999999999999999999999\"", "W/\"1\""})
        EXPECT_EQ(revision_of_etag(bad), std::nullopt) << bad;
}

TEST(route_table, has_no_row_twice_and_finds_each_row) {
    const auto table = routes();
    for (std::size_t i = 0; i < table.size(); ++i) {
        for (std::size_t j = i + 1; j < table.size(); ++j)
            EXPECT_FALSE(table[i].method == table[j].method && table[i].pattern == table[j].pattern)
                << table[i].pattern;
        std::string target(table[i].pattern);
        for (std::size_t at; (at = target.find('{')) != std::string::npos;)
            target.replace(at, target.find('}') - at + 1, "x-1");
        const auto parts = parse_target(target);
        ASSERT_TRUE(parts) << target;
        const auto match = match_route(table, table[i].method, parts->segments);
        EXPECT_EQ(match.found, &table[i]) << target;
    }
}

TEST(route_table, takes_the_rest_of_a_path) {
    const auto parts = parse_target("/v1/workloads/7/files/a/b%20c/d");
    const auto match = match_route(routes(), http_method::head, parts->segments);
    ASSERT_NE(match.found, nullptr);
    EXPECT_EQ(match.path[0], "7");
    EXPECT_EQ(match.path[1], "a/b c/d");
}

struct read_body {
    bool done = false, refused = false;
    std::string body = {};
    friend bool operator==(const read_body&, const read_body&) = default;
};

/// Feeds what is left of each piece twice, as a caller without more bytes may.
read_body read_chunked(std::string_view body, std::size_t piece) {
    request_reader reader;
    std::string left = "POST /v1/plans HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    left.erase(0, reader.feed(left).used);
    reader.allow_body(64);
    read_body out;
    for (std::size_t at = 0; at < body.size(); at += piece) {
        left += body.substr(at, piece);
        for (int i = 0; i < 2 && !reader.done() && !out.refused; ++i) {
            const auto fed = reader.feed(left);
            left.erase(0, fed.used);
            out.refused = fed.refused.has_value();
        }
    }
    out.done = reader.done();
    out.body = reader.body();
    return out;
}

TEST(request_reader, reads_chunks_alike_in_pieces_of_any_size) {
    const std::pair<std::string_view, read_body> cases[] = {
        {"0\r\n\r\n", {.done = true}},
        {"000\r\n\r\n", {.done = true}},
        {"0\r\nA: b\r\n\r\n", {.done = true}},
        {"0;a=b\r\n\r\n", {.done = true}},
        {"2\r\n{}\r\n0\r\n\r\n", {.done = true, .body = "{}"}},
        {"1\r\n{\r\n1;x\r\n}\r\n0\r\nA: b\r\nC: d\r\n\r\n", {.done = true, .body = "{}"}},
        {"0\r\n{}\r\n\r\n", {.refused = true}},
        {"0\r\nA: b", {}},
        {"0\r\n", {}},
        {"2\r\n{}\r\n0", {.body = "{}"}},
        {"x\r\n\r\n", {.refused = true}},
        {"41\r\n{", {.refused = true}},
    };
    for (const auto& [body, want] : cases)
        for (std::size_t piece = 1; piece <= body.size(); ++piece)
            EXPECT_EQ(read_chunked(body, piece), want) << body << " in pieces of " << piece;
}

TEST(rate_limit, lets_a_second_through_and_refills) {
    rate_limiter limiter(10);
    key_id key{};
    key.bytes[15] = 1;
    const rate_limiter::moment start{};
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(limiter.take(key, start).allowed);
    EXPECT_FALSE(limiter.take(key, start).allowed);
    EXPECT_FALSE(limiter.take(key, start + std::chrono::milliseconds(99)).allowed);
    EXPECT_TRUE(limiter.take(key, start + std::chrono::milliseconds(200)).allowed);
    EXPECT_EQ(limiter.take(key, start + std::chrono::hours(1)).remaining, 9u);
    EXPECT_TRUE(limiter.take({}, start).allowed) << "every key has its own";
}

TEST(hub, wakes_those_concerned) {
    event_hub hub;
    tenant_id a{}, b{};
    a.bytes[0] = 1;
    b.bytes[0] = 2;
    workload_id w{};
    w.bytes[0] = 3;
    int of_a = 0, of_b = 0, of_all = 0, of_w = 0;
    const auto one = hub.add(a, std::nullopt, [&] { ++of_a; });
    auto two = hub.add(b, std::nullopt, [&] { ++of_b; });
    const auto three = hub.add(std::nullopt, std::nullopt, [&] { ++of_all; });
    const auto four = hub.add(a, w, [&] { ++of_w; });
    event what;
    what.tenant = a;
    hub.publish(what);
    what.workload = w;
    hub.publish(what);
    what.tenant = b;
    two.reset();
    hub.publish(what);
    EXPECT_EQ(of_a, 2);
    EXPECT_EQ(of_w, 1);
    EXPECT_EQ(of_b, 0);
    EXPECT_EQ(of_all, 3);
}

TEST(gate, wakes_once_for_all_that_waits_and_keeps_the_order) {
    std::vector<post_gate::work> wakes;
    std::string done;
    const auto gate = std::make_shared<post_gate>([&](post_gate::work wake) { wakes.push_back(std::move(wake)); });
    gate->post([&] { done += 'a'; });
    gate->post([&] {
        done += 'b';
        gate->post([&] { done += 'd'; });
    });
    gate->post([&] { done += 'c'; });
    ASSERT_EQ(wakes.size(), 1u);
    EXPECT_EQ(done, "");
    wakes[0]();
    EXPECT_EQ(done, "abc");
    ASSERT_EQ(wakes.size(), 2u) << "what came while they ran needs a wake of its own";
    wakes[1]();
    EXPECT_EQ(done, "abcd");
}

TEST(gate, drops_what_waits_when_it_closes) {
    std::vector<post_gate::work> wakes;
    int done = 0;
    const auto gate = std::make_shared<post_gate>([&](post_gate::work wake) { wakes.push_back(std::move(wake)); });
    gate->post([&] { ++done; });
    gate->close();
    gate->post([&] { ++done; });
    ASSERT_EQ(wakes.size(), 1u);
    wakes[0]();
    EXPECT_EQ(done, 0);
}

TEST(streams, are_counted) {
    stream_counter counter(2);
    tenant_id a{};
    auto one = counter.enter(a);
    auto two = counter.enter(a);
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(counter.enter(a));
    EXPECT_EQ(counter.open(), 2u);
    one.reset();
    EXPECT_TRUE(counter.enter(a));
    EXPECT_EQ(counter.open(), 1u);
}

TEST(statuses, every_error_has_one) {
    for (int code = static_cast<int>(errc::invalid); code <= static_cast<int>(errc::internal); ++code) {
        const int status = status_of(static_cast<errc>(code));
        EXPECT_TRUE(status >= 400 && status < 600);
        EXPECT_EQ(status >= 500, static_cast<errc>(code) >= errc::overloaded) << code;
    }
}

TEST(dates, are_imf_fixdates) {
    EXPECT_EQ(format_http_date(parse_rfc3339("1994-11-06T08:49:37Z").value()), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format_http_date(parse_rfc3339("2024-02-29T23:59:59.999Z").value()), "Thu, 29 Feb 2024 23:59:59 GMT");
}

}  // namespace
}  // namespace westerly
