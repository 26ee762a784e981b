#include "broker/codec/workload_json.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

struct yaml_case {
    std::string_view name;
    std::string yaml;
    std::string_view json;        // what it becomes; empty: refused
    std::string_view refused_at;  // part of the message
};

class yaml_test : public testing::TestWithParam<yaml_case> {};

TEST_P(yaml_test, becomes_json_or_is_refused_in_place) {
    const auto& row = GetParam();
    const auto got = yaml_to_json(row.yaml);
    ASSERT_EQ(got.has_value(), row.refused_at.empty()) << (got ? *got : got.error().detail);
    if (got) {
        EXPECT_EQ(*got, row.json);
        return;
    }
    EXPECT_EQ(got.error().code, errc::invalid);
    EXPECT_NE(got.error().detail.find(row.refused_at), std::string::npos) << got.error().detail;
    EXPECT_FALSE(got.error().remedy.empty());
}

std::string deep(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

INSTANTIATE_TEST_SUITE_P(
    all, yaml_test,
    testing::Values(
        yaml_case{"map_and_list", "a: 1\nb:\n  - x\n  - {c: d}\n", R"({"a":1,"b":["x",{"c":"d"}]})", ""},
        yaml_case{"json_passes", " {\"a\": 1.50}", " {\"a\": 1.50}", ""},
        yaml_case{"words_stay_words", "[no, yes, on, off, y, n, nul, 1_000, 1:30, 0b1, 2026-01-01]",
                  R"(["no","yes","on","off","y","n","nul","1_000","1:30","0b1","2026-01-01"])", ""},
        yaml_case{"core_booleans", "[true, True, TRUE, false, tRUE]", R"([true,true,true,false,"tRUE"])", ""},
        yaml_case{"core_nulls", "[null, Null, ~, ]", "[null,null,null]", ""},
        yaml_case{"core_integers", "[12, -3, +4, 010, 0x1F, 0o17, 9223372036854775807]",
                  "[12,-3,4,10,31,15,9223372036854775807]", ""},
        yaml_case{"core_floats", "[1e3, 1.5, .5, 1., -2.5E-1, 1e]", R"([1000.0,1.5,0.5,1.0,-0.25,"1e"])", ""},
        yaml_case{"quoted_is_text", R"(['12', "true", "null", "\u00e9"])", "[\"12\",\"true\",\"null\",\"é\"]", ""},
        yaml_case{"numeric_key_is_a_name", "{12: x}\n", "", "line 1, column 2"},  // begins like JSON: read as JSON
        yaml_case{"numeric_key_in_a_block", "12: x\n", R"({"12":"x"})", ""},
        yaml_case{"block_text", "a: |\n  x\n  y\n", R"({"a":"x\ny\n"})", ""},
        yaml_case{"one_document_with_marks", "---\na: 1\n...\n", R"({"a":1})", ""},
        yaml_case{"depth_at_limit", deep(32),
                  std::string_view("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), ""},
        yaml_case{"depth_past_limit", deep(33), "", "line 1, column 33: nested deeper than 32"},
        yaml_case{"depth_far_past_limit", deep(100'000), "", "nested deeper than 32"},
        yaml_case{"open_brackets_only", std::string(100'000, '['), "", "line 1"},
        yaml_case{"anchor", "a: &x 1\n", "", "anchors and aliases"},
        yaml_case{"next_line", "a: \"me\\N\"\n", "", "no text"},
        yaml_case{"next_line_as_a_key", "\"me\\_\": 1\n", "", "no text"},
        yaml_case{"hard_blank_by_number", "a: \"me\\u00a0\"\n", "{\"a\":\"me\xc2\xa0\"}", ""},
        yaml_case{"next_line_by_number", "a: \"me\\u0085\"\n", "{\"a\":\"me\xc2\x85\"}", ""},
        yaml_case{"alias", "a: &x [1]\nb: *x\n", "", "anchors and aliases"},
        yaml_case{"tag", "a: !!str 1\n", "", "line 1, column 4: tags"},
        yaml_case{"tag_on_a_map", "a: !thing {b: 1}\n", "", "tags"},
        yaml_case{"name_twice", "a: 1\nb: 2\na: 3\n", "", "line 3, column 1: the name \"a\" stands twice"},
        yaml_case{"map_as_key", "? {a: 1}\n: x\n", "", "cannot be a key"},
        yaml_case{"null_as_key", "~: x\n", "", "missing or null"},
        yaml_case{"second_document", "a: 1\n---\nb: 2\n", "", "second document"},
        yaml_case{"infinity", "a: .inf\n", "", "infinity"}, yaml_case{"too_big", "a: 1e999\n", "", "too large"},
        yaml_case{"tab_indent", "a:\n\tb: 1\n", "", "line 2"}, yaml_case{"unclosed", "a: [1, 2\n", "", "line"},
        yaml_case{"empty", "# nothing\n", "", "the file is empty"}, yaml_case{"not_utf8", "a: \xff\n", "", "not UTF-8"},
        yaml_case{"nul", std::string("a: x\0y\n", 7), "", "not UTF-8"},
        yaml_case{"bad_json", "{\"a\": 1,\n}", "", "line 2, column 1"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(yaml, size_is_bounded) {
    const auto got = yaml_to_json(std::string(workload_json_max + 1, ' '));
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, errc::too_large);
}

}  // namespace
}  // namespace westerly
