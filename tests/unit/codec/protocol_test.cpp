#include "broker/codec/protocol_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace westerly {
namespace {

const std::string token = "w0123456789abcdef0123456789abcdef";

rapidjson::Document parsed(const std::string& text) {
    auto document = parse_json(text, protocol_line_max);
    EXPECT_TRUE(document) << text;
    return document ? std::move(*document) : rapidjson::Document();
}

instant at(std::int64_t ms) {
    return instant(milliseconds(ms));
}

observation full_observation() {
    observation v;
    v.at = observation::phase::exited;
    v.token = token;
    v.handle = "local:7";
    v.seq = 42;
    v.started_at = at(1'700'000'000'123);
    v.ended_at = at(1'700'000'001'456);
    v.exit_code = -3;
    v.exit_signal = 9;
    v.failed_rank = 2;
    v.timed_out = true;
    v.preempted = true;
    v.message = "ended by signal 9 — \"killed\"\n";
    return v;
}

TEST(protocol, observation_comes_back_as_it_went) {
    const auto full = full_observation();
    const auto back = decode_observation(parsed(encode(full)));
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(*back, full);

    observation sparse;
    sparse.token = token;
    const auto bare = decode_observation(parsed(encode(sparse)));
    ASSERT_TRUE(bare);
    EXPECT_EQ(*bare, sparse);

    const auto many = decode_observations(parsed(encode(std::vector<observation>{full, sparse})));
    ASSERT_TRUE(many);
    EXPECT_THAT(*many, testing::ElementsAre(full, sparse));
}

TEST(protocol, launch_comes_back_as_it_went) {
    launch_request v;
    v.token = token;
    v.fence = 12;
    v.owner = "owner";
    v.workload = "w-id";
    v.attempt = "a-id";
    v.name = "sum";
    v.tenant = "t-id";
    v.site = "west";
    v.offer = "cores";
    v.tasks = 4;
    v.units = 8;
    v.vcpus = 2;
    v.memory_mib = 1024;
    v.disk_mib = 10;
    v.run = {"none", {"/bin/sh", "-c", ""}, {{"A", "1"}, {"B", "zwei\nü"}}, "sha256:00"};
    v.has_files = true;
    v.max_runtime_s = 60;
    v.grace_s = 3;
    const auto back = decode_launch_request(parsed(encode(v)));
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(encode(*back), encode(v));
    EXPECT_EQ(back->run, v.run);
    EXPECT_EQ(back->max_runtime_s, v.max_runtime_s);
}

TEST(protocol, offers_come_back_as_they_went) {
    offers_reply v;
    v.as_of = at(1'700'000'000'000);
    v.next_cursor = "17";
    adapter_offer cores;
    cores.site = "east";
    cores.name = "cores";
    cores.shape.unit = offer_unit::core;
    cores.shape.divisible = true;
    cores.shape.vcpus = 1;
    cores.shape.memory_mib = 2048;
    cores.shape.units_free = 7;
    cores.shape.units_ours = 1;
    cores.shape.idle_w = 2.5;
    cores.shape.as_of = v.as_of;
    adapter_offer cards = cores;
    cards.name = "cards";
    cards.shape.compute = compute_class::intelligent;
    cards.shape.mode = billing_mode::reserved;
    cards.shape.units_free.reset();
    cards.shape.price = unit_price{7'800'000'001, currency::usd};
    cards.shape.billing_starts = billing_start::allocation;
    cards.shape.schedule = {480,
                            {{price_window::every_day, 1380, 420, 2'600'000'000}, {0x11, 600, 750, 9'000'000'000}}};
    cards.shape.accelerators = accelerator_facts{.model = "A100",
                                                 .count = 8,
                                                 .memory_gib = 80,
                                                 .fp16_tflops = 312,
                                                 .interconnect_gb_s = 600,
                                                 .stack = "cuda",
                                                 .training = true,
                                                 .inference = true,
                                                 .fp64_tflops = 9.7,
                                                 .memory_gb_s = 2039,
                                                 .host_link_gb_s = 64,
                                                 .scale_up_cards = 8,
                                                 .scale_out_gb_s = 50};
    v.offers = {cores, cards};
    v.rtt_measured = {{"east", {"cn-ningxia", 31.25, at(1'700'000'000'123), 5}}};
    v.warnings = {"RTT probes reach nobody: cn-east (192.0.2.1:443)"};
    const auto back = decode_offers_reply(parsed(encode(v)));
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(back->warnings, v.warnings);
    ASSERT_EQ(back->offers.size(), 2u);
    EXPECT_EQ(back->offers[0].shape, cores.shape);
    EXPECT_EQ(back->offers[1].shape, cards.shape);
    EXPECT_EQ(back->offers[1].name, "cards");
    EXPECT_EQ(back->next_cursor, "17");
    EXPECT_EQ(back->rtt_measured, v.rtt_measured);
}

TEST(protocol, the_rest_comes_back_as_it_went) {
    const initialize_request hello{1, "local", "owner", "/state", R"({"sites":[{"site":"east"}]})", {"east"}};
    EXPECT_EQ(encode(*decode_initialize_request(parsed(encode(hello)))), encode(hello));
    const initialize_reply kind{1, "local", "0.1.0", idempotency_class::tag_and_find, 30, {"put", "gang"}};
    EXPECT_EQ(encode(*decode_initialize_reply(parsed(encode(kind)))), encode(kind));
    const mutation_reply no{call_outcome::not_done, "h", adapter_error::no_capacity, "full", 5};
    EXPECT_EQ(encode(*decode_mutation_reply(parsed(encode(no)))), encode(no));
    const listing page{{full_observation()}, false, at(1), "next"};
    EXPECT_EQ(encode(*decode_listing(parsed(encode(page)))), encode(page));
    const log_request log{token, 3, true, 99};
    EXPECT_EQ(encode(*decode_log_request(parsed(encode(log)))), encode(log));
    const byte_piece piece{10, 13, std::string("\0\xff\n", 3), true};
    EXPECT_EQ(decode_byte_piece(parsed(encode(piece)))->bytes, piece.bytes);
    fetch_reply file;
    file.piece = piece;
    EXPECT_EQ(encode(*decode_fetch_reply(parsed(encode(file)))), encode(file));
    fetch_reply folder;
    folder.directory = true;
    folder.entries = {{"a/b", 1}, {"c", 0}};
    folder.truncated = true;
    EXPECT_EQ(encode(*decode_fetch_reply(parsed(encode(folder)))), encode(folder));
    const probe_reply probe{false, "install bubblewrap"};
    EXPECT_EQ(encode(*decode_probe_reply(parsed(encode(probe)))), encode(probe));
    const put_params put{token, "bundle.tar", 5, "bytes"};
    EXPECT_EQ(encode(*decode_put_params(parsed(encode(put)))), encode(put));
    EXPECT_EQ(decode_token_params(parsed("{\"token\":\"" + token + "\"}"))->grace_s, 30u);
    EXPECT_EQ(decode_preemption_notice(parsed(encode(preemption_notice{token, at(5)})))->at, at(5));
    EXPECT_EQ(decode_cancel_call_params(parsed(encode(cancel_call_params{8})))->id, 8u);
    EXPECT_EQ(decode_offers_params(parsed(encode(offers_params{"c"})))->cursor, "c");
}

struct fault_case {
    std::string_view name;
    std::string observation;
    std::string pointer;
};
class observation_fault : public testing::TestWithParam<fault_case> {};

TEST_P(observation_fault, names_the_member) {
    const auto read = decode_observation(parsed(GetParam().observation));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, errc::invalid);
    ASSERT_FALSE(read.error().faults.empty());
    EXPECT_EQ(read.error().faults.front().pointer, GetParam().pointer);
}

const std::string good_head = R"({"phase":"running","seq":1,"token":")" + token + '"';
INSTANTIATE_TEST_SUITE_P(
    all, observation_fault,
    testing::Values(fault_case{"no_object", "[]", ""}, fault_case{"no_seq", R"({"phase":"running"})", "/seq"},
                    fault_case{"phase_unknown", R"({"phase":"dead","seq":1,"token":")" + token + "\"}", "/phase"},
                    fault_case{"token_short", R"({"phase":"running","seq":1,"token":"w00"})", "/token"},
                    fault_case{"unknown_member", good_head + R"(,"exitcode":1})", "/exitcode"},
                    fault_case{"null_is_not_absent", good_head + R"(,"exit_code":null})", "/exit_code"},
                    fault_case{"time_malformed", good_head + R"(,"ended_at":"yesterday"})", "/ended_at"},
                    fault_case{"rank_negative", good_head + R"(,"failed_rank":-1})", "/failed_rank"},
                    fault_case{"message_long", good_head + R"(,"message":")" + std::string(1025, 'x') + "\"}",
                               "/message"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(protocol, a_config_of_several_lines_stays_on_one) {
    const initialize_request hello{1, "local", "owner", "/state", "{\n  \"a\": 1\r\n}", {}};
    const auto text = encode(hello);
    EXPECT_EQ(text.find_first_of("\r\n"), std::string::npos);
    EXPECT_EQ(decode_initialize_request(parsed(text))->config_json, R"({"a":1})");
}

TEST(protocol, piece_must_say_its_own_length) {
    EXPECT_FALSE(decode_byte_piece(parsed(R"({"from":1,"next":3,"base64":"YQ=="})")));
    EXPECT_FALSE(decode_byte_piece(parsed(R"({"from":1,"next":2,"base64":"Y!=="})")));
    EXPECT_TRUE(decode_byte_piece(parsed(R"({"from":1,"next":2,"base64":"YQ=="})")));
}

TEST(protocol, fetch_answers_a_file_or_a_directory) {
    EXPECT_FALSE(decode_fetch_reply(parsed("{}")));
    EXPECT_FALSE(decode_fetch_reply(parsed(R"({"entries":[],"piece":{"from":0,"next":0,"base64":""}})")));
}

TEST(rpc, tells_the_four_messages_apart) {
    using kind = rpc_message::kind;
    const auto request = decode_rpc(rpc_request(7, "find", R"({"a":1})"));
    ASSERT_TRUE(request) << request.error().detail;
    EXPECT_EQ(request->what, kind::request);
    EXPECT_EQ(request->id, 7u);
    EXPECT_EQ(request->method, "find");
    EXPECT_TRUE(rpc_body(*request).HasMember("a"));
    EXPECT_EQ(decode_rpc(rpc_notification("offers.changed", "{}"))->what, kind::notification);
    const auto response = decode_rpc(rpc_result(8, R"({"b":2})"));
    EXPECT_EQ(response->what, kind::response);
    EXPECT_TRUE(rpc_body(*response).HasMember("b"));
    const auto failed = decode_rpc(rpc_error(9, {adapter_error::rate_limited, "slow \"down\"", 4}));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->what, kind::error);
    const auto why = decode_rpc_failure(*failed);
    EXPECT_EQ(why.kind, adapter_error::rate_limited);
    EXPECT_EQ(why.message, "slow \"down\"");
    EXPECT_EQ(why.retry_after_s, 4u);
}

TEST(rpc, every_failure_kind_comes_back) {
    for (int i = 1; i <= static_cast<int>(adapter_error::internal); ++i) {
        const auto kind = static_cast<adapter_error>(i);
        EXPECT_EQ(decode_rpc_failure(*decode_rpc(rpc_error(1, {kind, "x", {}}))).kind, kind);
    }
}

TEST(rpc, a_generic_library_refusing_a_call_proves_that_nothing_was_done) {
    const auto refused = decode_rpc(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}})");
    EXPECT_EQ(decode_rpc_failure(*refused).kind, adapter_error::invalid);
    const auto crashed = decode_rpc(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"trace"}})");
    EXPECT_EQ(decode_rpc_failure(*crashed).kind, adapter_error::internal);
    const auto odd = decode_rpc(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":{"kind":"new"}}})");
    EXPECT_EQ(decode_rpc_failure(*odd).kind, adapter_error::internal);
}

class bad_line : public testing::TestWithParam<std::string> {};
TEST_P(bad_line, is_refused) {
    EXPECT_FALSE(decode_rpc(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(all, bad_line,
                         testing::Values("", "x", "[]", "{}", R"({"jsonrpc":"1.0","id":1,"method":"m"})",
                                         R"({"jsonrpc":"2.0","id":"1","method":"m"})",
                                         R"({"jsonrpc":"2.0","id":-1,"method":"m"})",
                                         R"({"jsonrpc":"2.0","id":1,"method":"m","params":[]})",
                                         R"({"jsonrpc":"2.0","id":1,"method":""})", R"({"jsonrpc":"2.0","id":1})",
                                         R"({"jsonrpc":"2.0","result":{}})",
                                         R"({"jsonrpc":"2.0","id":1,"result":{},"error":{}})",
                                         R"({"jsonrpc":"2.0","id":1,"id":2,"method":"m"})",
                                         R"({"jsonrpc":"2.0","id":1,"method":"m","params":{)" + std::string(40, '[')));

}  // namespace
}  // namespace westerly
