#pragma once

#include "broker/placement/decide.hpp"
#include "broker/placement/hourly_starts.hpp"

namespace westerly {

inline constexpr std::uint32_t price_is_one = std::numeric_limits<std::uint32_t>::max();

/// One offer that passes every filter, in numbers: what an assignment of many weighs (assign.hpp). Quantities as in
/// `appraisal`; NaN: not known.
struct feasible_offer {
    std::uint32_t index = 0;             // into the book
    std::uint32_t hours = price_is_one;  // into `hours` of feasible_offers(): its price changes with the hour
    std::uint64_t units = 0;
    double cost_base = 0;       // C in base currency
    double j = 0;               // C + priced terms; the place in the order, counted from 0, for ordered policies
    std::int64_t start_ms = 0;  // at once, since 1970, data movement included
    std::int64_t delay_ms = 0;  // how much later than that its best start is, which C, J and the finish are of
    std::int64_t finish_ms = 0;
    std::int64_t late_ms = 0;  // kept free between finish and deadline
    double rtt_ms = 0;
    double it_kwh = 0, pue = 0, green_share = 0;
};

/// Every offer that decide() would rank, by the same filters, costs and terms, best first; ties as decide() breaks
/// them. Slower a piece than decide(), which looks only at what can still win. The ε-form's limit is applied. `hours`:
/// where what offers with hourly prices cost at other starts goes; nullptr: nobody asks.
std::vector<feasible_offer> feasible_offers(const offer_book& book, const policy& policy, term_table terms,
                                            const workload_spec& spec, const decision_world& world,
                                            std::vector<hourly_costs>* hours = nullptr);

}  // namespace westerly
