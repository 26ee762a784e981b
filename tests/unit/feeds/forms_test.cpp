#include "broker/feeds/signal_forms.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

const instant received = *parse_rfc3339("2026-03-01T10:05:00Z");

instant at(const char* text) {
    return *parse_rfc3339(text);
}

std::string faults_of(const error& why) {
    std::string all = why.detail;
    for (const fault& f : why.faults)
        all += "\n" + f.pointer + ": " + f.message;
    return all;
}

template <class T>
void expect_ok(const result<T>& got) {
    EXPECT_TRUE(got.has_value()) << (got ? "" : faults_of(got.error()));
}

TEST(signals_json, reads_steps_and_intervals) {
    const auto got = decode_signals(R"({
        "source": "the grid company", "version": "2026-03",
        "series": [
          {"zone": "CN-NX", "unit": "g/kWh", "quality": "modelled_hourly", "issued_at": "2026-03-01T10:00:00Z",
           "max_age_s": 21600, "start_at": "2026-03-01T10:00:00Z", "step_s": 3600,
           "forecast_from": "2026-03-01T11:00:00Z", "values": [400, 200.5]},
          {"zone": "CN-NX", "kind": "green_power_share", "unit": "share", "quality": "monthly",
           "intervals": [{"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-04-01T00:00:00Z", "value": 0.4}]}
        ]})",
                                    received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 2u);
    const signal_series& carbon = got->front();
    EXPECT_EQ(carbon.source, "the grid company");
    EXPECT_EQ(carbon.version, "2026-03");
    EXPECT_EQ(carbon.max_age_s, 21600u);
    ASSERT_EQ(carbon.intervals.size(), 2u);
    EXPECT_EQ(carbon.intervals[0],
              (signal_interval{at("2026-03-01T10:00:00Z"), at("2026-03-01T11:00:00Z"), 400, false}));
    EXPECT_EQ(carbon.intervals[1],
              (signal_interval{at("2026-03-01T11:00:00Z"), at("2026-03-01T12:00:00Z"), 200.5, true}));
    EXPECT_EQ(got->back().kind, signal_kind::green_power_share);
    EXPECT_EQ(got->back().quality, quality_class::monthly);
}

struct bad_file {
    const char* name;
    const char* series;
    const char* pointer;
    const char* words;
};

class signals_json_refuses : public testing::TestWithParam<bad_file> {};

TEST_P(signals_json_refuses, with_pointer_and_place) {
    const auto got = decode_signals(std::string(R"({"source": "s", "series": [)") + GetParam().series + "]}", received);
    ASSERT_FALSE(got.has_value());
    ASSERT_FALSE(got.error().faults.empty());
    const fault first = got.error().faults.front();
    EXPECT_EQ(first.pointer, GetParam().pointer);
    EXPECT_NE(first.message.find(GetParam().words), std::string::npos) << first.message;
    EXPECT_NE(first.message.find(", column "), std::string::npos) << first.message;
}

INSTANTIATE_TEST_SUITE_P(
    all, signals_json_refuses,
    testing::Values(bad_file{"unit", R"({"zone": "Z", "unit": "lb/MWh", "quality": "monthly", "intervals": [
            {"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-03-02T00:00:00Z", "value": 1}]})",
                             "/series/0/unit", "lb/MWh"},
                    bad_file{"overlap", R"({"zone": "Z", "unit": "g/kWh", "quality": "monthly", "intervals": [
            {"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-03-02T00:00:00Z", "value": 1},
            {"start_at": "2026-03-01T23:59:59Z", "end_at": "2026-03-03T00:00:00Z", "value": 1}]})",
                             "/series/0/intervals/1", "overlaps"},
                    bad_file{"no_length", R"({"zone": "Z", "unit": "g/kWh", "quality": "monthly", "intervals": [
            {"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-03-01T00:00:00Z", "value": 1}]})",
                             "/series/0/intervals/0", "ends before"},
                    bad_file{"not_believable", R"({"zone": "Z", "unit": "g/kWh", "quality": "monthly", "intervals": [
            {"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-03-02T00:00:00Z", "value": 5001}]})",
                             "/series/0/intervals/0/value", "out of range"},
                    bad_file{"both_forms", R"({"zone": "Z", "unit": "g/kWh", "quality": "monthly", "values": [1],
            "start_at": "2026-03-01T00:00:00Z", "step_s": 3600, "intervals": [
            {"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-03-02T00:00:00Z", "value": 1}]})",
                             "/series/0", "either"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(signals_csv, reads_facts_header_and_rows) {
    const auto got = decode_signals_csv(
        "# source: a table\n# quality: measured_hourly\n# max_age_s: 60\n# made with care\n"
        "start_at,end_at,zone,value,forecast\n"
        "2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,A,400,\n"
        "2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,B,300,false\n"
        "2026-03-01T11:00:00Z,2026-03-01T12:00:00Z,A,410,true\r\n",
        received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 2u);
    EXPECT_EQ((*got)[0].zone, "A");
    EXPECT_EQ((*got)[0].intervals.size(), 2u);
    EXPECT_TRUE((*got)[0].intervals[1].forecast);
    EXPECT_EQ((*got)[0].quality, quality_class::measured_hourly);
    EXPECT_EQ((*got)[1].intervals.front().value, 300);
}

TEST(signals_csv, names_the_line_of_a_fault) {
    const auto got = decode_signals_csv(
        "# source: a table\nzone,start_at,end_at,value\n"
        "A,2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,many\n"
        "A,2026-03-01T12:00:00Z,2026-03-01T11:00:00Z,1\n",
        received);
    ASSERT_FALSE(got.has_value());
    ASSERT_EQ(got.error().faults.size(), 2u);
    EXPECT_EQ(got.error().faults[0].pointer, "line 3");
    EXPECT_EQ(got.error().faults[1].pointer, "line 4");
    EXPECT_FALSE(decode_signals_csv("", received).has_value());
    EXPECT_FALSE(decode_signals_csv("zone,start_at,end_at,value\n", received).has_value());
}

foreign_facts facts() {
    return {.zone = "DE", .source = "Electricity Maps", .max_age_s = 7200};
}

TEST(electricity_maps, reads_latest) {
    const auto got = decode_electricity_maps(
        R"({"zone":"DE","carbonIntensity":322,"datetime":"2026-03-01T10:00:00.000Z","updatedAt":
            "2026-03-01T10:04:21.002Z","createdAt":"2026-02-26T10:01:00.000Z","emissionFactorType":"direct",
            "isEstimated":true,"estimationMethod":"TIME_SLICER_AVERAGE"})",
        facts(), received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 1u);
    EXPECT_EQ(got->front().zone, "DE");
    EXPECT_EQ(got->front().scope, emission_scope::direct);
    EXPECT_EQ(got->front().quality, quality_class::modelled_hourly) << "an estimate is not measured";
    EXPECT_EQ(got->front().issued_at, at("2026-03-01T10:04:21.002Z"));
    EXPECT_EQ(got->front().intervals.front(),
              (signal_interval{at("2026-03-01T10:00:00Z"), at("2026-03-01T11:00:00Z"), 322, false}));
}

TEST(electricity_maps, keeps_measured_and_estimated_hours_apart) {
    const auto got = decode_electricity_maps(
        R"({"zone":"DE","history":[
            {"zone":"DE","carbonIntensity":300,"datetime":"2026-03-01T08:00:00.000Z","emissionFactorType":"lifecycle",
             "isEstimated":false,"estimationMethod":null},
            {"zone":"DE","carbonIntensity":null,"datetime":"2026-03-01T09:00:00.000Z"},
            {"zone":"DE","carbonIntensity":320,"datetime":"2026-03-01T10:00:00.000Z","emissionFactorType":"lifecycle",
             "isEstimated":true}]})",
        facts(), received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 2u);
    EXPECT_EQ((*got)[0].quality, quality_class::measured_hourly);
    EXPECT_EQ((*got)[1].quality, quality_class::modelled_hourly);
    EXPECT_EQ((*got)[0].scope, emission_scope::life_cycle);
}

TEST(electricity_maps, reads_a_forecast) {
    const auto got = decode_electricity_maps(
        R"({"zone":"DE","temporalGranularity":"15_minutes","updatedAt":"2026-03-01T10:00:00.000Z","forecast":[
            {"carbonIntensity":350,"datetime":"2026-03-01T10:15:00.000Z"},
            {"carbonIntensity":340,"datetime":"2026-03-01T10:00:00.000Z"}]})",
        facts(), received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 1u);
    ASSERT_EQ(got->front().intervals.size(), 2u);
    EXPECT_EQ(got->front().intervals[0],
              (signal_interval{at("2026-03-01T10:00:00Z"), at("2026-03-01T10:15:00Z"), 340, true}));
    EXPECT_EQ(got->front().intervals[1].end_at, at("2026-03-01T10:30:00Z"));
}

TEST(electricity_maps, a_granularity_that_is_no_text_is_passed_over) {
    expect_ok(decode_electricity_maps(
        R"({"temporalGranularity":5,"history":[{"carbonIntensity":1,"datetime":"2026-03-01T10:00:00Z"}]})", facts(),
        received));
}

TEST(electricity_maps, refuses_what_is_no_answer_of_it) {
    for (const char* text :
         {"", "[]", "{}", R"({"error":"Invalid auth-token"})", R"({"forecast":[]})",
          R"({"carbonIntensity":-1,"datetime":"2026-03-01T10:00:00Z"})",
          R"({"carbonIntensity":1,"datetime":"yesterday"})", R"({"history":[{"carbonIntensity":1}]})"})
        EXPECT_FALSE(decode_electricity_maps(text, facts(), received).has_value()) << text;
}

TEST(carbon_aware, reads_emissions) {
    const auto got = decode_carbon_aware(
        R"([{"location":"eastus","time":"2026-03-01T09:45:11.5092741+00:00","rating":70},
            {"location":"eastus","time":"2026-03-01T09:50:11Z","rating":72.5,"duration":"00:05:00"}])",
        {.zone = "US-EAST", .source = "Carbon Aware SDK", .method = signal_method::marginal}, received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 1u);
    EXPECT_EQ(got->front().method, signal_method::marginal);
    ASSERT_EQ(got->front().intervals.size(), 2u);
    EXPECT_EQ(got->front().intervals[0].end_at, at("2026-03-01T09:50:11Z")) << "until the next one";
    EXPECT_EQ(got->front().intervals[1].end_at, at("2026-03-01T09:55:11Z"));
}

TEST(carbon_aware, reads_forecasts) {
    const auto got = decode_carbon_aware(
        R"([{"requestedAt":"2026-03-01T09:37:49+00:00","generatedAt":"2026-03-01T09:35:00+00:00",
             "location":"northeurope","dataStartAt":"2026-03-01T14:00:00Z","dataEndAt":"2026-03-01T14:20:00Z",
             "windowSize":10,"optimalDataPoints":[{"location":"IE","timestamp":"2026-03-01T14:00:00+00:00",
             "duration":10,"value":532.0}],"forecastData":[
             {"location":"IE","timestamp":"2026-03-01T14:00:00+00:00","duration":10,"value":532.02293146},
             {"location":"IE","timestamp":"2026-03-01T14:10:00+00:00","duration":10,"value":535.7}]}])",
        {.zone = "IE", .source = "Carbon Aware SDK"}, received);
    expect_ok(got);
    ASSERT_EQ(got->size(), 1u);
    EXPECT_EQ(got->front().issued_at, at("2026-03-01T09:35:00Z"));
    ASSERT_EQ(got->front().intervals.size(), 2u);
    EXPECT_TRUE(got->front().intervals[0].forecast);
    EXPECT_EQ(got->front().intervals[1].end_at, at("2026-03-01T14:20:00Z"));
}

TEST(carbon_aware, refuses_what_is_no_answer_of_it) {
    for (const char* text : {"", "{}", "[]", "[1]", R"([{"location":"x"}])",
                             R"([{"time":"2026-03-01T09:50:11Z","rating":1,"duration":"soon"}])",
                             R"([{"time":"2026-03-01T09:50:11Z","rating":1,"duration":1441}])",
                             R"([{"time":"2026-03-01T09:50:11Z","rating":1,"duration":-1}])",
                             R"([{"time":"2026-03-01T09:50:11Z","rating":1,"duration":true}])",
                             R"([{"time":"2026-03-01T09:50:11Z","rating":1,"duration":[]}])",
                             R"([{"time":"2026-03-01T09:50:11Z","rating":1,"duration":{}}])",
                             R"([{"forecastData":[{"timestamp":"2026-03-01T09:50:11Z"}]}])"})
        EXPECT_FALSE(decode_carbon_aware(text, {.zone = "Z", .source = "s"}, received).has_value()) << text;
}

}  // namespace
}  // namespace westerly
