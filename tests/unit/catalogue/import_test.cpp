#include "broker/codec/config_json.hpp"
#include "tools/catalogue/provider_file.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

constexpr std::string_view head =
    "provider,region,zone,instance_type,vcpus,memory_gib,accelerator_name,accelerator_count,accelerator_memory_gib,"
    "price_usd_per_hour,spot_price_usd_per_hour\n";

catalogue_import imported(std::string_view rows, import_options options = {}) {
    catalogue_import from(*shipped_import_facts({}), std::move(options));
    const auto added = from.add(std::string(head) + std::string(rows), 0, "prices.csv");
    EXPECT_TRUE(added) << added.error().detail;
    return from;
}

/// "left_out" findings and others by name, each as often as it was found.
std::vector<std::string> kinds_of(const catalogue_import& from) {
    std::vector<std::string> kinds;
    for (const auto& one : from.findings().all())
        kinds.emplace_back(to_string(one.kind));
    return kinds;
}

struct mess {
    std::string_view name, rows;
    std::vector<std::string> findings;
    std::vector<std::string> offers;  // name mode price, in order
};

class catalogue_mess : public testing::TestWithParam<mess> {};

TEST_P(catalogue_mess, has_its_rule) {
    const auto from = imported(GetParam().rows);
    EXPECT_EQ(kinds_of(from), GetParam().findings);
    std::vector<std::string> offers;
    for (const auto& [id, provider] : from.providers())
        for (const auto& o : provider.offers)
            offers.push_back(o.id + ' ' + (o.mode == billing_mode::spot ? "spot " : "on_demand ") +
                             format_nanos(o.price->nanos));
    EXPECT_EQ(offers, GetParam().offers);
}

using list = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(
    all, catalogue_mess,
    testing::Values(
        mess{"a_sound_row_gives_two_offers",
             "azure,westeurope,,B2,2,4,,,,0.05,0.02\n",
             {},
             {"B2 on_demand 0.050000000", "B2 spot 0.020000000"}},
        mess{"prices_are_exact_to_nine_decimals",
             "azure,westeurope,,B2,2,4,,,,0.123456789,\n",
             {},
             {"B2 on_demand 0.123456789"}},
        mess{"a_tenth_decimal_is_no_price", "azure,westeurope,,B2,2,4,,,,0.1234567891,\n", {"bad_number"}, {}},
        mess{"an_exponent_is_no_price", "azure,westeurope,,B2,2,4,,,,1e-3,\n", {"bad_number"}, {}},
        mess{"a_negative_price", "azure,westeurope,,B2,2,4,,,,-1,\n", {"bad_number"}, {}},
        mess{"half_a_processor", "azure,westeurope,,B2,1.5,4,,,,1,\n", {"bad_number"}, {}},
        mess{"an_add_on_without_host",
             "gcp,us-central1,us-central1-a,n1-attachable,0,0,T4,1,16,0.35,\n",
             {"no_host"},
             {}},
        mess{"a_host_of_unknown_size", "gcp,us-central1,us-central1-a,TPU-VM,,,tpu-v2-8,1,,4.5,\n", {"no_host"}, {}},
        mess{"no_price_at_all", "azure,westeurope,,B2,2,4,,,,0,\n", {"no_price"}, {}},
        mess{"zero_on_demand_leaves_spot",
             "azure,westeurope,,B2,2,4,,,,0,0.01\n",
             {"zero_price"},
             {"B2 spot 0.010000000"}},
        mess{"zero_spot_is_none",
             "azure,westeurope,,B2,2,4,,,,0.05,0.00\n",
             {"zero_price"},
             {"B2 on_demand 0.050000000"}},
        mess{"spot_above_on_demand_stays",
             "azure,westeurope,,B2,2,4,,,,0.05,0.06\n",
             {"spot_dearer"},
             {"B2 on_demand 0.050000000", "B2 spot 0.060000000"}},
        mess{"spot_equal_is_no_finding",
             "azure,westeurope,,B2,2,4,,,,0.05,0.05\n",
             {},
             {"B2 on_demand 0.050000000", "B2 spot 0.050000000"}},
        mess{"a_part_of_a_card", "azure,westeurope,,NV6,6,55,A10,0.167,24,0.45,\n", {"fractional_cards"}, {}},
        mess{"said_twice",
             "azure,westeurope,,B2,2,4,,,,0.05,\nazure,westeurope,,B2,2,4,,,,0.05,\n",
             {"duplicate"},
             {"B2 on_demand 0.050000000"}},
        mess{"said_otherwise",
             "azure,westeurope,,B2,2,4,,,,0.05,\nazure,westeurope,,B2,2,4,,,,0.04,\n",
             {"contradiction"},
             {"B2 on_demand 0.050000000"}},
        mess{"blanks_tell_an_unquoted_list",
             "vast,Taiwan, TW, AS,,4x,32,64,RTX3090,1,24,0.5,\n",
             {"comma_joined", "accelerator_renamed", "region_without_place"},
             {"4x on_demand 0.500000000"}},
        mess{"a_comma_too_many_with_two_readings", "azure,west,europe,,B2,2,4,,,,0.05,\n", {"wrong_columns"}, {}},
        mess{"too_few_columns", "azure,westeurope,,B2,2,4\n", {"wrong_columns"}, {}},
        mess{"an_open_quote", "azure,\"westeurope,,B2,2,4,,,,0.05,\n", {"bad_quotes"}, {}},
        mess{"no_region", "azure,,,B2,2,4,,,,0.05,\n", {"name_missing"}, {}},
        mess{"a_name_of_other_letters",
             "azure,westeurope,,B 2/x,2,4,,,,0.05,\n",
             {"name_changed"},
             {"B_2_x on_demand 0.050000000"}},
        mess{"an_unknown_model",
             "azure,westeurope,,N1,8,64,Zeta9,2,32,3,\n",
             {"accelerator_unknown"},
             {"N1 on_demand 3.000000000"}},
        mess{"an_unknown_model_without_memory",
             "azure,westeurope,,N1,8,64,Zeta9,2,,3,\n",
             {"accelerator_unknown", "card_memory_unknown"},
             {}},
        mess{"an_unknown_place",
             "azure,atlantis,,B2,2,4,,,,0.05,\n",
             {"region_without_place", "jurisdiction_unknown"},
             {"B2 on_demand 0.050000000"}}),
    [](const auto& info) { return std::string(info.param.name); });

struct card_case {
    std::string_view name, cards;  // name, count, memory
    std::string_view model;
    std::uint32_t memory_gib;
    list findings;
};

class catalogue_cards : public testing::TestWithParam<card_case> {};

TEST_P(catalogue_cards, are_known) {
    const auto from = imported("azure,westeurope,,N1,8,64," + std::string(GetParam().cards) + ",3,\n");
    EXPECT_EQ(kinds_of(from), GetParam().findings);
    const auto& cards = from.providers().at("azure").offers.at(0).accelerators;
    ASSERT_TRUE(cards);
    EXPECT_EQ(cards->model, GetParam().model);
    EXPECT_EQ(cards->memory_gib, GetParam().memory_gib);
}

INSTANTIATE_TEST_SUITE_P(
    all, catalogue_cards,
    testing::Values(
        card_case{"both_names_are_one_model_1", "A100-80GB,8,80", "A100", 80, {"accelerator_renamed"}},
        card_case{
            "both_names_are_one_model_2", "A100-80G,8,", "A100", 80, {"accelerator_renamed", "card_memory_filled"}},
        card_case{"its_smaller_variant", "A100,8,40", "A100", 40, {}},
        card_case{"usable_memory", "H100,1,79.65", "H100", 80, {"card_memory_rounded"}},
        card_case{"memory_of_all_cards", "H100,8,637.18", "H100", 80, {"card_memory_of_all"}},
        card_case{"memory_of_no_variant", "T4,1,9.5", "T4", 9, {"card_memory_odd"}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(catalogue_import, a_column_that_is_not_read_may_hold_a_comma) {
    catalogue_import from(*shipped_import_facts({}), {});
    const auto added = from.add(
        "provider,region,instance_type,vcpus,memory_gib,price_usd_per_hour,spot_price_usd_per_hour,Generation\n"
        "azure,westeurope,B2,2,4,0.05,0.02,V1,V2\nazure,westeurope,B4,4,8,0.1,,V1\n",
        0, "vms.csv");
    ASSERT_TRUE(added);
    EXPECT_THAT(kinds_of(from), testing::ElementsAre("comma_joined"));
    EXPECT_THAT(from.columns_ignored(), testing::ElementsAre("Generation"));
    EXPECT_EQ(from.providers().at("azure").offers.size(), 3u);
}

TEST(catalogue_import, a_header_without_prices_is_refused) {
    catalogue_import from(*shipped_import_facts({}), {});
    const auto added = from.add("provider,region,instance_type,vcpus,memory_gib\n", 0, "x.csv");
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().detail.find("price_usd_per_hour"), std::string::npos);
    EXPECT_FALSE(from.add("", 0, "x.csv"));
}

TEST(catalogue_import, one_provider_of_several_or_of_a_file_that_names_none) {
    const auto picked = imported("azure,westeurope,,B2,2,4,,,,0.05,\naws,us-east-1,,m5.large,2,8,,,,0.1,\n",
                                 {.provider = "aws", .source = {}, .as_of = {}});
    EXPECT_EQ(picked.rows_of_others(), 1u);
    EXPECT_EQ(picked.providers().size(), 1u);
    catalogue_import own(*shipped_import_facts({}), {.provider = "ours", .source = {}, .as_of = {}});
    ASSERT_TRUE(own.add("region,instance_type,vcpus,memory_gib,price_usd_per_hour\nx,y,1,1,1\n", 0, "x.csv"));
    EXPECT_TRUE(own.providers().contains("ours"));
}

TEST(catalogue_import, every_row_is_an_offer_or_has_a_finding_that_leaves_it_out) {
    const auto from = imported(
        "azure,westeurope,,B2,2,4,,,,0.05,\nazure,westeurope,,B2,2,4,,,,0.05,\ngcp,x,,y,0,0,T4,1,16,1,\n"
        "azure,\"westeurope,,B2\nazure,westeurope\n");
    std::uint64_t left_out = 0;
    for (const auto& one : from.findings().all())
        left_out += leaves_out(one.kind) ? 1 : 0;
    EXPECT_EQ(from.rows_used() + left_out, from.rows());
}

TEST(catalogue_file, is_what_the_broker_reads) {
    const auto from = imported(
        "aws,us-east-1,,p4de.24xlarge,96,1152,A100-80GB,8,80,27.44705,\n"
        "aws,us-east-1,use1-az2,m6g.large,2,7.5,,,,0.077,0.0311\n",
        {.provider = {}, .source = "price list 7", .as_of = parse_rfc3339("2026-05-20T00:00:00Z").value()});
    const auto read = decode_provider("aws", catalogue_file(from.providers().at("aws")));
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_EQ(read->offers.size(), 3u);
    const offer& arm = read->offers[0];
    EXPECT_EQ(arm.id, "aws/us-east-1-use1-az2/m6g.large/on_demand");
    EXPECT_EQ(arm.architecture, "arm64");
    EXPECT_EQ(arm.memory_mib, 7680u);
    EXPECT_EQ(arm.site.region, "aws-us-east-1");
    EXPECT_EQ(arm.site.jurisdiction, "US");
    EXPECT_TRUE(arm.site.latitude_longitude);
    EXPECT_EQ(arm.price_source, "price list 7");
    EXPECT_EQ(format_rfc3339(arm.as_of), "2026-05-20T00:00:00.000Z");
    EXPECT_EQ(read->offers[1].mode, billing_mode::spot);
    const offer& cards = read->offers[2];
    EXPECT_EQ(cards.price, (unit_price{27'447'050'000, currency::usd}));
    EXPECT_EQ(cards.compute, compute_class::intelligent);
    EXPECT_EQ(cards.accelerators->count, 8u);
    EXPECT_THAT(cards.stacks, testing::ElementsAre("cuda", "none"));
    EXPECT_FALSE(cards.launchable);
}

TEST(country_in, is_read_off_names) {
    EXPECT_EQ(country_in("Taiwan, TW, AS"), "TW");
    EXPECT_EQ(country_in("CN, AS"), "CN");
    EXPECT_EQ(country_in("montreal-canada-2"), "CA");
    EXPECT_EQ(country_in("us-east-3"), "US");
    EXPECT_EQ(country_in("me-west-1"), "");
    EXPECT_EQ(country_in(""), "");
}

}  // namespace
}  // namespace westerly
