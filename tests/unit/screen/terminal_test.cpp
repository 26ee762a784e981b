#include "tools/westerly/screen/terminal.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace westerly {
namespace {

environment with(std::map<std::string, std::string> set) {
    return [set = std::move(set)](const char* name) {
        const auto found = set.find(name);
        return found == set.end() ? nullptr : found->second.c_str();
    };
}

TEST(locale, says_whether_text_may_be_utf8) {
    EXPECT_FALSE(speaks_utf8(with({})));
    EXPECT_FALSE(speaks_utf8(with({{"LANG", "C"}})));
    EXPECT_TRUE(speaks_utf8(with({{"LANG", "C.UTF-8"}})));
    EXPECT_TRUE(speaks_utf8(with({{"LANG", "en_GB.utf8"}})));
    EXPECT_FALSE(speaks_utf8(with({{"LANG", "C.UTF-8"}, {"LC_ALL", "POSIX"}}))) << "LC_ALL is above all";
    EXPECT_TRUE(speaks_utf8(with({{"LANG", "C.UTF-8"}, {"LC_ALL", ""}}))) << "empty is not set";
}

TEST(locale, chooses_chinese_where_it_can_be_shown) {
    EXPECT_EQ(preferred_language(with({})), language::en);
    EXPECT_EQ(preferred_language(with({{"LANG", "zh_CN.UTF-8"}})), language::zh);
    EXPECT_EQ(preferred_language(with({{"LC_ALL", "zh_SG.UTF-8"}, {"LANG", "en_GB.UTF-8"}})), language::zh);
    EXPECT_EQ(preferred_language(with({{"LC_MESSAGES", "en_GB.UTF-8"}, {"LANG", "zh_CN.UTF-8"}})), language::en);
    EXPECT_EQ(preferred_language(with({{"LANG", "zh_CN.GBK"}})), language::en) << "texts are UTF-8 only";
}

TEST(width, is_columns_then_the_terminal_then_eighty) {
    EXPECT_EQ(width_of(with({}), 0), 80u);
    EXPECT_EQ(width_of(with({}), 132), 132u);
    EXPECT_EQ(width_of(with({{"COLUMNS", "100"}}), 132), 100u);
    for (const char* odd : {"", "0", "wide", "-5", "80x"})
        EXPECT_EQ(width_of(with({{"COLUMNS", odd}}), 132), 132u) << odd;
    EXPECT_EQ(width_of(with({{"COLUMNS", "3"}}), 0), 20u);
    EXPECT_EQ(width_of(with({{"COLUMNS", "999999"}}), 0), 1000u);
}

}  // namespace
}  // namespace westerly
