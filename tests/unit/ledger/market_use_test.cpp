#include "broker/ledger/market_use.hpp"

#include <gtest/gtest.h>

#include <random>

namespace westerly {
namespace {

instant day(int year, unsigned month, unsigned d) {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(d));
}

certificate batch(const std::string& id, unsigned month, std::int64_t mwh) {
    return {.id = id,
            .grid = "Z",
            .generated_from = day(2026, month, 1),
            .generated_to = day(2026, month + 1, 1),
            .expires_at = day(2028, 1, 1),
            .beneficiary = {},
            .period = matching_period::month,
            .mwh = mwh,
            .contract_g_per_kwh = 0};
}

usage row_of(instant from, instant to, std::int64_t kwh, double share) {
    usage row;
    row.start_at = from;
    row.end_at = to;
    row.energy_microkwh = kwh * 1'000'000;
    row.non_green_microkwh = static_cast<std::int64_t>(static_cast<double>(kwh) * 1e6 * (1 - share));
    row.green_power_share = share;
    return row;
}

lease with_factors(double grid, std::optional<double> residual) {
    lease terms;
    terms.carbon_g_per_kwh = sourced{grid, "yearbook", quality_class::annual_provincial};
    if (residual)
        terms.residual_g_per_kwh = sourced{*residual, "ministry 2023", quality_class::annual_national};
    return terms;
}

const instant now = day(2026, 6, 1);

TEST(market_use, counts_contracts_then_certificates_then_the_residual_mix) {
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(batch("one", 3, 1)));
    usage row = row_of(day(2026, 3, 10), day(2026, 3, 20), 2000, 0.25);
    account_market(row, with_factors(500, 610), "Z", "acme", ledger, now);
    // 2 000 kWh: 500 by the site's contracts, 1 000 by the certificate, 500 at 610 g.
    EXPECT_EQ(row.carbon_market_mg, 305'000'000);
    EXPECT_EQ(row.certificates, (std::vector<green_allocation>{{"one", 1'000'000'000}}));
    EXPECT_EQ(row.carbon_market_source,
              "contracts of the site for 25.0 %; certificate one for 1000.000000 kWh; the rest by residual mix "
              "(ministry 2023)");
    EXPECT_FALSE(row.carbon_mg) << "the location-based number is not touched";
    EXPECT_FALSE(row.by_grid_microkwh);
}

TEST(market_use, says_that_no_residual_mix_is_known) {
    certificate_ledger ledger;
    usage row = row_of(day(2026, 3, 10), day(2026, 3, 20), 1000, 0);
    account_market(row, with_factors(500, {}), "Z", "acme", ledger, now);
    EXPECT_EQ(row.carbon_market_mg, 500'000'000);
    EXPECT_EQ(row.by_grid_microkwh, 1'000'000'000);
    EXPECT_NE(row.carbon_market_source.find("grid average (yearbook): no residual mix is known"), std::string::npos);
    usage dark = row_of(day(2026, 3, 10), day(2026, 3, 20), 1000, 0);
    account_market(dark, lease(), "Z", "acme", ledger, now);
    EXPECT_FALSE(dark.carbon_market_mg) << "unknown is not 0";
    usage powerless;
    account_market(powerless, with_factors(500, {}), "Z", "acme", ledger, now);
    EXPECT_FALSE(powerless.carbon_market_mg);
    EXPECT_TRUE(powerless.carbon_market_source.empty());
}

TEST(market_use, gives_each_month_its_own_certificates) {
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(batch("march", 3, 9)) && ledger.hold(batch("april", 4, 9)) &&
                ledger.hold(batch("may", 5, 9)));
    usage row = row_of(day(2026, 3, 31), day(2026, 4, 3), 3000, 0);  // a third in March
    account_market(row, with_factors(500, 610), "Z", "acme", ledger, now);
    EXPECT_EQ(row.certificates, (std::vector<green_allocation>{{"march", 1'000'000'000}, {"april", 2'000'000'000}}));
    EXPECT_EQ(row.carbon_market_mg, 0);
}

TEST(market_use, the_months_of_a_use_sum_to_the_whole) {
    std::mt19937_64 random(9);
    for (int i = 0; i < 20'000; ++i) {
        certificate_ledger ledger;
        for (unsigned month = 1; month <= 11; ++month)
            ASSERT_TRUE(ledger.hold(batch("m" + std::to_string(month), month, 1'000)));
        const instant from =
            day(2026, 1, 1) + milliseconds(static_cast<std::int64_t>(random() % (200ull * 86'400'000)));
        usage row =
            row_of(from, from + milliseconds(1 + static_cast<std::int64_t>(random() % (100ull * 86'400'000))), 0, 0);
        row.non_green_microkwh = static_cast<std::int64_t>(random() % 5'000'000'000);
        account_market(row, with_factors(500, 610), "Z", "acme", ledger, now);
        std::int64_t sum = 0;
        for (const auto& one : row.certificates)
            sum += one.microkwh;
        ASSERT_EQ(sum, *row.non_green_microkwh);
        ASSERT_EQ(row.carbon_market_mg, 0);
    }
}

/// Over random books and runs of several months: what a decision tells before is what the run is given.
TEST(market_use, is_what_could_be_given_before) {
    std::mt19937_64 random(11);
    const auto below = [&](std::uint64_t n) {
        return static_cast<std::int64_t>(random() % n);
    };
    const std::string grid = "Z";
    std::size_t covered_partly = 0;
    for (int i = 0; i < 20'000; ++i) {
        certificate_ledger ledger;
        for (auto n = below(8); n >= 0; --n) {
            certificate c = batch("c" + std::to_string(n), 1 + static_cast<unsigned>(below(8)), 1 + below(3));
            c.expires_at = day(2026, 6 + static_cast<unsigned>(below(3)), 1);
            c.period = below(2) ? matching_period::year : matching_period::month;
            c.contract_g_per_kwh = below(2) ? 0 : 35;
            if (below(4) == 0)
                c.beneficiary = below(2) ? "acme" : "globex";
            ASSERT_TRUE(ledger.hold(c));
            ledger.enter({c.id, below(2) ? "acme" : "globex", below(1'500'000'000)});
        }
        usage row = row_of(day(2026, 1 + static_cast<unsigned>(below(4)), 7) + milliseconds(below(86'400'000)), {},
                           below(5000), 0.25);
        row.end_at = row.start_at + std::chrono::hours(1 + below(3000));
        const auto there = ledger.allocable("acme", std::span(&grid, 1), row.start_at, row.end_at);
        const power_covered told = cover(there, grid, row.start_at, row.end_at, *row.non_green_microkwh, row.end_at);
        account_market(row, with_factors(500, 610), grid, "acme", ledger, row.end_at);
        std::int64_t given = 0;
        for (const auto& one : row.certificates)
            given += one.microkwh;
        ASSERT_EQ(told.microkwh, given) << i;
        const double rest_kg = static_cast<double>(*row.non_green_microkwh - given) / 1e6 * 0.610;
        ASSERT_NEAR(told.carbon_kg + rest_kg, static_cast<double>(*row.carbon_market_mg) / 1e6, 1e-5) << i;
        covered_partly += given > 0 && given < *row.non_green_microkwh;
    }
    EXPECT_GT(covered_partly, 1000u);
}

TEST(certificates, what_an_earlier_run_gave_is_not_given_again) {
    certificate_ledger ledger;
    ledger.enter({"one", "acme", 400'000'000});
    ledger.replace({batch("one", 3, 1)});
    const green_demand wanted{"Z", "acme", day(2026, 3, 1), day(2026, 3, 2), 5'000'000'000};
    const auto could_be_given = [&](const green_demand& d) {
        const auto there = ledger.allocable(d.beneficiary, std::span(&d.grid, 1), d.from, d.to);
        return cover(there, d.grid, d.from, d.to, d.microkwh, now).microkwh;
    };
    EXPECT_EQ(could_be_given(wanted), 600'000'000);
    green_demand others = wanted;
    others.beneficiary = "globex";
    EXPECT_EQ(could_be_given(others), 0) << "the MWh is bound to acme";
    ledger.replace({});
    EXPECT_EQ(could_be_given(wanted), 0);
    ledger.replace({batch("one", 3, 1)});
    EXPECT_EQ(could_be_given(wanted), 600'000'000) << "one that comes back remembers what it gave";
    ledger.enter({"one", "globex", 1'000'000});
    EXPECT_EQ(could_be_given(wanted), 0) << "fewer are held than were given: nothing more";
}

}  // namespace
}  // namespace westerly
