#include "broker/codec/json.hpp"

#include "broker/codec/positions.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

constexpr std::size_t plenty = 1 << 20;

std::string repeat(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i)
        all += text;
    return all;
}

std::string nest(std::size_t depth) {
    return repeat("[", depth) + repeat("]", depth);
}

struct json_case {
    std::string_view name;
    std::string text;
    std::string_view fault_at;  // the place in the message; empty: accepted
    std::string_view pointer = {};
};

class parse_json_test : public testing::TestWithParam<json_case> {};

TEST_P(parse_json_test, accepts_or_points) {
    const auto& row = GetParam();
    const auto got = parse_json(row.text, plenty);
    ASSERT_EQ(got.has_value(), row.fault_at.empty()) << (got ? "" : got.error().detail);
    if (got)
        return;
    EXPECT_EQ(got.error().code, errc::invalid);
    ASSERT_FALSE(got.error().faults.empty());
    EXPECT_EQ(got.error().faults[0].pointer, row.pointer);
    EXPECT_NE(got.error().faults[0].message.find(row.fault_at), std::string::npos) << got.error().faults[0].message;
    EXPECT_FALSE(got.error().faults[0].remedy.empty());
}

INSTANTIATE_TEST_SUITE_P(
    all, parse_json_test,
    testing::Values(
        json_case{"object", R"({"a": [1, 2.5, "x", null, true]})", ""},
        json_case{"same_name_in_other_objects", R"({"a": {"b": 1}, "c": {"b": 1}})", ""},
        json_case{"depth_at_limit", nest(json_depth_max), ""},
        json_case{"depth_past_limit", nest(json_depth_max + 1), "line 1, column 33: nested deeper than 32"},
        json_case{"depth_far_past_limit", repeat("[", 500'000), "nested deeper than 32"},
        json_case{"deep_objects", repeat(R"({"a":)", 100'000), "nested deeper than 32"},
        json_case{"empty", "", "line 1, column 1"}, json_case{"cut_off", "{\"a\":\n  1", "line 2, column 4"},
        json_case{"trailing_text", "{} x", "line 1, column 4"},
        json_case{"nul_after_the_end", std::string("{}\0x", 4), "line 1, column 3"},
        json_case{"comment", "{} // no", "line 1, column 4"}, json_case{"trailing_comma", "[1,]", "line 1, column 4"},
        json_case{"nan", "[NaN]", "line 1, column 2"}, json_case{"number_too_big", "[1e999]", "line 1, column"},
        json_case{"not_utf8", "[\"\xff\"]", "line 1, column"},
        json_case{"overlong_utf8", "[\"\xc0\xaf\"]", "line 1, column"},
        json_case{"lone_surrogate", R"(["\ud800"])", "line 1, column"},
        json_case{"byte_order_mark", "\xef\xbb\xbf{}", "line 1, column 1"},
        json_case{"name_twice", "{\"a\": 1,\n \"a\": 2}", "line 2, column 7: the name \"a\" stands twice", "/a"},
        json_case{"name_twice_inside", R"({"x": [{"a/b": 1, "a/b": 1}]})", "stands twice", "/x/0/a~1b"},
        json_case{"name_twice_escaped", R"({"a": 1, "\u0061": 1})", "line 1, column 20", "/a"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(parse_json, size_limit_is_inclusive) {
    EXPECT_TRUE(parse_json("[1]", 3).has_value());
    const auto refused = parse_json("[10]", 3);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, errc::too_large);
}

TEST(parse_json, doubles_keep_every_bit) {
    for (const double number : {0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, 123456789.123456789}) {
        rapidjson::StringBuffer buffer;
        json_writer out(buffer);
        out.StartArray();
        out.Double(number);
        out.EndArray();
        const auto read = parse_json({buffer.GetString(), buffer.GetSize()}, plenty);
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ((*read)[0].GetDouble(), number);
    }
}

TEST(parse_json, numbers_are_what_they_look_like) {
    const std::string zeros(60, '0');
    const auto read =
        parse_json("[0." + zeros + ", -0." + zeros + "1e-400, 1e-400, 2.2250738585072014e-308, -9223372036854775808," +
                       " 18446744073709551615, 18446744073709551616, -0, 7, 1" + zeros + "]",
                   plenty);
    ASSERT_TRUE(read.has_value()) << read.error().detail;
    EXPECT_EQ((*read)[0].GetDouble(), 0.0);
    EXPECT_EQ((*read)[1].GetDouble(), 0.0);
    EXPECT_EQ((*read)[2].GetDouble(), 0.0);
    EXPECT_EQ((*read)[3].GetDouble(), std::numeric_limits<double>::min());
    EXPECT_EQ((*read)[4].GetInt64(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ((*read)[5].GetUint64(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ((*read)[6].GetDouble(), 0x1p64);
    EXPECT_TRUE((*read)[7].IsInt());
    EXPECT_TRUE((*read)[8].IsUint());
    EXPECT_EQ((*read)[9].GetDouble(), 1e60);
    const auto refused = parse_json("[17976931348623159" + std::string(292, '0') + "]", plenty);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().detail.find("Number too big"), std::string::npos) << refused.error().detail;
}

struct place_case {
    std::string_view name;
    std::string_view pointer;
    text_place at;
};

class locate_json_test : public testing::TestWithParam<place_case> {};

TEST_P(locate_json_test, finds) {
    constexpr std::string_view text =
        "{\n"
        "  \"a/b\": [10, {\"c~\": \"]\\\"}\"}, [ ]],\n"
        "  \"d\": {\"e\": true, \"\": 3}, \"f\" : -1e3\n"
        "}\n";
    EXPECT_EQ(locate_json(text, GetParam().pointer), GetParam().at) << describe(locate_json(text, GetParam().pointer));
}

INSTANTIATE_TEST_SUITE_P(
    all, locate_json_test,
    testing::Values(place_case{"root", "", {1, 1}}, place_case{"escaped_name", "/a~1b", {2, 10}},
                    place_case{"first_item", "/a~1b/0", {2, 11}}, place_case{"tilde", "/a~1b/1/c~0", {2, 22}},
                    place_case{"last_item", "/a~1b/2", {2, 31}}, place_case{"inner", "/d/e", {3, 14}},
                    place_case{"empty_name", "/d/", {3, 24}}, place_case{"after_objects", "/f", {3, 34}},
                    place_case{"missing_field_is_its_object", "/d/x", {3, 8}},
                    place_case{"missing_item_is_its_list", "/a~1b/7", {2, 10}},
                    place_case{"not_an_index", "/a~1b/x", {2, 10}}, place_case{"through_a_scalar", "/f/x/y", {3, 34}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace westerly
