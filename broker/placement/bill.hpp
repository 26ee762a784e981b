#pragma once

#include "broker/placement/demand.hpp"
#include "broker/placement/rounding.hpp"

namespace westerly {

/// What a run on one shape is billed at one site. Most offers bill from the run's start: then it is the same
/// everywhere, and stands in the shape. Where they bill from the allocation on (shape_view.bill_by_site), so is the
/// time that bringing the data takes there.
struct site_bill {
    std::uint64_t billed_s = 0;
    double unit_s = 0;  // units x billed_s
    double rate = 1;    // base currency for one of the price's
    /// C for a price in nanos per unit-hour, egress left out.
    double cost_base(double nanos) const noexcept { return money_of_nano_s(nanos * unit_s) * rate; }
};
/// Of a run that the shape's own row may not have, as at an end of a speed's interval; `rate` as in shape_aside.
inline site_bill bill_of(const site_view& site, const shape_view& shape, const run_length& run, double rate) noexcept {
    if (!shape.bill_by_site)
        return {run.billed_s, shape.unit_s, rate};
    const std::uint64_t billed_s = run.billed_after(site.data_movement_ms);
    return {billed_s, static_cast<double>(shape.units) * static_cast<double>(billed_s), rate};
}
/// `shape` is one of want.shapes, as in all that follow.
inline const shape_aside& aside_of(const demand& want, const shape_view& shape) noexcept {
    return want.aside[static_cast<std::size_t>(&shape - want.shapes.data())];
}
inline site_bill bill_at(const demand& want, const site_view& site, const shape_view& shape) noexcept {
    const auto number = static_cast<std::size_t>(&shape - want.shapes.data());
    return bill_of(site, shape, want.runs[number], want.aside[number].rate);
}
/// C for a price in nanos per unit-hour, egress left out.
inline double cost_base_at(const demand& want, const site_view& site, const shape_view& shape, double nanos) noexcept {
    return shape.bill_by_site ? bill_at(want, site, shape).cost_base(nanos)
                              : money_of_nano_s(nanos * shape.unit_s) * aside_of(want, shape).rate;
}
/// How long before the run's start the bill begins.
inline std::int64_t billed_before_ms(const site_view& site, const shape_view& shape) noexcept {
    return shape.bill_by_site ? site.data_movement_ms : 0;
}

/// What is paid for the run in base currency, egress left out; `compared_nanos` is what the price counts as, and does
/// not change with the hour.
double paid_base_at(const demand& want, const site_view& site, const shape_view& shape,
                    std::int64_t compared_nanos) noexcept;
/// Whether that is past the budget: in whole numbers, and with egress as well as doubles tell it.
bool past_budget(const demand& want, const site_view& site, const shape_view& shape,
                 std::int64_t compared_nanos) noexcept;

}  // namespace westerly
