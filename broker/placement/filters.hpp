#pragma once

#include "broker/placement/demand.hpp"

#include <array>

namespace westerly {

/// A workload's hard limits in the book's numbers, so that filters compare integers. Names that the book has never
/// borne are left out: no offer can match them.
struct limits_view {
    bool any_region = true, any_jurisdiction = true, any_provider = true;
    std::vector<std::uint32_t> regions, jurisdictions, providers_allow, providers_deny, blocked, stacks;
    bool any_stack = true;
    std::span<const variant> versioned;  // the variants, where one of them asks for versions
    std::uint32_t architecture = name_table::absent;
    bool any_architecture = true;
    bool plan_only_too = false, gang = false, files = false;
    compute_class compute = compute_class::general;
    std::optional<double> max_rtt_ms, max_pue, min_green_power_share;
    bool any_data_class = true;
    std::uint32_t data_class = name_table::absent;
    std::vector<std::uint32_t> licences;  // what no site has as `absent`: all are needed
    std::uint8_t reads = 0;  // the columns that the policy ranks by: what is unknown there cannot be ranked
};
void resolve_limits(const offer_book& book, const policy& policy, const workload_spec& spec,
                    const decision_world& world, std::uint8_t reads, limits_view& into);

/// The first failing filter that depends on the site alone, or `passes`. Unknown facts fail a limit that is set.
std::uint8_t site_code(const limits_view& limits, const offer_book::site_row& row, double rtt_ms,
                       double carbon_g_per_kwh) noexcept;

/// The first failing filter that depends on the kind of the shape, or `passes`.
std::uint8_t kind_code(const limits_view& limits, const offer_book::shape_row& row) noexcept;

/// How a gang fits a shape of the right kind.
struct shape_fit {
    bool accelerator_met = true;
    bool precise = true;     // its cards are known to work in the precision asked for
    bool forbidden = false;  // by a compliance rule
    std::uint64_t units = 0;
    std::optional<rejection> no_run;  // why its length there cannot be told, or has no end
    double it_kwh = 0;                // NaN: unknown
    double lost = 0;                  // likewise, as run_risk
};
/// The next filters, which depend on that.
std::uint8_t fit_code(const limits_view& limits, const shape_fit& fit) noexcept;

/// An amount of money as a cap on prices, worked out per currency once, because a 128-bit division is slow.
class money_cap {
public:
    money_cap() = default;
    money_cap(money limit, const exchange_rates& rates) noexcept;

    /// The highest price in nanos per unit-hour that keeps `units` units within the amount an hour.
    std::int64_t price_by_hour(currency unit, std::uint64_t units) const noexcept;
    /// The highest price in nanos per unit-hour whose exact charge for the billed time stays within the amount.
    std::int64_t price_by_run(currency unit, std::uint64_t units, std::uint64_t billed_s) const noexcept;
    /// The largest integral of a price, in nanos x ms, whose charge for `units` stays within the amount; below 0: none.
    wide nano_ms_by_run(currency unit, std::uint64_t units) const noexcept;
    static constexpr wide any_nano_ms = wide{1} << 126;

private:
    std::int64_t price_within(const std::array<wide, 2>& amounts, currency unit, wide quantity) const noexcept;

    std::array<wide, 2> hourly_nanos_{};   // by currency: the amount in 10^-9, rounded down; -1: nothing passes
    std::array<wide, 2> charge_{};         // by currency: the largest nanos x units x seconds that still rounds within
    std::array<bool, 2> any_{true, true};  // by currency: no rate, so no limit
};

}  // namespace westerly
