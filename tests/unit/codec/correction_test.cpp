#include "broker/codec/correction_json.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

std::string request(const std::string& of, const std::string& factors, const std::string& more = "") {
    return "{" + of + R"("source": "ministry", "year": 2026, "quality": "annual_provincial", "factors": [)" + factors +
           "]" + more + "}";
}
const std::string year =
    R"({"start_at": "2026-01-01T00:00:00Z", "end_at": "2027-01-01T00:00:00Z", "g_per_kwh": 571.2})";
const std::string next = R"({"start_at": "2027-01-01T00:00:00Z", "end_at": "2028-01-01T00:00:00Z", "g_per_kwh": 0})";

TEST(decode_correction, reads_a_zone_or_a_site) {
    const auto zone = decode_correction_request(request(R"("zone": "CN-NX", )", year + "," + next));
    ASSERT_TRUE(zone.has_value());
    EXPECT_EQ(zone->told.zone, "CN-NX");
    EXPECT_EQ(zone->told.year, 2026);
    EXPECT_EQ(zone->told.quality, quality_class::annual_provincial);
    EXPECT_EQ(zone->told.reason, "a later publication");
    EXPECT_FALSE(zone->dry_run);
    ASSERT_EQ(zone->told.factors.size(), 2u);
    EXPECT_EQ(zone->told.factors[0].value, 571.2);
    EXPECT_EQ(format_rfc3339(zone->told.until()), "2028-01-01T00:00:00.000Z");
    const auto site =
        decode_correction_request(request(R"("site": "hall/east", )", year, R"(, "reason": "r", "dry_run": true)"));
    ASSERT_TRUE(site.has_value());
    EXPECT_EQ(site->told.provider, "hall");
    EXPECT_EQ(site->told.site, "east");
    EXPECT_EQ(site->told.reason, "r");
    EXPECT_TRUE(site->dry_run);
}

TEST(decode_correction, refuses_with_the_place_of_the_fault) {
    const std::string zone = R"("zone": "Z", )";
    const std::pair<std::string, std::string> wrong[] = {
        {request("", year), ""},
        {request(R"("zone": "Z", "site": "p/s", )", year), ""},
        {request(R"("site": "nowhere", )", year), "/site"},
        {request(zone, ""), "/factors"},
        {request(zone, year + "," + year), "/factors/1/start_at"},
        {request(zone, next + "," + year), "/factors/1/start_at"},
        {request(zone, R"({"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-01-01T00:00:00Z", "g_per_kwh": 1})"),
         "/factors/0/end_at"},
        {request(zone, R"({"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-01-02T00:00:00Z", "g_per_kwh": -1})"),
         "/factors/0/g_per_kwh"},
        {request(zone, year, R"(, "dryrun": true)"), "/dryrun"},
    };
    for (const auto& [json, pointer] : wrong) {
        const auto read = decode_correction_request(json);
        ASSERT_FALSE(read.has_value()) << json;
        EXPECT_EQ(read.error().faults.at(0).pointer, pointer) << json;
    }
}

TEST(encode_corrections, sums_what_it_lists) {
    corrections_made made;
    made.rows.resize(2);
    made.rows[0].carbon_mg = 3'000'000;
    made.rows[1].carbon_mg = -1'000'000;
    made.rows[1].carbon_market_mg = -500'000;
    made.counts = {2, 0, 1, 0, 0};
    const auto v = parse_json(to_json_text(made), 1 << 20);
    ASSERT_TRUE(v.has_value());
    EXPECT_EQ((*v)["items"].Size(), 2u);
    EXPECT_EQ((*v)["carbon_kg"].GetDouble(), 2);
    EXPECT_EQ((*v)["carbon_market_kg"].GetDouble(), -0.5);
    EXPECT_EQ((*v)["rows"]["corrected"].GetInt(), 2);
    EXPECT_EQ((*v)["rows"]["repeated"].GetInt(), 1);
    EXPECT_FALSE(v->HasMember("next_cursor"));
}

}  // namespace
}  // namespace westerly
