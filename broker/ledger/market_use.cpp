#include "broker/ledger/market_use.hpp"

#include "broker/domain/wording.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double micros_per_one = 1e6;

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
    for (const monthly_use& part : by_month(row.start_at, row.end_at, *row.non_green_microkwh))
        for (green_allocation& one : ledger.allocate({grid, beneficiary, part.from, part.to, part.microkwh}, now)) {
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
    if (made.by_grid) {
        row.by_grid_microkwh = *row.non_green_microkwh;
        for (const green_allocation& one : row.certificates)
            *row.by_grid_microkwh -= one.microkwh;
    }
    if (made.kg)
        row.carbon_market_mg = static_cast<std::int64_t>(std::nearbyint(*made.kg * micros_per_one));
}

}  // namespace westerly
