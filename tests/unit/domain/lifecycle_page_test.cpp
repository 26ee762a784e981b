#include "broker/support/files.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

namespace westerly {
namespace {

std::string output_of(const std::string& command) {
    std::string text;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr)
        return text;
    std::array<char, 4096> piece;
    for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
        text.append(piece.data(), got);
    EXPECT_EQ(::pclose(pipe), 0);
    return text;
}

TEST(lifecycle_page, shows_the_transition_tables_as_they_are) {
    constexpr std::size_t page_bytes_max = 1 << 20;
    const auto page = read_file(WESTERLY_SOURCE_DIR "/docs/lifecycle.md", page_bytes_max);
    ASSERT_TRUE(page);
    const std::string printed = output_of(WESTERLY_BIN_DIR "/print-transitions");
    ASSERT_NE(printed.find("stateDiagram-v2"), std::string::npos);
    const std::size_t begin = page->find(printed.substr(0, printed.find('\n') + 1));
    ASSERT_NE(begin, std::string::npos) << "the page has lost its markers";
    EXPECT_EQ(page->substr(begin, printed.size()), printed)
        << "run print-transitions docs/lifecycle.md and commit the page";
}

}  // namespace
}  // namespace westerly
