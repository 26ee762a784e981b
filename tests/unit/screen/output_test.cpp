#include "tools/westerly/screen/output.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

using testing::ElementsAre;

rapidjson::Document parsed(const char* text) {
    rapidjson::Document made;
    made.Parse(text);
    EXPECT_FALSE(made.HasParseError()) << text;
    return made;
}

constexpr const char* night_and_noon = R"({
  "price": {"amount": "0.100000000", "currency": "CNY"},
  "price_schedule": {"utc_offset": "+08:00", "windows": [
    {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "23:00", "to": "07:00", "amount": "0.040000000"},
    {"days": ["mon", "tue", "wed", "fri", "sun"], "from": "09:00", "to": "11:30", "amount": "0.172500000"},
    {"days": ["sat", "sun"], "from": "12:00", "to": "13:00", "amount": "0.050000000"}]},
  "hourly_price": {"now": {"amount": "0.040000000", "currency": "CNY"}, "least": {"amount": "0.040000000", "currency": "CNY"},
                   "highest": {"amount": "0.172500000", "currency": "CNY"}}})";

TEST(output, of_prices_by_the_hour_tells_the_one_that_holds_and_the_range) {
    auto told = parsed(night_and_noon);
    EXPECT_EQ(unit_price_of(told), "0.04 CNY now, 0.04 to 0.1725 CNY");
    told["hourly_price"].RemoveMember("now");
    EXPECT_EQ(unit_price_of(told), "0.04 to 0.1725 CNY") << "of the past";
    told.RemoveMember("hourly_price");
    EXPECT_EQ(unit_price_of(told), "0.10 CNY");
    told.RemoveMember("price");
    EXPECT_EQ(unit_price_of(told), "");
}

TEST(output, tells_windows_with_spans_of_days) {
    auto told = parsed(night_and_noon);
    EXPECT_THAT(windows_of(told), ElementsAre("daily 23:00-07:00 0.04", "mon-wed,fri,sun 09:00-11:30 0.1725",
                                              "sat,sun 12:00-13:00 0.05"));
    EXPECT_EQ(hours_in_words(told),
              "+08:00: daily 23:00-07:00 0.04, mon-wed,fri,sun 09:00-11:30 0.1725, sat,sun 12:00-13:00 0.05");
    auto& windows = told["price_schedule"]["windows"];
    windows.PushBack(rapidjson::Value(windows[0], told.GetAllocator()), told.GetAllocator());
    EXPECT_THAT(hours_in_words(told), testing::EndsWith("13:00 0.05 and 1 more"));
    told.RemoveMember("price_schedule");
    EXPECT_THAT(windows_of(told), ElementsAre());
    EXPECT_EQ(hours_in_words(told), "");
}

}  // namespace
}  // namespace westerly
