#pragma once

#include "broker/placement/compliance.hpp"
#include "broker/placement/data_movement.hpp"
#include "broker/placement/decide.hpp"
#include "broker/placement/finish_odds.hpp"
#include "broker/placement/hourly_starts.hpp"
#include "broker/placement/rtt.hpp"
#include "broker/placement/run_length.hpp"
#include "broker/placement/start_table.hpp"

#include <unordered_map>

namespace westerly {

/// Codes are rejections; this one says that nothing rejects.
inline constexpr std::uint8_t passes = 0xFF;

inline constexpr std::uint64_t service_runtime_s = 3600;  // services are judged per hour

/// One workload under one policy, in numbers.
struct request_view {
    std::uint64_t runtime_s = 0;  // wherever it runs, unless the work is told on a reference
    bool runtime_assumed = false;
    std::int64_t stay_ms = 0;      // of a service, which its grid is looked at over, as a run's is; 0: of a run
    std::int64_t earliest_ms = 0;  // max(now, earliest start), since 1970
    instant now{};
    bool waits_at_it = false;   // services and interactive batch: RTT counts
    bool origin_known = false;  // an origin is stated
    std::optional<std::int64_t> deadline_ms;
    double free_hours =
        0;  // of those from earliest_ms on, what the price of time does not count; below 0: it counts more
    double deadline_z = 0;  // the quantile of the finish that has to be in time, as z_of tells
    std::optional<double> max_carbon_kg;
    std::optional<double> budget_base;           // in base currency, with what rounds to it
    std::uint8_t reads = 0;                      // of term_input: the columns that the policy ranks by
    std::optional<std::int64_t> slack_until_ms;  // no start is put off past it; nullopt: it starts at once
    std::int64_t movement_most_ms = 0;           // of data, to any site
    compliance_rules compliance;                 // of the policy and the workload asked for, which outlive this

    std::int64_t launch_until_ms() const noexcept {
        return std::max(earliest_ms, slack_until_ms.value_or(earliest_ms));
    }
};

/// What one site means for it: the first failing filter that depends on the site alone, and its quantities.
struct site_view {
    std::uint8_t code = passes;
    double rtt_ms = 0;  // demand-weighted mean over the origins; NaN: one of them is unknown
    double rtt_p95_ms = 0;
    rtt_source rtt_known = rtt_source::unknown;  // how, of the weakest origin
    double egress_base = 0;  // money for bringing the inputs here: egress there, staging here; a service's by the hour
    double data_movement_s = 0;
    std::int64_t data_movement_ms = 0;  // rounded up
    double pue = 0;                     // default_pue where unknown
    double green_share = 0;             // NaN: unknown
    double carbon_g_per_kwh = 0;        // the site's own factor, or a signal's for now; NaN: unknown
    bool dated = false;                 // some of its offers are stale, or their quotes have ended
};

/// What few filters ask of a shape, apart from `shape_view` so that it stays one cache line.
struct shape_aside {
    std::int64_t late_ms = 0;        // how much later than expected it may finish, as surely as the deadline asks
    double rate = 1;                 // base currency for one of the price's
    std::int64_t billed_nanos = -1;  // the price that is billed, where it is not what it is compared by
    double billed_rate = 0;          // base currency for one of that
    wide nano_ms_max = 0;            // what the budget lets the integral of the price be; of those that ask for it
    std::uint32_t hourly = 0;        // in demand.hourly.shapes, where it stands alone
    bool bills_other_price() const noexcept { return billed_nanos >= 0; }
};

/// What one shape means for it: the first failing filter that depends on the shape alone, and its quantities. One cache
/// line, because the scan reads it for every offer that comes near to being chosen.
struct alignas(64) shape_view {
    double unit_s = 0;            // units x billed seconds, where no data are brought
    std::int64_t price_max = 0;   // of max_price, in nanos per unit-hour
    std::int64_t budget_max = 0;  // of the budget, likewise
    std::uint64_t units = 0;
    std::int64_t start_ms = 0;  // before data movement
    std::int64_t run_ms = 0;    // from the start to the expected finish
    double it_kwh = 0;          // NaN: unknown
    std::uint8_t code = passes;
    bool launchable : 1 = true;
    bool hourly : 1 = false;          // its price changes with the hour
    bool dated : 1 = false;           // dates may forbid some of its starts
    bool alone : 1 = false;           // hourly or dated: its starts are worked out by themselves, by demand.hourly
    std::uint8_t preference : 4 = 0;  // the workload's alternative that its cards are, as gang_fit
    std::uint16_t start_run = 0;      // in demand.starts
    std::uint32_t headroom : 31 = 0;  // units that must stay free beside its own
    bool bill_by_site : 1 = false;  // billed from the allocation on, and some site's data have to be brought: bill.hpp
    /// What has to be free, or there at all, for it to start.
    std::uint64_t room() const noexcept { return units + headroom; }
};

static_assert(sizeof(shape_view) == 64);

/// A term of a library in a policy, with what it says.
struct foreign_view {
    const term* what = nullptr;
    std::span<const double> quantity;  // by index into the book
    std::string_view failure;          // why there is nothing; empty: there is
    bool ignored_on_failure = false;
};

inline constexpr std::uint32_t packed_units_max = (1u << 24) - 1;

/// Shapes as the first sieve reads them. `packed` is units and code in one word, code in the upper 8 bits; a code past
/// the capacity filters stands as `passes` there, because those filters come first, and makes cost_per_nano NaN, as a
/// bill that depends on the site does. Limits are the largest doubles that are not above them.
struct sieve_words {
    const std::uint32_t* packed;
    const double* cost_per_nano;
    const double* cap;  // the least of all money limits
    const double* price_max;
};
struct sieve_columns {
    std::vector<std::uint32_t> packed;
    std::vector<double> cost_per_nano, cap, price_max;

    void resize(std::size_t size);
    sieve_words from(std::size_t i) const noexcept { return {&packed[i], &cost_per_nano[i], &cap[i], &price_max[i]}; }
};

/// Everything the scan needs, resolved once per decision: a few hundred sites and shapes stand for 10^5 offers.
struct demand {
    request_view request;
    std::vector<site_view> sites;           // parallel to book.sites()
    std::vector<shape_view> shapes;         // parallel to book.shapes()
    std::vector<run_length> runs;           // parallel to `shapes`: how their run_ms came about
    std::vector<shape_aside> aside;         // parallel to `shapes`, too
    std::int64_t most_late_ms = 0;          // of any shape that passes
    shape_view least, most;                 // start and energy of any shape that passes are within
    sieve_columns for_sieve;                // parallel to book.shapes()
    bool sieves = true;                     // units and prices are within what the sieve takes
    std::vector<std::uint8_t> shape_codes;  // the distinct codes in `packed`, ascending, `passes` left out
    hourly_starts hourly;                   // of shapes that stand alone
    start_table starts;                     // active where signals say more than the sites' own factors
    std::vector<foreign_view> foreign;      // of the terms of libraries that the policy names
    double least_lost = 0;                  // P(lost) of any shape that passes is no less
    mutable std::unordered_map<std::uint64_t, double> late;  // P(late) by shape and time before the run, as asked for
    bool foreign_gaps = false;                               // some quantity among those that count is unknown

    /// nullptr: it is built in.
    const foreign_view* foreign_named(const term& what) const noexcept;
    /// What a term's library said, by index into the book; empty: nothing.
    std::span<const double> said_of(const term& what) const noexcept;
    bool knows_foreign(std::size_t i) const noexcept;
};

/// Fills `starts` once sites and shapes are known.
void resolve_starts(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                    const decision_world& world, demand& into);
/// The part of it that follows the shapes, anew.
void number_runs(demand& into);
/// Until when a start may be put off, in ms since 1970: as the workload allows, never longer than the policy does, and
/// not past the queue's limit; nullopt: not at all.
std::optional<std::int64_t> slack_until(const policy& policy, const workload_spec& spec, const decision_world& world);
/// Nothing is launched on such a shape before it, however short the wait is.
std::int64_t earliest_launch(const offer_book::shape_row& row, const request_view& request) noexcept;
/// Starts that a run may have somewhere, ascending, and C at each.
struct priced_starts {
    std::vector<start_option> at;
    std::vector<double> cost_base;  // parallel
};
/// What an offer that passes would choose its start from, if `besides` had a price, too. Empty: it would not pass.
void find_priced_starts(const offer_book& book, const demand& want, std::optional<start_rule::quantity> besides,
                        std::uint32_t index, priced_starts& into);
/// A site's own factor, or what a signal says of now; NaN: neither is known.
double carbon_known_at(const offer_book& book, const offer_book::site_row& row, const decision_world& world) noexcept;

/// When and under what grid a run starts at a site on a shape.
inline std::size_t number_of(const demand& want, const site_view& site) noexcept {
    return static_cast<std::size_t>(&site - want.sites.data());
}
start_option hourly_start_of(const demand& want, const site_view& site, const shape_view& shape, bool at_once);
inline start_option start_of(const demand& want, const site_view& site, const shape_view& shape, bool at_once = false) {
    if (shape.alone)
        return hourly_start_of(want, site, shape, at_once);
    if (!want.starts.active())
        return {0, site.carbon_g_per_kwh, site.green_share};
    if (at_once)
        return want.starts.at_once(number_of(want, site), shape.start_run);
    return want.starts.best(number_of(want, site), shape.start_run, shape.it_kwh);
}

/// P(late or lost) of a run there, and P(late) alone, whose start is put off by so much.
double late_at(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms);
double risk_at(const demand& want, const site_view& site, const shape_view& shape, std::int64_t delay_ms);

/// Fills `into`, reusing its memory.
void resolve(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
             const decision_world& world, demand& into);

/// When a run on a shape at a site ends, with the spreads of its wait, its runtime and its speed.
finish_model finish_of(const offer_book& book, const policy& policy, const workload_spec& spec,
                       const decision_world& world, const demand& want, std::uint32_t site, std::uint32_t shape);

/// One shape anew, with the speed of its cards at an end of its interval: what the view and the run would be then.
std::pair<shape_view, run_length> resolve_at(const offer_book& book, const policy& policy, const workload_spec& spec,
                                             const decision_world& world, const demand& want, std::uint32_t shape,
                                             speed_end at);

/// One shape anew in place, for a gang of spec.tasks, which may be another size than `into` was made for.
void resolve_sized(const offer_book& book, const policy& policy, const workload_spec& spec, const decision_world& world,
                   std::uint32_t shape, demand& into);

/// All shapes anew in the corner of the speeds' intervals that is worst for one model of cards: those slow, all others
/// fast.
void resolve_corner(const offer_book& book, const policy& policy, const workload_spec& spec,
                    const decision_world& world, std::string_view slow_model, demand& into);

/// The foreign terms of a policy with what the world holds of them, for a gang of `spec.tasks`.
void resolve_foreign(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                     const decision_world& world, demand& into);

/// The terms of a policy that count for this workload: priced, or the keys of the order that fits its kind. An unknown
/// name gives a null term.
std::span<const ordered_key> order_of(const policy& policy, const workload_spec& spec) noexcept;

}  // namespace westerly
