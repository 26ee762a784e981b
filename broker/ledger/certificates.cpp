#include "broker/ledger/certificates.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// Several batches in a row are told as one up to here, so that no sum overflows.
constexpr std::int64_t told_as_one_max = 1'000'000 * microkwh_per_mwh;

bool sound(const certificate& c) noexcept {
    return c.mwh > 0 && c.generated_to > c.generated_from &&
           month_of(c.generated_from) == month_of(c.generated_to - milliseconds(1));
}

/// Whether one of these months may have it.
bool may_match(const certificate& c, std::chrono::year_month first, std::chrono::year_month last) noexcept {
    const auto made = month_of(c.generated_from);
    return c.period == matching_period::year ? first.year() <= made.year() && made.year() <= last.year()
                                             : first <= made && made <= last;
}

/// Given one after the other they are as one.
bool alike(const allocable_power& a, const certificate& b) noexcept {
    return a.grid == b.grid && a.generated_from == b.generated_from && a.expires_at == b.expires_at &&
           a.period == b.period && a.contract_g_per_kwh == b.contract_g_per_kwh && a.microkwh < told_as_one_max;
}

constexpr std::int64_t whole_mwh(std::int64_t microkwh) noexcept {
    return (microkwh + microkwh_per_mwh - 1) / microkwh_per_mwh;
}

}  // namespace

bool certificate_ledger::hold(certificate added) {
    const bool kept = keep(std::move(added));
    if (kept)
        arrange();
    return kept;
}

bool certificate_ledger::keep(certificate added) {
    const auto at = std::ranges::lower_bound(held_, added.id, {}, &certificate::id);
    if (!sound(added) || (at != held_.end() && at->id == added.id))
        return false;
    held_.insert(at, std::move(added));
    return true;
}

void certificate_ledger::replace(std::vector<certificate> all) {
    held_.clear();
    for (certificate& each : all)
        keep(std::move(each));
    arrange();
}

void certificate_ledger::arrange() {
    by_grid_.clear();
    for (std::size_t i = 0; i < held_.size(); ++i)
        by_grid_[held_[i].grid].push_back({i, &accounts_[held_[i].id]});
    for (auto& [grid, places] : by_grid_)
        std::ranges::stable_sort(places, {}, [&](const place& each) { return held_[each.held].expires_at; });
}

std::span<const certificate_ledger::place> certificate_ledger::of_grid(std::string_view grid) const {
    const auto at = by_grid_.find(grid);
    return at == by_grid_.end() ? std::span<const place>() : at->second;
}

void certificate_ledger::enter(const certificate_use& given) {
    account& in = accounts_[given.certificate];
    std::int64_t& used = in.used[given.beneficiary];
    in.bound_mwh += whole_mwh(used + given.microkwh) - whole_mwh(used);
    in.given_microkwh += given.microkwh;
    used += given.microkwh;
}

/// Those that may be given, what expires first before the rest.
std::vector<certificate_ledger::place> certificate_ledger::fitting(const green_demand& wanted, instant now) const {
    std::vector<place> found;
    if (wanted.microkwh <= 0 || wanted.to <= wanted.from ||
        month_of(wanted.from) != month_of(wanted.to - milliseconds(1)))
        return found;
    for (const place& each : of_grid(wanted.grid)) {
        const certificate& c = held_[each.held];
        if (now < c.expires_at && periods_match(c.period, c.generated_from, wanted.from) &&
            (c.beneficiary.empty() || c.beneficiary == wanted.beneficiary))
            found.push_back(each);
    }
    return found;
}

/// What is left of the MWh that this beneficiary has begun, and all that nobody has.
std::int64_t certificate_ledger::reach(const place& of, std::string_view beneficiary) const {
    const account& in = *of.in;
    const std::int64_t mwh = held_[of.held].mwh;
    if (in.bound_mwh > mwh)  // fewer are held than there were: nothing more is given of it
        return 0;
    const auto used = in.used.find(beneficiary);
    const std::int64_t mine = used == in.used.end() ? 0 : used->second;
    return whole_mwh(mine) * microkwh_per_mwh - mine + (mwh - in.bound_mwh) * microkwh_per_mwh;
}

std::vector<allocable_power> certificate_ledger::allocable(std::string_view beneficiary,
                                                           std::span<const std::string> grids, instant from,
                                                           instant to) const {
    const auto first = month_of(from), last = month_of(to);
    std::vector<allocable_power> all;
    for (const std::string& grid : grids)
        for (const place& each : of_grid(grid)) {
            const certificate& c = held_[each.held];
            if (c.expires_at <= from || !(c.beneficiary.empty() || c.beneficiary == beneficiary) ||
                !may_match(c, first, last))
                continue;
            const std::int64_t left = reach(each, beneficiary);
            if (left == 0)
                continue;
            if (!all.empty() && alike(all.back(), c))
                all.back().microkwh += left;
            else
                all.push_back({c.grid, c.generated_from, c.expires_at, c.period, c.contract_g_per_kwh, left});
        }
    return all;
}

std::vector<green_allocation> certificate_ledger::allocate(const green_demand& wanted, instant now) {
    std::vector<green_allocation> all;
    std::int64_t left = wanted.microkwh;
    for (const place& each : fitting(wanted, now)) {
        const std::int64_t take = std::min(left, reach(each, wanted.beneficiary));
        if (take == 0)
            continue;
        enter({held_[each.held].id, wanted.beneficiary, take});
        all.push_back({held_[each.held].id, take});
        left -= take;
    }
    return all;
}

std::int64_t certificate_ledger::given(std::string_view certificate) const noexcept {
    const auto at = accounts_.find(certificate);
    return at == accounts_.end() ? 0 : at->second.given_microkwh;
}

std::vector<certificate_status> certificate_ledger::statuses() const {
    std::vector<certificate_status> all;
    for (const certificate& each : held_)
        all.push_back({each, given(each.id)});
    return all;
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
        made.by_grid = !residual_g_per_kwh;
        made.rest_by = residual_g_per_kwh ? "residual mix (" + factor->source + ")"
                                          : "grid average (" + factor->source + "): no residual mix is known";
    } else {
        made.rest_by = "unknown";
    }
    return made;
}

}  // namespace westerly
