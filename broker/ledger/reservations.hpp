#pragma once

#include "broker/domain/offer.hpp"
#include "broker/domain/records.hpp"

#include <span>

namespace westerly {

/// Hours that a fee pays for: a month of 30 days, a year of 365.
inline constexpr double month_h = 720;
double hours_of(reservation_term term) noexcept;

enum class advice_certainty : std::uint8_t { low, fair, high };
std::string_view to_string(advice_certainty how_sure);

/// What buying one reserved offer would have meant for the use of the window. Hours count one card (one vCPU where the
/// offer has no cards); figures are estimates in the fee's currency, and enter no bill.
struct reservation_advice {
    offer_id offer;
    std::string region;
    reservation_fee fee;
    double cards = 0;                    // of one unit
    bool counts_cards = true;            // false: vCPUs
    double reserved_price = 0;           // of one hour of a card, when it is busy all the time
    std::optional<double> hourly_price;  // what an hour costs otherwise; nullopt: nothing tells
    bool price_paid = false;             // true: the mean of what was paid; false: the cheapest that is offered
    std::optional<double> break_even_h;  // busy hours of a unit and term that the fee would buy by the hour
    double busy_h = 0;                   // of the first unit, at the window's use, per term
    double used_card_h = 0;              // in the window, of what the offer could have carried
    std::optional<std::uint64_t> units;  // to buy; 0: none; nullopt: no price or too little history to tell
    /// Of so many units at the window's use; of one when none should be bought, which is then below 0: what
    /// availability would cost. Nothing is said of it by less than a week.
    std::optional<double> saving_per_month;
    std::uint32_t weeks = 0;           // whole weeks of history
    std::uint32_t weeks_agreeing = 0;  // which alone would give the same advice
    advice_certainty how_sure = advice_certainty::low;
};

/// Reserved offers that nothing is said of, each counted once, by the first reason that holds.
struct reservations_left_out {
    std::uint64_t owned = 0;         // already
    std::uint64_t no_fee = 0;        // no term_price: what keeping them costs is not known
    std::uint64_t begin_later = 0;   // after the window's end
    std::uint64_t quotes_ended = 0;  // by the window's end
    std::uint64_t full = 0;          // no unit is free
};

struct reservation_advices {
    std::vector<reservation_advice> advices;  // best saving first, then by offer
    instant from{}, until{};                  // what was looked at: the window, from the first use on
    std::uint64_t rows_unknown = 0;           // of offers that are not offered any more: what they were is not known
    reservations_left_out left_out;
};

/// Advises a tenant whether to buy reserved offers, from what it was charged by the hour between `from` and `until`.
///
/// Comparable  use on the same card model and architecture (no cards: the same architecture, likewise without), paid in
///             the fee's currency, and not itself on a reserved offer. Sites may differ: the region is shown.
/// Rule        the n-th unit is worth buying when the hours that it would have been busy reach the break-even:
///             fee / (hourly price of its cards). Busy: the cards used at once, beyond what n - 1 units carry.
/// Left out    what is owned already; what is not on sale at `until` (available_from, price_until), to be bought or as
///             the price of an hour; what has no unit free.
/// History     less than a week of it says nothing about a month or a year: no number to buy, unless the fee is more
///             than the term costs by the hour when it is never idle, which no history can change.
/// Certainty   low below four whole weeks; high from twelve on when nine in ten of them agree, fair when three in four.
reservation_advices advise_reservations(std::span<const charge> history, std::span<const offer> offers, instant from,
                                        instant until);

}  // namespace westerly
