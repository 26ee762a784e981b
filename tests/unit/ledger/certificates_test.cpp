#include "broker/ledger/certificates.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace westerly {
namespace {

instant day(int year, unsigned month, unsigned d) {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(d));
}

certificate batch(const std::string& id, std::int64_t mwh, unsigned month = 3) {
    return {.id = id,
            .grid = "CN-NW",
            .generated_from = day(2026, month, 1),
            .generated_to = day(2026, month, 28),
            .expires_at = day(2027, 1, 1),
            .beneficiary = {},
            .period = matching_period::month,
            .mwh = mwh,
            .contract_g_per_kwh = 0};
}

green_demand use(std::int64_t kwh, const std::string& who = "a", unsigned month = 3) {
    return {"CN-NW", who, day(2026, month, 10), day(2026, month, 11), kwh * 1'000'000};
}

const instant now = day(2026, 4, 1);

std::int64_t sum(const std::vector<green_allocation>& all) {
    std::int64_t total = 0;
    for (const auto& one : all)
        total += one.microkwh;
    return total;
}

/// What a decision would tell of such a use.
std::int64_t could_be_given(const certificate_ledger& ledger, const green_demand& d, instant at) {
    const auto there = ledger.allocable(d.beneficiary, std::span(&d.grid, 1), d.from, d.to);
    return cover(there, d.grid, d.from, d.to, d.microkwh, at).microkwh;
}

TEST(certificates, cover_what_fits_and_no_more) {
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(batch("one", 1)));
    EXPECT_EQ(could_be_given(ledger, use(600), now), 600'000'000);
    EXPECT_EQ(ledger.allocate(use(600), now), (std::vector<green_allocation>{{"one", 600'000'000}}));
    EXPECT_EQ(ledger.allocate(use(600), now), (std::vector<green_allocation>{{"one", 400'000'000}}));
    EXPECT_TRUE(ledger.allocate(use(600), now).empty()) << "nothing is given twice";
    EXPECT_EQ(ledger.given("one"), microkwh_per_mwh);
}

struct misfit {
    const char* name;
    void (*spoil)(certificate& c, green_demand& d);
};
class certificates_refuse : public testing::TestWithParam<misfit> {};

TEST_P(certificates_refuse, what_does_not_fit) {
    certificate c = batch("one", 1);
    green_demand d = use(10);
    GetParam().spoil(c, d);
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(c));
    if (month_of(d.from) == month_of(d.to - milliseconds(1))) {  // else a decision looks at each month by itself
        EXPECT_EQ(could_be_given(ledger, d, now), 0);
    }
    EXPECT_TRUE(ledger.allocate(d, now).empty());
}

INSTANTIATE_TEST_SUITE_P(all, certificates_refuse,
                         testing::Values(misfit{"another_grid",
                                                [](certificate& c, green_demand&) {
                                                    c.grid = "CN-S";
                                                }},
                                         misfit{"expired_today",
                                                [](certificate& c, green_demand&) {
                                                    c.expires_at = now;
                                                }},
                                         misfit{"another_month",
                                                [](certificate&, green_demand& d) {
                                                    d = use(10, "a", 2);
                                                }},
                                         misfit{"another_beneficiary",
                                                [](certificate& c, green_demand&) {
                                                    c.beneficiary = "b";
                                                }},
                                         misfit{"no_energy",
                                                [](certificate&, green_demand& d) {
                                                    d.microkwh = 0;
                                                }},
                                         misfit{"use_across_months",
                                                [](certificate&, green_demand& d) {
                                                    d.to = day(2026, 4, 2);
                                                }}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(certificates, match_within_the_year_where_they_may) {
    certificate c = batch("one", 1);
    c.period = matching_period::year;
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(c));
    EXPECT_EQ(could_be_given(ledger, use(10, "a", 2), now), 10'000'000);
}

TEST(certificates, a_megawatt_hour_has_one_beneficiary) {
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(batch("two", 2)));
    EXPECT_EQ(sum(ledger.allocate(use(1, "a"), now)), 1'000'000);
    EXPECT_EQ(sum(ledger.allocate(use(5000, "b"), now)), microkwh_per_mwh) << "the MWh that a has begun is a's";
    EXPECT_EQ(sum(ledger.allocate(use(5000, "a"), now)), 999'000'000);
}

TEST(certificates, what_expires_first_goes_first) {
    certificate_ledger ledger;
    certificate late = batch("late", 1), soon = batch("soon", 1);
    soon.expires_at = day(2026, 6, 1);
    ASSERT_TRUE(ledger.hold(late) && ledger.hold(soon));
    EXPECT_EQ(ledger.allocate(use(10), now).front().certificate, "soon");
    EXPECT_FALSE(ledger.hold(batch("late", 5))) << "an id is held once";
    EXPECT_FALSE(ledger.hold(batch("none", 0)));
}

TEST(certificates, alike_ones_in_a_row_are_told_as_one) {
    certificate_ledger ledger;
    certificate soon = batch("soon", 1), by_wind = batch("wind", 2), by_sun = batch("zun", 1), more = batch("xtra", 3);
    soon.expires_at = day(2026, 6, 1);
    by_sun.contract_g_per_kwh = 40;
    ASSERT_TRUE(ledger.hold(soon) && ledger.hold(by_wind) && ledger.hold(by_sun) && ledger.hold(more));
    ledger.enter({"wind", "b", 1});
    const std::string grids[] = {"CN-NW"};
    const auto told = ledger.allocable("a", grids, day(2026, 3, 10), day(2026, 3, 11));
    ASSERT_EQ(told.size(), 3u);
    EXPECT_EQ(told[0].expires_at, soon.expires_at);
    EXPECT_EQ(told[1].microkwh, 4 * microkwh_per_mwh) << "one of wind's is b's, and three of another batch";
    EXPECT_EQ(told[2].contract_g_per_kwh, 40);
    EXPECT_TRUE(ledger.allocable("a", grids, day(2026, 4, 10), day(2026, 4, 11)).empty());
}

TEST(market_based, counts_certificates_then_the_residual_mix_then_the_grid) {
    certificate_ledger ledger;
    ASSERT_TRUE(ledger.hold(batch("one", 1)));
    const auto given = ledger.allocate(use(400), now);
    const sourced residual{700, "MEE 2024", quality_class::annual_national}, grid{600, "grid", quality_class::declared};
    // 1000 kWh with PUE inside: 400 by contract at 0, 600 at 700 g.
    const auto by_residual = market_based_of(1000, given, ledger, residual, grid);
    EXPECT_DOUBLE_EQ(*by_residual.kg, 420);
    EXPECT_EQ(by_residual.rest_by, "residual mix (MEE 2024)");
    const auto by_grid = market_based_of(1000, given, ledger, std::nullopt, grid);
    EXPECT_DOUBLE_EQ(*by_grid.kg, 360);
    EXPECT_NE(by_grid.rest_by.find("no residual mix"), std::string::npos);
    EXPECT_FALSE(market_based_of(1000, given, ledger, std::nullopt, std::nullopt).kg) << "unknown is not 0";
    EXPECT_DOUBLE_EQ(*market_based_of(400, given, ledger, residual, grid).kg, 0);
}

/// Over 100 000 demands on small books of certificates: what is given never exceeds what is held, as a whole, by
/// beneficiary in whole MWh, after expiry, across grids or months.
TEST(certificates, are_never_given_twice) {
    std::mt19937_64 random(5);
    const auto below = [&](std::uint64_t n) {
        return random() % n;
    };
    std::size_t demands = 0, covered = 0;
    while (demands < 100'000) {
        certificate_ledger ledger;
        std::map<std::string, certificate> by_id;
        for (auto n = 1 + below(5); n > 0; --n) {
            certificate c = batch("c" + std::to_string(n), 1 + static_cast<std::int64_t>(below(3)),
                                  1 + static_cast<unsigned>(below(3)));
            c.grid = below(3) == 0 ? "CN-S" : "CN-NW";
            c.beneficiary = below(3) == 0 ? std::string(1, static_cast<char>('a' + below(2))) : "";
            c.period = below(2) == 0 ? matching_period::year : matching_period::month;
            c.expires_at = day(2026, 3 + static_cast<unsigned>(below(3)), 15);
            by_id[c.id] = c;
            ASSERT_TRUE(ledger.hold(c));
        }
        std::map<std::string, std::map<std::string, std::int64_t>> given;  // by certificate and beneficiary
        for (auto n = 1 + below(20); n > 0; --n, ++demands) {
            green_demand d =
                use(1 + static_cast<std::int64_t>(below(1500)), std::string(1, static_cast<char>('a' + below(3))),
                    1 + static_cast<unsigned>(below(3)));
            d.microkwh -= static_cast<std::int64_t>(below(1'000'000));
            const instant at = day(2026, 3 + static_cast<unsigned>(below(3)), 1 + static_cast<unsigned>(below(28)));
            const auto promised = could_be_given(ledger, d, at);
            const auto all = ledger.allocate(d, at);
            ASSERT_EQ(sum(all), promised);
            ASSERT_LE(sum(all), d.microkwh);
            covered += !all.empty();
            for (const auto& one : all) {
                const certificate& c = by_id.at(one.certificate);
                ASSERT_GT(one.microkwh, 0);
                ASSERT_TRUE(c.grid == d.grid && at < c.expires_at);
                ASSERT_TRUE(c.beneficiary.empty() || c.beneficiary == d.beneficiary);
                given[c.id][d.beneficiary] += one.microkwh;
            }
        }
        for (const auto& [id, shares] : given) {
            std::int64_t whole_mwh = 0, total = 0;
            for (const auto& [who, microkwh] : shares) {
                whole_mwh += (microkwh + microkwh_per_mwh - 1) / microkwh_per_mwh;
                total += microkwh;
            }
            ASSERT_LE(whole_mwh, by_id.at(id).mwh);
            ASSERT_EQ(total, ledger.given(id));
        }
    }
    EXPECT_GT(covered, demands / 10);
}

}  // namespace
}  // namespace westerly
