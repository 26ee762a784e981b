#include "broker/codec/config_json.hpp"
#include "broker/support/files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

std::string example(std::string_view name) {
    return read_file(std::string(WESTERLY_SOURCE_DIR "/tests/schema/valid/") + std::string(name), 1 << 20).value();
}

struct config_case {
    std::string_view name;
    std::string text;
    std::string_view pointer;
    std::string_view message;  // with the place
};

void expect_fault(const error& why, const config_case& row) {
    EXPECT_EQ(why.code, errc::invalid);
    const auto found = std::ranges::find(why.faults, row.pointer, &fault::pointer);
    ASSERT_NE(found, why.faults.end()) << why.detail;
    EXPECT_NE(found->message.find(row.message), std::string::npos) << found->message;
    EXPECT_FALSE(found->remedy.empty());
}

class policy_fault_test : public testing::TestWithParam<config_case> {};
TEST_P(policy_fault_test, has_line_and_column) {
    const auto got = decode_policy("p", GetParam().text);
    ASSERT_FALSE(got.has_value());
    expect_fault(got.error(), GetParam());
}

constexpr std::string_view kwh = R"({"amount": "1", "currency": "CNY", "per": "kWh"})";

INSTANTIATE_TEST_SUITE_P(
    all, policy_fault_test,
    testing::Values(
        config_case{"syntax", "{\n  \"prices\": }", "", "line 2, column 13"},
        config_case{"unknown", "{\n  \"pirces\": {}}", "/pirces", "line 2, column 13: is not a known field"},
        config_case{"price_as_number", "{\"prices\": {\n \"time\": 5}}", "/prices/time",
                    "line 2, column 10: must be an object"},
        config_case{"price_without_unit", "{\"prices\": {\n \"time\": {\"amount\": \"5\", \"currency\": \"CNY\"}}}",
                    "/prices/time/per", "line 2, column 10: is missing"},
        config_case{"other_currency", R"({"prices": {"time": {"amount": "5", "currency": "USD", "per": "h"}}})",
                    "/prices/time/currency", "line 1, column 49"},
        config_case{"no_price", R"({"prices": {}})", "/prices", "has 0 entries"},
        config_case{
            "two_forms",
            R"({"prices": {"time": )" + std::string(kwh) +
                R"(}, "weights": {"price": {"weight": 1, "reference": 1}, "carbon": {"weight": 1, "reference": 1}}})",
            "/weights", "stands beside \"prices\""},
        config_case{"counted_twice",
                    R"({"prices": {"carbon": )" + std::string(kwh) + R"(, "green_power": )" + std::string(kwh) + "}}",
                    "/prices", "counted twice"},
        config_case{"weights_need_price", R"({"weights": {"carbon": {"weight": 1, "reference": 1}}})", "/weights/price",
                    "is missing"},
        config_case{"no_weight_for_price",
                    R"({"weights": {"price": {"weight": 0, "reference": 1}, "carbon": {"weight": 1, "reference": 1}}})",
                    "/weights/price/weight", "out of range"},
        config_case{
            "reference_zero",
            R"({"weights": {"price": {"weight": 1, "reference": "0.0"}, "carbon": {"weight": 1, "reference": 1}}})",
            "/weights/price/reference", "above 0"},
        config_case{
            "overflow",
            R"({"weights": {"price": {"weight": 1e-300, "reference": 1}, "carbon": {"weight": 1, "reference": 1e-300}}})",
            "/weights", "overflow"},
        config_case{"order_for_all", R"({"order": {"batch": [{"term": "cost"}]}})", "/order/service", "is missing"},
        config_case{
            "order_twice",
            R"({"order": {"service": [{"term": "cost"}], "interactive": [{"term": "cost"}], "batch": [{"term": "cost"}, {"term": "cost"}]}})",
            "/order/batch/1/term", "stands twice"},
        config_case{"bounds_crossed", R"({"overrides": {"max_pue": {"min": 2, "max": 1.5}}})", "/overrides/max_pue/max",
                    "is below min"},
        config_case{"price_bounds_crossed",
                    R"({"overrides": {"prices": {"time": {"min": "2", "max": "1.999999999"}}}})",
                    "/overrides/prices/time/max", "is below min"},
        config_case{"no_bound", R"({"overrides": {"max_pue": {}}})", "/overrides/max_pue", "states no bound"},
        config_case{"order_has_no_prices_to_set",
                    R"({"order": {"service": [{"term": "cost"}], "interactive": [{"term": "cost"}], "batch": [{"term":
                       "cost"}]}, "overrides": {"prices": {"time": {"max": "1"}}}})",
                    "/overrides/prices", "has no meaning"},
        config_case{"group_of_nobody", "{\"applies_to\": [\n{\"tenants\": []}]}", "/applies_to/0/tenants", "line 2"},
        config_case{"label_without_values", R"({"forced_for": [{"labels": {"stage": []}}]})",
                    "/forced_for/0/labels/stage", ""},
        config_case{"rule_that_never_holds",
                    R"({"filters": {"compliance": [{"name": "a", "from_at": "2026-01-02T00:00:00Z", "until_at":
                       "2026-01-01T00:00:00Z", "max_fp16_tflops": 1}]}})",
                    "/filters/compliance/0/until_at", ""},
        config_case{
            "a_word_is_no_figure",
            R"({"filters": {"compliance": [{"name": "a", "forbid": {"fact": "jurisdiction", "at_least": 1}}]}})",
            "/filters/compliance/0/forbid/at_least", "jurisdiction is a word"},
        config_case{"a_figure_is_no_word",
                    R"({"filters": {"compliance": [{"name": "a", "forbid": {"fact": "memory_gib", "in": ["CN"]}}]}})",
                    "/filters/compliance/0/forbid/in", "memory_gib is a figure"},
        config_case{"no_such_country",
                    R"({"filters": {"compliance": [{"name": "a", "forbid": {"fact": "jurisdiction", "in": ["CN",
                       "China"]}}]}})",
                    "/filters/compliance/0/forbid/in/1", ""},
        config_case{"no_such_architecture",
                    R"({"filters": {"compliance": [{"name": "a", "forbid": {"fact": "architecture", "in":
                       ["amd64"]}}]}})",
                    "/filters/compliance/0/forbid/in/0", ""},
        config_case{"word_twice",
                    R"({"filters": {"compliance": [{"name": "a", "forbid": {"fact": "jurisdiction", "in": ["CN",
                       "CN"]}}]}})",
                    "/filters/compliance/0/forbid/in/1", "stands twice"},
        config_case{"two_comparisons",
                    R"({"filters": {"compliance": [{"name": "a", "forbid": {"fact": "memory_gib", "above": 1, "below":
                       5}}]}})",
                    "/filters/compliance/0/forbid", "has 2 comparisons"},
        config_case{"filter_range", "{\"filters\":\n{\"max_pue\": 0.9}}", "/filters/max_pue",
                    "line 2, column 13: is out"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(decode_policy, refuses_a_bad_name) {
    EXPECT_FALSE(decode_policy("Bad Name", "{}").has_value());
    EXPECT_FALSE(decode_policy("", "{}").has_value());
    EXPECT_TRUE(decode_policy("good-name", "{}").has_value());
}

TEST(decode_policy, version_is_that_of_the_bytes) {
    const auto a = decode_policy("p", "{}").value();
    const auto b = decode_policy("p", "{ }").value();
    EXPECT_EQ(a.version, "sha256:44136fa355b3");
    EXPECT_NE(a.version, b.version);
    EXPECT_EQ(a.default_runtime_s, 3600u);
    EXPECT_FALSE(a.ordered());
}

TEST(decode_policy, weights_become_prices) {
    const auto p = decode_policy("p", example("policy-weights.json")).value();
    ASSERT_EQ(p.prices.size(), 3u);
    EXPECT_EQ(p.prices[0].term, "carbon");
    EXPECT_DOUBLE_EQ(p.prices[0].per_unit, (30.0 / 50.0) * (100.0 / 12.5));  // pi = (w_i / w_price) (ref_price / ref_i)
    EXPECT_EQ(p.prices[0].weight, 30);
    EXPECT_EQ(p.prices[0].reference, 12.5);
    EXPECT_EQ(p.prices[0].per, "kg");
    EXPECT_DOUBLE_EQ(p.prices[1].per_unit, (20.0 / 50.0) * (100.0 / 40.0));
    EXPECT_TRUE(p.counted_twice_meant);
}

TEST(decode_policy, reads_prices_orders_and_filters) {
    const auto priced = decode_policy("p", example("policy-prices.json")).value();
    EXPECT_EQ(priced.prices[0].per_unit, 0.10);
    EXPECT_EQ(priced.prices[0].per, "ms·replica-h");
    EXPECT_EQ(priced.min_green_power_share, 0.2);
    EXPECT_EQ(priced.max_pue, 1.5);
    ASSERT_EQ(priced.compliance.size(), 4u);
    EXPECT_EQ(priced.compliance[0].name, "october-2022");
    EXPECT_EQ(priced.compliance[0].forbid.parts.size(), 2u);
    EXPECT_EQ(priced.compliance[1].forbid.is, fact_expression::form::any) << "caps are a short form";
    const fact_expression& residency = priced.compliance[3].forbid;
    EXPECT_EQ(residency.is, fact_expression::form::none);
    ASSERT_EQ(residency.parts.size(), 1u);
    EXPECT_EQ(residency.parts[0].fact, offer_fact::jurisdiction);
    EXPECT_EQ(residency.parts[0].comparison, fact_comparison::in);
    EXPECT_EQ(residency.parts[0].words, (std::vector<std::string>{"CN", "HK"}));
    EXPECT_EQ(priced.default_runtime_s, 7200u);
    EXPECT_EQ(priced.replacement, (replacement_rule{0.25, 10.5, 7200, 600, 3}));
    const auto ordered = decode_policy("p", example("policy-order.json")).value();
    ASSERT_EQ(ordered.order_batch.size(), 4u);
    EXPECT_EQ(ordered.order_batch[0], (ordered_key{"non_green_energy", 0.1}));
    EXPECT_EQ(ordered.within_of_cheapest, 0.5);
    const auto bound = decode_policy("p", example("policy-least.json")).value();
    EXPECT_EQ(bound.within_of_least, (least_rule{"carbon", 0.1}));
}

TEST(decode_policy, takes_one_bound) {
    const auto at = [](const std::string& beside) {
        const auto read =
            decode_policy("p", R"({"within_of_least": {"term": "carbon", "within": 0.1}, )" + beside + "}");
        return read ? std::string() : read.error().faults.at(0).pointer;
    };
    EXPECT_EQ(at(R"("within_of_cheapest": 0.5)"), "/within_of_least");
    EXPECT_EQ(at(R"("overrides": {"within_of_cheapest": {"max": 1}})"), "/within_of_least");
    EXPECT_EQ(at(R"("overrides": {"max_pue": {"max": 1.5}})"), "");
}

TEST(decode_policy, reads_bounds_and_groups) {
    const auto p = decode_policy("p", example("policy-prices.json")).value();
    constexpr std::int64_t one = 1'000'000'000;
    const std::vector<price_bounds> prices{{.term = "green_power", .min_nanos = 3 * one / 10},
                                           {.term = "latency", .min_nanos = 0, .max_nanos = one},
                                           {.term = "time", .min_nanos = 0, .max_nanos = 20 * one}};
    EXPECT_EQ(p.overrides.prices, prices) << "by term";
    EXPECT_EQ(p.overrides.within_of_cheapest, (number_bounds{0, 1}));
    EXPECT_EQ(p.overrides.max_pue, (number_bounds{1, 1.5})) << "no PUE is below 1";
    ASSERT_EQ(p.applies_to.size(), 2u);
    EXPECT_EQ(p.applies_to[0].tenants, (std::vector<std::string>{"acme", "globex"}));
    EXPECT_EQ(p.applies_to[1].labels[0].second, (std::vector<std::string>{"research", ""}));
    EXPECT_EQ(in_words(p.forced_for[0]),
              "workloads of tenant globex labelled example.com/class=gold and stage=prod|canary");
    const auto everybody = decode_policy("p", example("policy-order.json")).value();
    EXPECT_EQ(everybody.default_for, std::vector<workload_group>{workload_group{}});
}

TEST(encode_policy, tells_bounds_groups_and_the_price_of_a_tonne) {
    auto p = decode_policy("p", R"({"weights": {"price": {"weight": 1, "reference": 10},
        "carbon": {"weight": 2, "reference": 40, "per": "kg"}},
        "overrides": {"prices": {"carbon": {"min": "0.1"}}, "max_pue": {"max": 2}},
        "forced_for": [{"labels": {"stage": ["prod"]}}, {}]})")
                 .value();
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode_policy(out, p);
    const std::string text(buffer.GetString(), buffer.GetSize());
    for (const std::string_view part :
         {R"("terms":[{"term":"carbon","price":0.5,"per":"kg","price_per_tonne":500.0,"weight":2.0,"reference":40.0}])",
          R"("overrides":{"prices":{"carbon":{"min":"0.100000000"}},"max_pue":{"min":1.0,"max":2.0}})",
          R"("forced_for":[{"labels":{"stage":["prod"]}},{}])"})
        EXPECT_NE(text.find(part), std::string::npos) << text;
}

class provider_fault_test : public testing::TestWithParam<config_case> {};
TEST_P(provider_fault_test, has_line_and_column) {
    const auto got = decode_provider("p", GetParam().text);
    ASSERT_FALSE(got.has_value());
    expect_fault(got.error(), GetParam());
}

std::string local_with(std::string_view field) {
    return "{\"kind\": \"local\",\n\"sites\": [{\"site\": \"s\", \"region\": \"r\", \"jurisdiction\": \"CN\"}],\n" +
           std::string(field) + "}";
}
std::string catalogue_with(std::string_view offers) {
    return "{\"kind\": \"catalogue\",\n\"sites\": [{\"site\": \"s\", \"region\": \"r\", \"jurisdiction\": \"CN\"}],\n" +
           std::string("\"offers\": [") + std::string(offers) + "]}";
}
std::string priced_by_hour(std::string_view windows, std::string_view more = "") {
    return local_with(
        "\"prices\": [{\"price\": {\"amount\": \"1\", \"currency\": \"CNY\"}, \"source\": \"x\", "
        "\"price_schedule\": {\"utc_offset\": \"+08:00\", \"windows\": [" +
        std::string(windows) + "]}" + std::string(more) + "}]");
}
constexpr std::string_view small_offer =
    R"({"site": "s", "name": "n", "billing_mode": "spot", "unit": "core", "vcpus": 1, "memory_mib": 1})";

TEST(decode_provider, a_text_of_one_length_is_told_its_form_whatever_its_length) {
    for (const char* day : {"Mon", "thur"}) {
        const auto got = decode_provider("p", priced_by_hour(R"({"days": [")" + std::string(day) +
                                                             R"("], "from": "22:00", "to": "06:00", "amount": "1"})"));
        ASSERT_FALSE(got.has_value());
        ASSERT_EQ(got.error().faults.size(), 1u);
        EXPECT_EQ(got.error().faults[0].remedy, "give mon, tue, wed, thu, fri, sat or sun") << day;
    }
}

INSTANTIATE_TEST_SUITE_P(
    all, provider_fault_test,
    testing::Values(
        config_case{"missing", "{}", "/sites", "line 1, column 1: is missing"},
        config_case{
            "site_twice",
            R"({"kind": "local", "sites": [{"site": "s", "region": "r", "jurisdiction": "CN"}, {"site": "s", "region": "r", "jurisdiction": "CN"}]})",
            "/sites/1/site", "has an earlier entry"},
        config_case{
            "fact_without_source",
            R"({"kind": "local", "sites": [{"site": "s", "region": "r", "jurisdiction": "CN", "pue": {"value": 1.2, "quality": "declared"}}]})",
            "/sites/0/pue/source", "is missing"},
        config_case{
            "share_above_one",
            R"({"kind": "local", "sites": [{"site": "s", "region": "r", "jurisdiction": "CN", "green_power_share": {"value": 80, "source": "x", "quality": "declared"}}]})",
            "/sites/0/green_power_share/value", "out of range"},
        config_case{"secret_in_config", local_with("\"config\": {\"api_key\": \"hunter2\"}"), "/config/api_key",
                    "line 3, column 23: must be an object"},
        config_case{"secret_nowhere", local_with("\"config\": {\"db_password\": {}}"), "/config/db_password",
                    "must refer to one place"},
        config_case{"config_is_an_object", local_with("\"config\": []"), "/config", "must be an object"},
        config_case{"large_config", local_with("\"config\": {\"x\": \"" + std::string(256 * 1024, 'x') + "\"}"),
                    "/config", "more than 262144 bytes"},
        config_case{"price_of_nowhere",
                    local_with("\"prices\": [{\"site\": \"t\", \"price\": {\"amount\": \"1\", \"currency\": \"CNY\"}, "
                               "\"source\": \"x\"}]"),
                    "/prices/0/site", "line 3, column 21: \"t\" is not among"},
        config_case{"price_without_source",
                    local_with("\"prices\": [{\"price\": {\"amount\": \"1\", \"currency\": \"CNY\"}}]"),
                    "/prices/0/source", "is missing"},
        config_case{
            "ten_decimals",
            local_with(
                "\"prices\": [{\"price\": {\"amount\": \"0.0000000001\", \"currency\": \"CNY\"}, \"source\": \"x\"}]"),
            "/prices/0/price/amount", "right form"},
        config_case{"hours_twice", priced_by_hour(R"({"from": "22:00", "to": "06:00", "amount": "1"},
{"days": ["sun"], "from": "05:59", "to": "07:00", "amount": "2"})"),
                    "/prices/0/price_schedule/windows", "have an hour in common"},
        config_case{"no_such_hour", priced_by_hour(R"({"from": "24:00", "to": "06:00", "amount": "1"})"),
                    "/prices/0/price_schedule/windows/0/from", "right form"},
        config_case{"no_such_day",
                    priced_by_hour(R"({"days": ["Mon"], "from": "22:00", "to": "06:00", "amount": "1"})"),
                    "/prices/0/price_schedule/windows/0/days/0", "right form"},
        config_case{"hours_of_what_is_owned",
                    priced_by_hour(R"({"from": "22:00", "to": "06:00", "amount": "1"})", R"(, "owned": true)"),
                    "/prices/0/price_schedule", "is not of owned reservations"},
        config_case{
            "hours_without_a_price",
            catalogue_with(
                R"({"site": "s", "name": "n", "billing_mode": "spot", "unit": "core", "vcpus": 1, "memory_mib": 1, "price_schedule": {"utc_offset": "+08:00", "windows": [{"from": "22:00", "to": "06:00", "amount": "1"}]}})"),
            "/offers/0/price", "is missing"},
        config_case{"idle_above_max",
                    local_with("\"prices\": [{\"price\": {\"amount\": \"1\", \"currency\": \"CNY\"}, \"source\": "
                               "\"x\", \"idle_w\": 2, \"max_w\": 1}]"),
                    "/prices/0/idle_w", "is above max_w"},
        config_case{"offers_of_an_adapter", local_with("\"offers\": [" + std::string(small_offer) + "]"), "/offers",
                    "is for kind \"catalogue\""},
        config_case{"catalogue_without_offers",
                    R"({"kind": "catalogue", "sites": [{"site": "s", "region": "r", "jurisdiction": "CN"}]})",
                    "/offers", "is missing"},
        config_case{"offer_twice", catalogue_with(std::string(small_offer) + ", " + std::string(small_offer)),
                    "/offers/1/name", "an earlier offer"},
        config_case{
            "offer_price_without_source",
            catalogue_with(
                R"({"site": "s", "name": "n", "billing_mode": "spot", "unit": "core", "vcpus": 1, "memory_mib": 1, "price": {"amount": "1", "currency": "CNY"}})"),
            "/offers/0/price_source", "is missing"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(decode_provider, reads_a_provider) {
    const auto p = decode_provider("two-sites", example("provider-local.json")).value();
    EXPECT_EQ(p.id, "two-sites");
    ASSERT_EQ(p.sites.size(), 3u);
    EXPECT_EQ(p.sites[0].latitude_longitude, std::pair(31.2, 121.5));
    EXPECT_EQ(p.sites[0].pue, (sourced{1.35, "site report 2025", quality_class::declared}));
    EXPECT_EQ(p.sites[0].rtt_ms[1], (std::pair<std::string, double>{"cn-ningxia", 32.5}));
    EXPECT_FALSE(p.sites[1].ingress_gbps.has_value());
    EXPECT_EQ(p.config_json,
              R"({"units":8,"site_options":{"east":{"cpus":[0,1]}},"service_token":{"file":"/etc/example/token"}})");
    ASSERT_EQ(p.prices.size(), 2u);
    EXPECT_EQ(p.prices[0].price, (unit_price{45'000'000, currency::cny}));
    EXPECT_EQ(p.prices[1].price, (unit_price{10'000'000, currency::usd}));
    EXPECT_EQ(p.prices[0].increment_s, 60u);
    EXPECT_EQ(p.prices[0].billing_starts, billing_start::allocation);
    EXPECT_FALSE(p.prices[1].increment_s.has_value()) << "the adapter's";
    EXPECT_FALSE(p.prices[1].billing_starts.has_value());
    EXPECT_EQ(p.prices[0].cards.scale_out_gb_s, 50);
    EXPECT_EQ(p.prices[0].cards.scale_up_cards, 8u);
    EXPECT_EQ(p.prices[0].cards.fp64_tflops, 9.7);
    EXPECT_TRUE(p.prices[0].schedule.empty());
    EXPECT_EQ(
        p.prices[1].schedule,
        (price_schedule{
            480, {{price_window::every_day, 23 * 60, 7 * 60, 4'000'000}, {0x11, 10 * 60, 12 * 60 + 30, 22'500'000}}}));
    EXPECT_EQ(p.calls_max, 16u);
    EXPECT_EQ(p.call_timeout_s, 20u);
    EXPECT_EQ(p.lost_after_s, 60u);
}

TEST(decode_provider, completes_the_offers_of_a_catalogue) {
    const auto p = decode_provider("pub", example("provider-catalogue.json")).value();
    ASSERT_EQ(p.offers.size(), 5u);
    const offer& o = p.offers[0];
    EXPECT_EQ(o.id, "pub/north/8xA100/on_demand");
    EXPECT_EQ(o.provider, "pub");
    EXPECT_EQ(o.site, p.sites[0]);
    EXPECT_FALSE(o.launchable);
    EXPECT_EQ(o.accelerators->memory_gib, 80u);
    EXPECT_EQ(o.price, (unit_price{58'867'924'528, currency::cny}));  // 62.40 with tax of 6 %, without it
    EXPECT_EQ(o.supply.hazard.notice_s, 120u);
    EXPECT_EQ(o.supply.minimum_units, 2u);
    EXPECT_EQ(o.billing_starts, billing_start::allocation);
    EXPECT_EQ(p.offers[1].billing_starts, billing_start::run) << "where it is not stated";
    EXPECT_FALSE(o.supply.firm);
    EXPECT_EQ(o.accelerators->scale_out_gb_s, 50);
    EXPECT_EQ(o.units_free, 12u);
    EXPECT_EQ(p.offers[1].id, "pub/north/8xA100/reserved");
    EXPECT_FALSE(p.offers[1].price.has_value());
    EXPECT_EQ(p.offers[1].supply.fee, (reservation_fee{reservation_term::month, {50'000'000'000, currency::cny}}));
    EXPECT_EQ(p.offers[2].schedule, (price_schedule{-210, {{0x40, 0, 0, 1'000'000'000}}}));
    EXPECT_EQ(p.offers[3].compute, compute_class::super);  // by id
    EXPECT_EQ(p.config_json, "{}");
}

TEST(decode_provider, a_site_without_coordinates_stands_where_its_region_does) {
    const std::vector<region_place> regions{{"cn-a", 1, 2}, {"cn-b", 30, 120}};
    const auto place_of = [&](const std::string& rest) {
        const auto p = decode_provider(
            "pub", R"({"kind": "local", "sites": [{"site": "s", "jurisdiction": "CN", )" + rest + "}]}", regions);
        return p.value().sites.at(0).latitude_longitude;
    };
    EXPECT_EQ(place_of(R"("region": "cn-b")"), std::pair(30.0, 120.0));
    EXPECT_EQ(place_of(R"("region": "cn-b", "latitude": 5, "longitude": 6)"), std::pair(5.0, 6.0));
    EXPECT_EQ(place_of(R"("region": "elsewhere")"), std::nullopt);
}

TEST(decode_provider, the_cards_stack_runs_where_no_stacks_are_stated) {
    const auto stacks_of = [](const std::string& rest) {
        const auto p = decode_provider(
            "pub",
            R"({"kind": "catalogue", "sites": [{"site": "s", "region": "r", "jurisdiction": "CN"}], "offers": [{)"
            R"("site": "s", "name": "n", "billing_mode": "on_demand", "unit": "node", "vcpus": 1, "memory_mib": 1)" +
                rest + "}]}");
        return p.value().offers.all().at(0)->stacks;
    };
    const std::string cards = R"(, "accelerators": {"model": "A100", "count": 8, "memory_gib": 80, "stack": "cuda"})";
    EXPECT_EQ(stacks_of(""), std::vector<std::string>{"none"});
    EXPECT_EQ(stacks_of(cards), (std::vector<std::string>{"cuda", "none"}));
    EXPECT_EQ(stacks_of(cards + R"(, "stacks": ["rocm"])"), std::vector<std::string>{"rocm"});
}

TEST(encode_provider, keeps_config_and_command_back) {
    const auto p = decode_provider("two-sites", example("provider-local.json")).value();
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode_provider(out, p);
    const std::string text(buffer.GetString(), buffer.GetSize());
    EXPECT_EQ(text.find("config"), std::string::npos);
    EXPECT_EQ(text.find("verbose"), std::string::npos);
    EXPECT_NE(text.find("\"jurisdiction\":\"CN\""), std::string::npos);
    EXPECT_NE(text.find(R"("price_schedule":{"utc_offset":"+08:00","windows":[{"days":["mon","tue","wed","thu","fri",)"
                        R"("sat","sun"],"from":"23:00","to":"07:00","amount":"0.004000000"})"),
              std::string::npos)
        << text;
    EXPECT_TRUE(parse_json(text, config_json_max).has_value());
}

}  // namespace
}  // namespace westerly
