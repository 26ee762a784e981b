#include "broker/domain/version_range.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

struct version_case {
    std::string_view told, range;
    bool fits;
};

TEST(version_range, compares_dotted_numbers) {
    for (const auto& [told, range, fits] : {version_case{"12.4", "", true},
                                            {"", "", true},
                                            {"", ">=12", false},  // not told is not 0, and not the newest
                                            {"12.4", ">=12.1,<13", true},
                                            {"12.1", ">=12.1,<13", true},
                                            {"12.0.9", ">=12.1,<13", false},
                                            {"13", ">=12.1,<13", false},
                                            {"13.0.0", "<13", false},
                                            {"12.10", ">12.9", true},  // numbers, not decimals
                                            {"12.4.0", "12.4", true},
                                            {"12.4.1", "12.4", false},
                                            {"12.4.1", "=12.4.1", true},
                                            {"550.54.14", ">= 550.54 , <=550.54.14", true},
                                            {"8.0.RC1", ">=7", false},  // no dotted number
                                            {"0", ">=0", true},
                                            {"12.4", "newest", false}})
        EXPECT_EQ(version_fits(told, range), fits) << told << " in " << range;
}

TEST(version_range, refuses_what_is_no_version_or_range) {
    for (const std::string_view text :
         {"", ".", "1.", ".1", "1..2", "a", "1a", "-1", "1234567890", "1.2.3.4.5.6.7.8.9"})
        EXPECT_FALSE(parse_version(text)) << text;
    for (const std::string_view text : {"", ",", ">=", ">=1,", ",1", "=>1", "1<2", ">1,>2,>3,>4,>5", ">=1;<2", "~1"})
        EXPECT_FALSE(parse_version_range(text)) << text;
    EXPECT_EQ(parse_version("1.2.3.4.5.6.7.8")->parts.size(), 8u);
    EXPECT_EQ(parse_version_range(">1,>=2,<3,<=4")->all.size(), 4u);
}

}  // namespace
}  // namespace westerly
