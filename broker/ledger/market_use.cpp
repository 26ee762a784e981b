#include "broker/ledger/market_use.hpp"

#include "broker/domain/wording.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double micros_per_one = 1e6;

instant next_month(instant at) {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
    return std::chrono::sys_days((day.year() / day.month() + std::chrono::months(1)) / 1);
}

/// The use as demands of one calendar month each, by its time in them; their sum is exactly the whole.
std::vector<green_demand> by_month(const usage& row, const std::string& grid, const std::string& beneficiary) {
    std::vector<green_demand> all;
    const auto length = static_cast<long double>((row.end_at - row.start_at).count());
    const std::int64_t whole = row.non_green_microkwh.value_or(0);
    std::int64_t before = 0;
    for (instant from = row.start_at; from < row.end_at;) {
        const instant to = std::min(next_month(from), row.end_at);
        const auto until =
            to == row.end_at
                ? whole
                : static_cast<std::int64_t>(static_cast<long double>(whole) *
                                            static_cast<long double>((to - row.start_at).count()) / length);
        all.push_back({grid, beneficiary, from, to, until - before});
        before = until;
        from = to;
    }
    return all;
}

std::string in_words(const usage& row, const market_based& made) {
    std::string text;
    const auto add = [&](const std::string& more) {
        text += (text.empty() ? "" : "; ") + more;
    };
    if (const double share = row.green_power_share.value_or(0); share > 0)
        add("contracts of the site for " + fixed(share * 100, 1) + " %");
    for (const green_allocation& one : row.certificates)
        add("certificate " + one.certificate + " for " + fixed(static_cast<double>(one.microkwh) / micros_per_one, 6) +
            " kWh");
    if (made.rest_by != "certificates")
        add("the rest by " + made.rest_by);
    return text;
}

}  // namespace

void account_market(usage& row, const lease& terms, const std::string& grid, const std::string& beneficiary,
                    certificate_ledger& ledger, instant now) {
    if (!row.non_green_microkwh)
        return;
    for (const green_demand& part : by_month(row, grid, beneficiary))
        for (green_allocation& one : ledger.allocate(part, now)) {
            const auto same = std::ranges::find(row.certificates, one.certificate, &green_allocation::certificate);
            if (same == row.certificates.end())
                row.certificates.push_back(std::move(one));
            else
                same->microkwh += one.microkwh;
        }
    const market_based made =
        market_based_of(static_cast<double>(*row.non_green_microkwh) / micros_per_one, row.certificates, ledger,
                        terms.residual_g_per_kwh, terms.carbon_g_per_kwh);
    row.carbon_market_source = in_words(row, made);
    if (made.kg)
        row.carbon_market_mg = static_cast<std::int64_t>(std::nearbyint(*made.kg * micros_per_one));
}

}  // namespace westerly
