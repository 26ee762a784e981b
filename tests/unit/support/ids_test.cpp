#include "broker/support/ids.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace westerly {
namespace {

using thing_id = typed_id<struct thing_tag>;

TEST(ids, uuid_v7_carries_time_version_and_variant) {
    random_source random(1);
    const instant at{milliseconds(0x0123'4567'89AB)};
    for (int i = 0; i < 100; ++i) {
        const std::string text = format_uuid(make_uuid_v7(at, random));
        EXPECT_EQ(text.substr(0, 15), "01234567-89ab-7");
        EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    }
}

TEST(ids, later_ids_sort_later_and_none_repeats) {
    random_source random(2);
    std::unordered_set<thing_id> seen;
    thing_id last;
    for (int ms = 1; ms <= 1000; ++ms) {
        const auto id = thing_id::make(instant(milliseconds(ms)), random);
        EXPECT_LT(last, id);
        EXPECT_LT(to_string(last), to_string(id));
        EXPECT_TRUE(seen.insert(id).second);
        last = id;
    }
}

TEST(ids, text_form_round_trips) {
    random_source random(3);
    const auto id = thing_id::make(instant(milliseconds(1'700'000'000'000)), random);
    EXPECT_EQ(thing_id::parse(to_string(id)), id);
    EXPECT_FALSE(id.none());
    EXPECT_TRUE(thing_id{}.none());
    EXPECT_EQ(to_string(thing_id{}), "00000000-0000-0000-0000-000000000000");
}

TEST(ids, only_the_lower_case_36_character_form_is_read) {
    ASSERT_TRUE(parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057"));
    for (const auto* bad : {"", "01890a5dac96774bbcceb302099a8057", "01890A5D-ac96-774b-bcce-b302099a8057",
                            "01890a5d-ac96-774b-bcce-b302099a805", "01890a5d-ac96-774b-bcce-b302099a80577",
                            "01890a5d-ac96-774b-bcce_b302099a8057", "{1890a5d-ac96-774b-bcce-b302099a8057",
                            "01890a5d-ac96-774b-bcce-b302099a805g"})
        EXPECT_FALSE(parse_uuid(bad)) << bad;
}

TEST(ids, the_same_seed_gives_the_same_ids) {
    random_source a(4);
    random_source b(4);
    EXPECT_EQ(thing_id::make(instant(), a), thing_id::make(instant(), b));
}

TEST(random, unit_stays_in_its_half_open_range) {
    random_source random(5);
    for (int i = 0; i < 10'000; ++i) {
        const double value = random.unit();
        EXPECT_GE(value, 0.0);
        EXPECT_LT(value, 1.0);
    }
}

TEST(random, secure_bytes_fill_everything_and_differ) {
    std::array<std::uint8_t, 64> first{};
    std::array<std::uint8_t, 64> second{};
    fill_secure(first);
    fill_secure(second);
    EXPECT_NE(first, second);
    EXPECT_NE(secure_seed(), secure_seed());
}

}  // namespace
}  // namespace westerly
