#include "broker/ledger/certificates.hpp"

#include <algorithm>

namespace westerly {
namespace {

std::chrono::year_month month_of(instant at) noexcept {
    const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
    return day.year() / day.month();
}

bool matches(const certificate& c, const green_demand& wanted) noexcept {
    const auto made = month_of(c.generated_from), used = month_of(wanted.from);
    return c.period == matching_period::year ? made.year() == used.year() : made == used;
}

}  // namespace

bool certificate_ledger::hold(certificate added) {
    if (added.mwh <= 0 || added.generated_to <= added.generated_from ||
        month_of(added.generated_from) != month_of(added.generated_to - milliseconds(1)) ||
        std::ranges::any_of(held_, [&](const certificate& c) { return c.id == added.id; }))
        return false;
    accounts_.push_back({.free_mwh = added.mwh, .open_microkwh = {}, .given_microkwh = 0});
    held_.push_back(std::move(added));
    return true;
}

/// Those that may be given, what expires first before the rest.
std::vector<std::size_t> certificate_ledger::fitting(const green_demand& wanted, instant now) const {
    std::vector<std::size_t> found;
    if (wanted.microkwh <= 0 || wanted.to <= wanted.from ||
        month_of(wanted.from) != month_of(wanted.to - milliseconds(1)))
        return found;
    for (std::size_t i = 0; i < held_.size(); ++i) {
        const certificate& c = held_[i];
        if (c.grid == wanted.grid && now < c.expires_at && matches(c, wanted) &&
            (c.beneficiary.empty() || c.beneficiary == wanted.beneficiary))
            found.push_back(i);
    }
    std::ranges::sort(found, {}, [&](std::size_t i) { return std::tie(held_[i].expires_at, held_[i].id); });
    return found;
}

std::int64_t certificate_ledger::reach(std::size_t which, const green_demand& wanted) const {
    const account& in = accounts_[which];
    const auto open = in.open_microkwh.find(wanted.beneficiary);
    return (open == in.open_microkwh.end() ? 0 : open->second) + in.free_mwh * microkwh_per_mwh;
}

std::int64_t certificate_ledger::allocable(const green_demand& wanted, instant now) const {
    std::int64_t sum = 0;
    for (const std::size_t i : fitting(wanted, now))
        sum += std::min(reach(i, wanted), wanted.microkwh - sum);
    return sum;
}

std::vector<green_allocation> certificate_ledger::allocate(const green_demand& wanted, instant now) {
    std::vector<green_allocation> all;
    std::int64_t left = wanted.microkwh;
    for (const std::size_t i : fitting(wanted, now)) {
        const std::int64_t take = std::min(left, reach(i, wanted));
        if (take == 0)
            continue;
        account& in = accounts_[i];
        std::int64_t& open = in.open_microkwh[wanted.beneficiary];
        if (take > open) {
            const std::int64_t whole = (take - open + microkwh_per_mwh - 1) / microkwh_per_mwh;
            in.free_mwh -= whole;
            open += whole * microkwh_per_mwh;
        }
        open -= take;
        in.given_microkwh += take;
        all.push_back({held_[i].id, take});
        left -= take;
    }
    return all;
}

std::int64_t certificate_ledger::given(std::string_view certificate) const noexcept {
    for (std::size_t i = 0; i < held_.size(); ++i)
        if (held_[i].id == certificate)
            return accounts_[i].given_microkwh;
    return 0;
}

market_based market_based_of(double facility_kwh, std::span<const green_allocation> given,
                             const certificate_ledger& ledger, const std::optional<sourced>& residual_g_per_kwh,
                             const std::optional<sourced>& grid_g_per_kwh) {
    market_based made;
    double covered_kg = 0;
    for (const green_allocation& one : given) {
        const double kwh = static_cast<double>(one.microkwh) / 1e6;
        made.covered_kwh += kwh;
        const auto c = std::ranges::find(ledger.held(), one.certificate, &certificate::id);
        covered_kg += c == ledger.held().end() ? 0.0 : kwh * c->contract_g_per_kwh / 1000.0;
    }
    const double rest = std::max(0.0, facility_kwh - made.covered_kwh);
    const auto& factor = residual_g_per_kwh ? residual_g_per_kwh : grid_g_per_kwh;
    if (rest <= facility_kwh * 1e-12) {
        made.kg = covered_kg;
        made.rest_by = "certificates";
    } else if (factor) {
        made.kg = covered_kg + rest * factor->value / 1000.0;
        made.rest_by = residual_g_per_kwh ? "residual mix (" + factor->source + ")"
                                          : "grid average (" + factor->source + "): no residual mix is known";
    } else {
        made.rest_by = "unknown";
    }
    return made;
}

}  // namespace westerly
