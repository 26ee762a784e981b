#include "tools/westerly/screen/bar_chart.hpp"

#include "tools/westerly/screen/text_width.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace westerly {
namespace {

bar_chart two_bars() {
    return {.title = "What each costs",
            .parts = {"cost", "time"},
            .headings = {"CNY", "RTT"},
            .rows = {{"1 west", {4, 1}, {"5.00", "28 ms"}}, {"2 east/guangzhou", {6, 4}, {"10.00", "3 ms"}}}};
}

TEST(bars, have_one_scale_and_parts_that_add_up) {
    EXPECT_EQ(draw(two_bars(), {.width = 46}),  // 16 + 2 for labels, 14 for figures: 14 for bars
              "What each costs\n"
              "# cost  + time\n"
              "                                    CNY    RTT\n"
              "1 west            ######+          5.00  28 ms\n"
              "2 east/guangzhou  ########++++++  10.00   3 ms\n");
}

TEST(bars, are_blocks_where_the_locale_has_them_and_coloured_on_a_terminal) {
    const auto blocks = draw(two_bars(), {.width = 46, .utf8 = true});
    EXPECT_NE(blocks.find("2 east/guangzhou  ████████▓▓▓▓▓▓  10.00   3 ms\n"), std::string::npos) << blocks;
    EXPECT_EQ(blocks.find('\x1b'), std::string::npos);
    const auto coloured = draw(two_bars(), {.width = 46, .utf8 = true, .colour = true});
    EXPECT_NE(coloured.find("\x1b[34m████████\x1b[0m\x1b[32m▓▓▓▓▓▓\x1b[0m"), std::string::npos) << coloured;
}

TEST(bars, keep_within_the_terminal) {
    auto chart = two_bars();
    chart.rows[1].label = "2 算力中心/a-very-long-name-of-an-offer/on_demand";
    for (std::size_t width = 24; width < 200; ++width) {
        std::istringstream lines(draw(chart, {.width = width, .utf8 = true}));
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(columns_of(line), width) << line;
    }
}

TEST(bars, of_nothing_or_of_no_numbers_are_empty) {
    bar_chart chart = two_bars();
    chart.rows = {{"a", {NAN, -1}, {"-", "-"}}, {"b", {0, 0}, {"0", "-"}}, {"c", {INFINITY}, {}}};
    const auto text = draw(chart, {.width = 46});
    EXPECT_EQ(text.find('#', text.find('\n', 20)), std::string::npos) << text;
    chart.rows = {{"a", {1e308, 1e308}, {}}};
    EXPECT_NE(draw(chart, {.width = 46}).find("##++"), std::string::npos);
}

TEST(bars, of_one_part_need_no_legend) {
    const bar_chart chart{.title = "t", .parts = {"cost"}, .headings = {}, .rows = {{"a", {1}, {}}}};
    EXPECT_EQ(draw(chart, {.width = 20}), "t\n\na  #################\n");
}

}  // namespace
}  // namespace westerly
