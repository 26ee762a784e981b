#include "tools/catalogue/csv.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

struct csv_case {
    std::string_view name, text;
    std::vector<std::vector<std::string>> rows;
    std::vector<csv_damage> damage;
};

class csv_test : public testing::TestWithParam<csv_case> {};

TEST_P(csv_test, reads) {
    csv_reader lines(GetParam().text);
    csv_row row;
    std::vector<std::vector<std::string>> rows;
    std::vector<csv_damage> damage;
    while (lines.next(row)) {
        damage.push_back(row.damage);
        rows.push_back(row.damage == csv_damage::none ? row.fields : std::vector<std::string>{});
    }
    EXPECT_EQ(rows, GetParam().rows);
    EXPECT_EQ(damage, GetParam().damage);
}

constexpr auto good = csv_damage::none;

INSTANTIATE_TEST_SUITE_P(
    all, csv_test,
    testing::Values(
        csv_case{"nothing", "", {}, {}}, csv_case{"one_field", "a", {{"a"}}, {good}},
        csv_case{"empty_fields", ",,\n", {{"", "", ""}}, {good}},
        csv_case{
            "either_line_end_and_none", "a,b\r\nc,d\ne,f", {{"a", "b"}, {"c", "d"}, {"e", "f"}}, {good, good, good}},
        csv_case{"empty_lines_pass", "a\n\n\r\nb\n", {{"a"}, {"b"}}, {good, good}},
        csv_case{"byte_order_mark",
                 "\xEF\xBB\xBF"
                 "a,b",
                 {{"a", "b"}},
                 {good}},
        csv_case{"quotes", "\"a,b\",\"say \"\"c\"\"\",\"\"", {{"a,b", "say \"c\"", ""}}, {good}},
        csv_case{"a_quote_within_is_text", "a\"b,c", {{"a\"b", "c"}}, {good}},
        csv_case{"an_open_quote_costs_one_line", "a,\"b\nc,d", {{}, {"c", "d"}}, {csv_damage::open_quote, good}},
        csv_case{"text_behind_a_quote", "\"a\"b,c\nd", {{}, {"d"}}, {csv_damage::open_quote, good}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(csv_reader, a_line_past_its_bounds_costs_one_line) {
    for (const std::string& bad : {std::string(csv_line_bytes_max + 1, 'a'), std::string(csv_fields_max, ',')}) {
        const std::string text = bad + "\na,b\n";
        csv_reader lines(text);
        csv_row row;
        ASSERT_TRUE(lines.next(row));
        EXPECT_EQ(row.damage, csv_damage::too_long);
        ASSERT_TRUE(lines.next(row));
        EXPECT_EQ(row.line, 2u);
        EXPECT_EQ(row.fields.size(), 2u);
    }
}

}  // namespace
}  // namespace westerly
