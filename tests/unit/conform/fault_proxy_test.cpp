#include "tools/conform/fault_proxy.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

constexpr steady_time start{};

rpc_message answer(std::uint64_t id) {
    auto message = decode_rpc(rpc_result(id, "{}"));
    EXPECT_TRUE(message);
    return std::move(*message);
}

TEST(fault_proxy, passes_lines_on_when_nothing_is_wrong) {
    fault_proxy proxy;
    proxy.request(1, "probe", "{}", {}, start);
    EXPECT_EQ(proxy.to_adapter(start), rpc_request(1, "probe", "{}") + '\n');
    EXPECT_EQ(proxy.to_adapter(start), "");
    proxy.reply(answer(1), start);
    EXPECT_EQ(proxy.to_kit(start).size(), 1u);
    EXPECT_FALSE(proxy.next_due());
}

TEST(fault_proxy, loses_requests_and_replies) {
    fault_proxy proxy;
    proxy.request(1, "probe", "{}", {.lose_request = true}, start);
    EXPECT_EQ(proxy.to_adapter(start), "");
    proxy.request(2, "probe", "{}", {.lose_reply = true}, start);
    EXPECT_NE(proxy.to_adapter(start), "");
    proxy.reply(answer(2), start);
    EXPECT_TRUE(proxy.to_kit(start + std::chrono::hours(1)).empty());
}

TEST(fault_proxy, holds_lines_until_they_are_due) {
    fault_proxy proxy;
    proxy.request(1, "probe", "{}", {.hold_request = milliseconds(10), .hold_reply = milliseconds(20)}, start);
    EXPECT_EQ(proxy.to_adapter(start + milliseconds(9)), "");
    EXPECT_EQ(proxy.next_due(), start + milliseconds(10));
    EXPECT_NE(proxy.to_adapter(start + milliseconds(10)), "");
    proxy.reply(answer(1), start + milliseconds(10));
    EXPECT_TRUE(proxy.to_kit(start + milliseconds(29)).empty());
    EXPECT_EQ(proxy.to_kit(start + milliseconds(30)).size(), 1u);
}

TEST(fault_proxy, repeats_under_ids_of_their_own) {
    fault_proxy proxy;
    proxy.request(1, "launch", "{}", {.repeats = 3}, start);
    const auto bytes = proxy.to_adapter(start);
    EXPECT_EQ(std::ranges::count(bytes, '\n'), 4);
    const auto copies = proxy.copies_of(1);
    ASSERT_EQ(copies.size(), 3u);
    for (const auto id : copies)
        EXPECT_NE(bytes.find("\"id\":" + std::to_string(id) + ','), std::string::npos);
}

TEST(fault_proxy, forgets_what_it_holds_when_the_adapter_is_gone) {
    fault_proxy proxy;
    proxy.request(1, "probe", "{}", {.hold_request = milliseconds(10)}, start);
    proxy.cut();
    EXPECT_FALSE(proxy.next_due());
}

}  // namespace
}  // namespace westerly
