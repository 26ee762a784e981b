#include "broker/support/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

namespace westerly {
namespace {

class log_lines : public testing::Test {
protected:
    void SetUp() override { testing::internal::CaptureStderr(); }
    void TearDown() override {
        if (!taken_)
            take();
        set_log_level(log_level::info);
    }
    std::string take() {
        taken_ = true;
        return testing::internal::GetCapturedStderr();
    }
    /// Without {"at":"…", whose value changes.
    static std::string after_time(const std::string& line) { return line.substr(line.find("\"level\"")); }

private:
    bool taken_ = false;
};

TEST_F(log_lines, every_kind_of_value_is_json) {
    log_event(log_level::warning, "test.values",
              {{"text", std::string("a")},
               {"whole", std::numeric_limits<std::int64_t>::min()},
               {"real", 0.1},
               {"yes", true},
               {"no", false},
               {"nan", std::numeric_limits<double>::quiet_NaN()},
               {"infinite", std::numeric_limits<double>::infinity()}});
    const std::string line = take();
    EXPECT_EQ(line.substr(0, 9), "{\"at\":\"20");
    EXPECT_EQ(after_time(line),
              "\"level\":\"warning\",\"event\":\"test.values\",\"text\":\"a\",\"whole\":-9223372036854775808,"
              "\"real\":0.1,\"yes\":true,\"no\":false,\"nan\":null,\"infinite\":null}\n");
}

TEST_F(log_lines, what_json_forbids_is_escaped) {
    log_event(log_level::info, "test.escape",
              {{"q\"", std::string("\"\\/\n\r\t\x01\x1f\x7f\0", 10)}, {"utf8", std::string("算力")}});
    EXPECT_EQ(after_time(take()),
              "\"level\":\"info\",\"event\":\"test.escape\",\"q\\\"\":"
              "\"\\\"\\\\/\\u000a\\u000d\\u0009\\u0001\\u001f\\u007f\\u0000\",\"utf8\":\"算力\"}\n");
}

TEST_F(log_lines, bytes_that_are_not_utf8_cannot_break_the_line) {
    log_event(log_level::error, "test.bytes", {{"raw", std::string("a\xff\xC3 b")}});
    EXPECT_EQ(after_time(take()), "\"level\":\"error\",\"event\":\"test.bytes\",\"raw\":\"a?? b\"}\n");
}

TEST_F(log_lines, text_with_braces_is_no_format) {
    log_event(log_level::info, "test.braces", {{"text", std::string("{} {0} %v")}});
    EXPECT_NE(take().find("\"text\":\"{} {0} %v\""), std::string::npos);
}

TEST_F(log_lines, lines_below_the_level_are_dropped) {
    log_event(log_level::debug, "test.hidden");
    set_log_level(log_level::error);
    log_event(log_level::warning, "test.hidden");
    set_log_level(log_level::debug);
    log_event(log_level::debug, "test.shown");
    const std::string text = take();
    EXPECT_EQ(text.find("hidden"), std::string::npos);
    EXPECT_NE(text.find("test.shown"), std::string::npos);
}

TEST_F(log_lines, threads_do_not_mix_their_lines) {
    constexpr int lines_each = 200;
    std::vector<std::jthread> writers;
    for (int t = 0; t < 4; ++t)
        writers.emplace_back([] {
            for (int i = 0; i < lines_each; ++i)
                log_event(log_level::info, "test.thread", {{"pad", std::string(300, 'x')}});
        });
    writers.clear();
    const std::string text = take();
    EXPECT_EQ(std::ranges::count(text, '\n'), 4 * lines_each);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        EXPECT_EQ(text.substr(at, 6), "{\"at\":");
        EXPECT_EQ(text[text.find('\n', at) - 1], '}');
    }
}

}  // namespace
}  // namespace westerly
