#include "broker/domain/ids.hpp"

#include <gtest/gtest.h>

#include <array>

namespace westerly {
namespace {

TEST(domain_ids, token_and_attempt_find_each_other) {
    random_source random(31);
    for (int i = 0; i < 1'000; ++i) {
        const auto attempt = attempt_id::make(instant(milliseconds(i)), random);
        const std::string token = launch_token(attempt);
        EXPECT_EQ(token.size(), 33u);
        EXPECT_EQ(token.find_first_not_of("w0123456789abcdef"), std::string::npos);
        EXPECT_EQ(attempt_of_token(token), attempt);
    }
}

TEST(domain_ids, a_token_is_the_attempts_own_digits) {
    const auto attempt = attempt_id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
    ASSERT_TRUE(attempt);
    EXPECT_EQ(launch_token(*attempt), "w01890a5dac96774bbcceb302099a8057");
}

TEST(domain_ids, what_is_no_token_of_ours_is_refused) {
    for (const auto* bad : {"", "w", "01890a5dac96774bbcceb302099a80577", "x01890a5dac96774bbcceb302099a8057",
                            "w01890a5dac96774bbcceb302099a805", "w01890a5dac96774bbcceb302099a80577",
                            "w01890A5Dac96774bbcceb302099a8057", "w01890a5d-ac96774bbcceb302099a805",
                            "w01890a5dac96774bbcceb302099a805g", "w01890a5dac96774bbcceb302099a805 "})
        EXPECT_EQ(attempt_of_token(bad), std::nullopt) << bad;
}

TEST(domain_ids, shards_are_stable_and_all_in_use) {
    const auto known = tenant_id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
    ASSERT_TRUE(known);
    EXPECT_EQ(shard_of(*known), 0x87);
    random_source random(32);
    std::array<int, 256> hits{};
    for (int i = 0; i < 10'000; ++i)
        ++hits[shard_of(tenant_id::make(instant(), random))];
    for (const int count : hits)
        EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace westerly
