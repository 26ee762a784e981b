#pragma once

#include "broker/domain/note.hpp"
#include "broker/placement/start_dates.hpp"
#include "broker/placement/start_table.hpp"

#include <limits>
#include <unordered_map>

namespace westerly {

struct demand;
struct site_bill;
struct shape_view;
struct site_view;

/// An offer that stands alone, at one start.
struct hourly_choice {
    start_option start;
    double cost_base = 0;       // C, egress included; 0 where its price does not change with the hour
    std::uint8_t code = 0;      // the first filter that this start fails, of those that depend on it, or `passes`
    std::int64_t start_ms = 0;  // of the run, since 1970
};

/// What one shape's prices and dates mean for the workload.
struct hourly_shape {
    const price_curve* prices = nullptr;  // the book's; nullptr: its price does not change with the hour
    bool by_week = false;                 // judged by the mean of the week: services
    start_dates dates;
};

/// When offers with hourly prices, or with dates that forbid some starts, would start. They are few, and each is worked
/// out by itself: every start at which the integral of its price or of the grid's signals over the run bends, or at
/// which a date changes what is allowed, and between each two of them where a limit or an order's step is just met, by
/// what the policy compares. What one decision asks for once is kept.
///
/// Dates   at once is the first start that no rule forbids. Later ones keep date_margin_ms to what ends them.
/// Filters max_price holds the highest price of the run against the limit, budget and the ε-form its integral; of the
///         starts those count that get furthest through the filters, so waiting may meet a limit.
/// Services are judged by the hour that is the mean of the week, and start at once.
struct hourly_starts {
    std::vector<hourly_shape> shapes;
    start_rule rule;                                                 // with `cost` among its keys
    double cost_limit = std::numeric_limits<double>::infinity();     // of the ε-form, once it is known
    mutable std::unordered_map<std::uint64_t, hourly_choice> found;  // by site and shape

    void forget() noexcept {
        cost_limit = std::numeric_limits<double>::infinity();
        found.clear();
    }
    void limit(double cost_max) noexcept {
        cost_limit = cost_max;
        found.clear();
    }
};

/// C of one offer by when it starts, as one decision counts it; without the decision, so that it can be kept.
///
/// Delays are ms after the earliest start, and may be below 0: before the decision was made. Dates that forbid a start
/// or end its quote are not part of it.
struct hourly_costs {
    const price_curve* prices = nullptr;  // the book's: whoever keeps this longer puts another in its place
    bool by_week = false;                 // services: the mean of the week, whenever they start
    std::int64_t from_ms = 0;             // of what is billed when it starts at its earliest, since 1970
    std::int64_t billed_ms = 0;
    std::uint64_t units = 0;
    double rate = 1;             // base currency for one of the prices'
    double data_base = 0;        // what moving the data costs at any time
    std::int64_t price_max = 0;  // limits: of the highest price in the run, in nanos per unit-hour;
    wide nano_ms_max = 0;        // of its integral;
    double budget_base = std::numeric_limits<double>::infinity();            // of C, where data are moved;
    double cost_limit = std::numeric_limits<double>::infinity();             // of C, by the ε-form
    std::int64_t slack_until_ms = std::numeric_limits<std::int64_t>::min();  // of `from_ms`: how far it may be put off
    double rest_base = 0;  // J at once less C; of feasible_offers() under a policy in price form

    struct at_start {
        double cost_base = 0;   // C
        std::uint8_t code = 0;  // max_price, budget, too_dear_for_policy, or `passes`
    };
    at_start at(std::int64_t delay_ms) const noexcept;
    wide nano_ms_at(std::int64_t delay_ms) const noexcept;  // the integral of the price
};

/// `shape` is one of want.shapes and has hourly prices.
hourly_costs hourly_costs_of(const demand& want, const site_view& site, const shape_view& shape) noexcept;
/// `shape` is one of want.shapes and stands alone.
const hourly_choice& hourly_best(const demand& want, const site_view& site, const shape_view& shape);
hourly_choice hourly_at_once(const demand& want, const site_view& site, const shape_view& shape);
/// How much later than the earliest launch the first one is that no rule forbids; nullopt: none is within the slack.
std::optional<std::int64_t> lawful_delay(const demand& want, const site_view& site, const shape_view& shape);
/// The filter of dates that every start there fails, or `passes`.
std::uint8_t date_code(const demand& want, const site_view& site, const shape_view& shape);
/// Every start that is tried there under a rule and passes the filters that depend on it, as its prices have it.
void find_hourly_options(const demand& want, const site_view& site, const shape_view& shape, const start_rule& rule,
                         std::vector<hourly_choice>& into);
/// C of a run that starts then and is billed otherwise, as at an end of a speed's interval.
double hourly_cost(const demand& want, const site_view& site, const shape_view& shape, const site_bill& bill,
                   std::int64_t start_ms);
/// The price of a unit over what is billed of a run that starts then.
struct hourly_price {
    std::int64_t mean = 0, least = 0, most = 0;  // nanos
    wide nano_ms = 0;                            // the integral
};
hourly_price hourly_price_over(const demand& want, const site_view& site, const shape_view& shape,
                               std::int64_t start_ms);
/// What a plan or a decision tells of them, in the currency of decisions.
note note_on_hours(const offer_id& on, const hourly_price& over, currency in, const exchange_rates& rates);

}  // namespace westerly
