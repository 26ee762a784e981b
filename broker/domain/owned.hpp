#pragma once

#include "broker/domain/offer.hpp"

namespace westerly {

/// Hours that a fee pays for: a month of 30 days, a year of 365.
constexpr std::int64_t hours_paid_by(reservation_term term) noexcept {
    return term == reservation_term::month ? 720 : 8760;
}

/// The fee spread over its term, an hour of one unit; half to even at the ninth decimal.
unit_price amortised(const reservation_fee& fee) noexcept;

/// A reservation that is bought: its fee is paid whether it is used or not.
inline bool is_owned(const offer& o) noexcept {
    return o.mode == billing_mode::reserved && o.supply.owned;
}
/// What an offer's hour counts as when offers are compared; nullopt: it has no price. The avoidable cost of an owned
/// hour is not its fee, which is paid anyway, but what the hour is worth to others.
std::optional<unit_price> ranked_price(const offer& o) noexcept;
/// Whether its price changes with the hour. An owned hour does not: it counts, and is billed, at figures of its own.
inline bool has_hourly_prices(const offer& o) noexcept {
    return o.price && !o.schedule.empty() && !is_owned(o);
}
/// What an hour of it is billed at: the fee's share where it is owned and has a fee, else the price.
std::optional<unit_price> billed_price(const offer& o) noexcept;

}  // namespace westerly
