#include "broker/domain/owned.hpp"

#include <algorithm>
#include <limits>

namespace westerly {

unit_price amortised(const reservation_fee& fee) noexcept {
    const wide nanos = divide_half_even(wide{fee.per_unit.micros} * 1000, hours_paid_by(fee.term));
    return {static_cast<std::int64_t>(std::min(nanos, wide{std::numeric_limits<std::int64_t>::max()})),
            fee.per_unit.unit};
}

std::optional<unit_price> ranked_price(const offer& o) noexcept {
    if (!is_owned(o))
        return o.price;
    if (o.supply.shadow_price)
        return o.supply.shadow_price;
    const auto billed = billed_price(o);
    return unit_price{0, billed ? billed->unit : currency::cny};
}

std::optional<unit_price> billed_price(const offer& o) noexcept {
    return is_owned(o) && o.supply.fee ? amortised(*o.supply.fee) : o.price;
}

}  // namespace westerly
