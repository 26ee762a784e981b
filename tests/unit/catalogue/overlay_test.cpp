#include "broker/codec/config_json.hpp"
#include "tools/catalogue/provider_file.hpp"

#include <gmock/gmock.h>

namespace westerly {
namespace {

constexpr std::string_view adapters_file = R"({"kind": "ec2", "sites": [
  {"site": "us-east-1", "region": "us-east", "jurisdiction": "US"}], "config": {"size": 3},
  "prices": [{"site": "us-east-1", "offer": "m5.large", "price": {"amount": "9", "currency": "CNY"}, "source": "old"},
             {"price": {"amount": "1", "currency": "CNY"}, "source": "for the rest"}]})";

imported_provider from_rows(std::string_view rows) {
    catalogue_import from(*shipped_import_facts({}), {.provider = {}, .source = "list", .as_of = {}});
    EXPECT_TRUE(from.add("provider,region,instance_type,vcpus,memory_gib,price_usd_per_hour,spot_price_usd_per_hour\n" +
                             std::string(rows),
                         0, "x.csv"));
    return from.providers().begin()->second;
}

TEST(overlay_prices, lays_on_demand_prices_over_the_sites_of_an_adapter) {
    const auto done = overlay_prices(
        "ec2", adapters_file, from_rows("aws,us-east-1,m5.large,2,8,0.096,0.04\naws,eu-west-1,m5.large,2,8,0.107,\n"));
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_EQ(done->prices, 1u);
    std::vector<std::string> missed;
    for (const auto& [kind, detail] : done->missed)
        missed.push_back(std::string(to_string(kind)) + ' ' + detail);
    EXPECT_THAT(missed,
                testing::ElementsAre("spot_not_overlaid us-east-1/m5.large", "no_such_site eu-west-1/m5.large"));
    const auto read = decode_provider("ec2", done->file);
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->config_json, "{\"size\":3}");
    ASSERT_EQ(read->prices.size(), 2u);  // the old one of the same site and offer went
    EXPECT_EQ(read->prices[0].price, (unit_price{96'000'000, currency::usd}));
    EXPECT_EQ(read->prices[0].offer, "m5.large");
    EXPECT_EQ(read->prices[1].source, "for the rest");
}

TEST(overlay_prices, refuses_a_file_without_an_adapter) {
    const auto done = overlay_prices("c", R"({"kind": "catalogue", "sites": []})", from_rows("aws,x,y,1,1,1,\n"));
    EXPECT_FALSE(done);
}

}  // namespace
}  // namespace westerly
