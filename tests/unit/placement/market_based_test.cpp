// Certificates that could be given to what a decision tells.
#include "broker/placement/market_based.hpp"

#include "broker/domain/explain.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

namespace westerly::built {
namespace {

/// An hour takes 0.12 kWh, half of which its contracts cover; the rest emits 500 g/kWh: 0.06 kWh and 30 g.
std::vector<offer> at_two_grids() {
    offer north = plain("a"), south = plain("b", 2);
    north.site.grid_zone = "CN-NW";
    south.site.grid_zone = "CN-S";
    return {north, south};
}

allocable_power some(const std::string& grid, std::int64_t microkwh, double contract_g_per_kwh = 0) {
    return {grid, now, now + std::chrono::hours(9000), matching_period::year, contract_g_per_kwh, microkwh};
}

decision counted(const std::vector<offer>& offers, const std::vector<allocable_power>& there) {
    decision made = decide_on(offers, task());
    count_certificates(book_of(offers), there, told_of_offers(made));
    return made;
}

TEST(market_based, counts_what_certificates_of_its_grid_could_cover_of_each_by_itself) {
    const auto before = decide_on(at_two_grids(), task());
    EXPECT_NEAR(*before.ranked[0].carbon_market_kg, 0.03, 1e-12);
    const auto made = counted(at_two_grids(), {some("CN-NW", 20'000)});
    EXPECT_EQ(made.ranked[0].certificates_microkwh, 20'000);
    EXPECT_NEAR(*made.ranked[0].carbon_market_kg, 0.02, 1e-12);
    EXPECT_EQ(made.ranked[0].carbon_kg, before.ranked[0].carbon_kg) << "the location-based number is not touched";
    EXPECT_EQ(made.ranked[1], before.ranked[1]) << "on another grid";
    EXPECT_EQ(made.baseline, made.ranked[0]) << "both could be given the same: nothing is";
}

TEST(market_based, counts_the_whole_of_it_by_contracts) {
    const auto made = counted(at_two_grids(), {some("CN-S", 1'000'000, 50)});
    EXPECT_EQ(made.ranked[1].certificates_microkwh, 60'000);
    EXPECT_NEAR(*made.ranked[1].carbon_market_kg, 0.003, 1e-12);
    EXPECT_TRUE(all_by_certificates(made.ranked[1]));
    EXPECT_FALSE(all_by_certificates(made.ranked[0]));
}

TEST(market_based, a_rest_that_is_not_known_leaves_it_unknown) {
    auto offers = at_two_grids();
    offers[0].site.carbon_g_per_kwh.reset();
    const auto part = counted(offers, {some("CN-NW", 20'000)});
    EXPECT_EQ(part.ranked[0].certificates_microkwh, 20'000);
    EXPECT_FALSE(part.ranked[0].carbon_market_kg);
    EXPECT_EQ(counted(offers, {some("CN-NW", 60'000)}).ranked[0].carbon_market_kg, 0.0);
    offers[0].max_w = offers[0].idle_w = std::nullopt;
    EXPECT_EQ(counted(offers, {some("CN-NW", 60'000)}).ranked[0].certificates_microkwh, 0) << "its energy is unknown";
}

TEST(market_based, leaves_out_what_expires_before_the_run_ends) {
    auto soon = some("CN-NW", 60'000);
    soon.expires_at = now + std::chrono::hours(1);
    EXPECT_EQ(counted(at_two_grids(), {soon}).ranked[0].certificates_microkwh, 0);
    soon.expires_at += milliseconds(1);
    EXPECT_EQ(counted(at_two_grids(), {soon}).ranked[0].certificates_microkwh, 60'000);
}

TEST(market_based, a_record_needs_only_what_was_counted) {
    const std::vector<allocable_power> there{some("CN-N", 9), some("CN-NW", 50'000, 1), some("CN-NW", 60'000, 2),
                                             some("CN-NW", 7, 3)};
    decision made = decide_on(at_two_grids(), task());
    const auto counted_of = count_certificates(book_of(at_two_grids()), there, told_of_offers(made));
    EXPECT_EQ(counted_of, (std::vector<allocable_power>{there[1], there[2]}));
    EXPECT_EQ(counted(at_two_grids(), counted_of), made);
}

TEST(market_based, the_scope_is_the_grids_and_times_of_what_is_told) {
    auto made = decide_on(at_two_grids(), task());
    const auto scope = certificate_scope_of(book_of(at_two_grids()), told_of_offers(made));
    EXPECT_EQ(scope.grids, (std::vector<std::string>{"CN-NW", "CN-S"}));
    EXPECT_EQ(scope.from, made.ranked[0].start_at);
    EXPECT_EQ(scope.to, made.ranked[0].finish_at);
}

TEST(market_based, is_told_in_every_language) {
    const auto part = counted(at_two_grids(), {some("CN-NW", 20'000)});
    EXPECT_NE(explain(part).find("20.0 gCO2e (market-based, the rest as the grid: no residual mix is known), "
                                 "certificates not given yet could cover 0.0200 kWh of it"),
              std::string::npos)
        << explain(part);
    const auto whole = counted(at_two_grids(), {some("CN-NW", 60'000)});
    EXPECT_NE(explain(whole).find("0.0 gCO2e (market-based, the rest by certificates), certificates not given yet "
                                  "could cover 0.0600 kWh of it"),
              std::string::npos)
        << explain(whole);
    EXPECT_NE(explain(whole, language::zh)
                  .find("0.0 gCO2e（基于市场，其余由绿证覆盖），其中 0.0600 kWh 可由尚未分配的绿证覆盖"),
              std::string::npos)
        << explain(whole, language::zh);
}

}  // namespace
}  // namespace westerly::built
