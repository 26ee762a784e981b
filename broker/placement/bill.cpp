#include "broker/placement/bill.hpp"

namespace westerly {

double paid_base_at(const demand& want, const site_view& site, const shape_view& shape,
                    std::int64_t compared_nanos) noexcept {
    const shape_aside& aside = aside_of(want, shape);
    if (!aside.bills_other_price())
        return cost_base_at(want, site, shape, static_cast<double>(compared_nanos));
    const double unit_s = bill_at(want, site, shape).unit_s;
    return money_of_nano_s(static_cast<double>(aside.billed_nanos) * unit_s) * aside.billed_rate;
}

bool past_budget(const demand& want, const site_view& site, const shape_view& shape,
                 std::int64_t compared_nanos) noexcept {
    if (compared_nanos > shape.budget_max)  // by what is billed at every site
        return true;
    const shape_aside& aside = aside_of(want, shape);
    if (shape.bill_by_site) {
        const wide billed_ms = wide{1000} * static_cast<wide>(bill_at(want, site, shape).billed_s);
        if (wide{aside.bills_other_price() ? aside.billed_nanos : compared_nanos} * billed_ms > aside.nano_ms_max)
            return true;
    }
    return site.egress_base > 0 && want.request.budget_base &&
           paid_base_at(want, site, shape, compared_nanos) + site.egress_base > *want.request.budget_base;
}

}  // namespace westerly
