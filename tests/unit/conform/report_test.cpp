#include "tools/conform/report.hpp"

#include "broker/codec/json.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

const std::vector<check_result> results{
    {"launch.once", "one thing a token", verdict::pass, "seen once", 0.5},
    {"list.complete", "complete means all", verdict::fail, "it lacks \"a\" & <b>\x01", 1},
    {"run.gang", "a gang ends", verdict::not_applicable, "not declared", 0},
};

TEST(report, says_why_in_every_line_and_the_promise_where_it_fails) {
    EXPECT_EQ(report_line(results[0]), "pass            launch.once               seen once");
    EXPECT_NE(report_line(results[1]).find("complete means all: it lacks"), std::string::npos);
    EXPECT_TRUE(report_line(results[2]).starts_with("not applicable  run.gang"));
    EXPECT_EQ(summary(results), report_line(results[1]) + "\n1 passed, 1 failed, 1 not applicable");
}

TEST(report, junit_counts_and_escapes) {
    const auto text = junit_report("my-adapter", results);
    EXPECT_NE(text.find(R"(tests="3" failures="1" errors="0" skipped="1" time="1.500")"), std::string::npos) << text;
    EXPECT_NE(text.find("it lacks &quot;a&quot; &amp; &lt;b&gt;?"), std::string::npos) << text;
    EXPECT_NE(text.find(R"(<skipped message="not declared"/>)"), std::string::npos) << text;
}

TEST(report, json_is_json) {
    const auto document = parse_json(json_report("my-adapter", results), 1 << 20);
    ASSERT_TRUE(document) << document.error().detail;
    EXPECT_EQ((*document)["failed"].GetUint(), 1u);
    EXPECT_STREQ((*document)["checks"][2]["verdict"].GetString(), "not applicable");
}

}  // namespace
}  // namespace westerly
