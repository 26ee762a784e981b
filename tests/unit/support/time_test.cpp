#include "broker/support/time.hpp"

#include "broker/support/random.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

struct time_case {
    std::string_view text;
    std::string_view utc;  // how we write the same moment
};

TEST(time, any_offset_and_fraction_is_read_and_written_in_utc) {
    for (const auto& [text, utc] : {time_case{"2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000Z"},
                                    {"2026-01-31t08:00:00z", "2026-01-31T08:00:00.000Z"},
                                    {"2026-01-31T08:00:00.1Z", "2026-01-31T08:00:00.100Z"},
                                    {"2026-01-31T08:00:00.123456789Z", "2026-01-31T08:00:00.123Z"},
                                    {"2026-01-31T08:00:00.999999999Z", "2026-01-31T08:00:00.999Z"},
                                    {"2026-01-31T16:00:00+08:00", "2026-01-31T08:00:00.000Z"},
                                    {"2026-01-31T02:30:00-05:30", "2026-01-31T08:00:00.000Z"},
                                    {"2026-01-31T08:00:00-00:00", "2026-01-31T08:00:00.000Z"},
                                    {"2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"},
                                    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
                                    {"1970-01-01T08:00:00+08:00", "1970-01-01T00:00:00.000Z"},
                                    {"1969-12-31T23:00:00-01:00", "1970-01-01T00:00:00.000Z"},
                                    {"2262-12-31T23:59:59.999Z", "2262-12-31T23:59:59.999Z"}}) {
        const auto at = parse_rfc3339(text);
        ASSERT_TRUE(at) << text;
        EXPECT_EQ(format_rfc3339(*at), utc) << text;
    }
}

TEST(time, what_is_not_rfc_3339_is_refused_with_a_remedy) {
    for (const auto* bad : {"",
                            "now",
                            "2026-01-31",
                            "2026-01-31T08:00:00",
                            "2026-01-31 08:00:00Z",
                            "2026-1-31T08:00:00Z",
                            "2026-01-31T8:00:00Z",
                            "2026-02-29T08:00:00Z",
                            "2026-00-01T08:00:00Z",
                            "2026-13-01T08:00:00Z",
                            "2026-01-32T08:00:00Z",
                            "2026-01-31T24:00:00Z",
                            "2026-01-31T08:60:00Z",
                            "2026-01-31T08:00:60Z",
                            "2026-01-31T08:00:00.Z",
                            "2026-01-31T08:00:00.1234567890Z",
                            "2026-01-31T08:00:00,5Z",
                            "2026-01-31T08:00:00+0800",
                            "2026-01-31T08:00:00+08",
                            "2026-01-31T08:00:00+24:00",
                            "2026-01-31T08:00:00+08:60",
                            "2026-01-31T08:00:00Zx",
                            "+026-01-31T08:00:00Z",
                            "1969-12-31T23:59:59Z",
                            "1970-01-01T00:00:00+00:01",
                            "2263-01-01T00:00:00Z",
                            "0000-01-01T00:00:00Z"}) {
        const auto at = parse_rfc3339(bad);
        ASSERT_FALSE(at) << bad;
        EXPECT_EQ(at.error().code, errc::invalid);
        EXPECT_FALSE(at.error().remedy.empty());
    }
}

TEST(time, a_huge_text_is_not_repeated_in_the_error) {
    EXPECT_LT(parse_rfc3339(std::string(1'000'000, 'x')).error().detail.size(), 200u);
}

TEST(time, every_millisecond_round_trips) {
    random_source random(11);
    const std::int64_t end = parse_rfc3339("2262-12-31T23:59:59.999Z")->time_since_epoch().count();
    for (int i = 0; i < 20'000; ++i) {
        const instant at{milliseconds(static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(end)))};
        EXPECT_EQ(parse_rfc3339(format_rfc3339(at)).value(), at);
    }
}

TEST(time, the_machine_clock_tells_a_time_after_this_was_written) {
    EXPECT_GT(system_wall_clock().now(), parse_rfc3339("2024-01-01T00:00:00Z").value());
}

}  // namespace
}  // namespace westerly
