#pragma once

#include "broker/domain/note.hpp"
#include "broker/domain/offer.hpp"
#include "broker/domain/spread.hpp"

#include <cmath>

namespace westerly {

/// Why an offer was passed over: the first failing filter, in this order. Names on the wire are to_string's.
enum class rejection : std::uint8_t {
    provider_denied,     // constraints.providers
    provider_unhealthy,  // breaker open, cordoned, or adapter down
    plan_only,           // catalogue supply: ranked in a plan, never launched
    not_purchased,       // billed by the month or year and not bought: such an offer has no price per run
    not_supported,       // the adapter cannot do what the workload needs: gangs, or bundles of code
    region,
    jurisdiction,
    data_class,  // its site is not cleared for the class of the data
    licence,     // its site does not have a licence that the work needs
    compute_class,
    architecture,
    stack,
    stack_version,  // no variant's stack has a version that it takes, or none that is known
    accelerator,
    precision,   // its cards are not known to work in resources.precision; unknown never counts as 0
    compliance,  // a compliance rule of the workload or its policy forbids it at every start, or facts are not
                 // known
    task_shape,
    throughput_unknown,  // how fast the work would go on its cards cannot be told
    never_finishes,      // interruptions come faster than the work can get between them
    runtime_limit,       // needs longer than timing.max_runtime_s allows
    available_later,     // from a time that the start may not be put off to
    capacity_never,      // the gang is larger than the site ever has
    capacity_now,        // free again later
    rtt,
    rtt_unknown,
    pue,
    green_power_share,  // unknown counts as failing
    price_missing,
    quote_expired,  // its price was quoted until a time that is past, or would be at the start
    offer_stale,    // not confirmed for so long that nothing is launched there
    max_price,
    budget,
    deadline,  // does not finish by it, or not as surely as timing.deadline_probability asks
    max_carbon,
    quantity_unknown,     // the policy ranks by a fact that is not known here; unknown never counts as 0
    too_dear_for_policy,  // past within_of_cheapest
    too_far_from_least,   // past within_of_least
    count_                // not a reason: the number of them
};
std::string_view to_string(rejection why);
std::optional<rejection> parse_rejection(std::string_view text) noexcept;
/// What is true of the offer, for people: "outside the regions asked for".
std::string_view in_words(rejection why);

/// How a run's length on an offer came about, where the workload tells its work in reference hours or may be
/// interrupted.
struct run_estimate {
    double cards = 0;             // n
    interval speed;               // r: one card against one reference card; 0 where the work is told in seconds
    std::string speed_method;     // "stated", "measured (…)", "derived from fp16 peaks", …
    double efficiency = 1;        // η
    double effective_cards = 0;   // X: reference cards' worth
    double interruptions = 0;     // expected
    double hazard_per_h = 0;      // λ of the whole gang
    bool hazard_assumed = false;  // the hardware's, where the offer tells none
    std::uint64_t work_s = 0;     // one pass without interruptions
    std::uint64_t wall_s = 0;     // expected, from the start to the finish
    friend bool operator==(const run_estimate&, const run_estimate&) = default;
};

/// How surely a run ends in time, where the wait, the runtime or the speed has a spread; finish_at is then the median.
struct finish_odds {
    instant p90_at{};                                  // nine in ten end by then
    std::optional<double> by_deadline = std::nullopt;  // probability; nullopt: there is no deadline
    friend bool operator==(const finish_odds&, const finish_odds&) = default;
};

/// What ends so long after its start practically never does; its date says no more.
inline constexpr milliseconds practically_never = std::chrono::years(100);

/// What one offer would mean for this workload. Quantities are for the whole run of the whole gang.
struct appraisal {
    offer_id offer;
    provider_id provider;
    std::string site;
    std::string region;
    bool launchable = true;
    std::uint64_t units = 0;
    std::uint32_t tasks = 1;                            // the gang's size
    unit_price price;                                   // per unit-hour, in the offer's currency
    money cost;                                         // C, in the offer's currency, after increment and minimum
    double cost_base = 0;                               // C in the decision's currency
    std::vector<std::pair<std::string, double>> terms;  // money per priced term, decision's currency, policy order
    double j = 0;                                       // C + terms; equals cost_base for ordered policies
    std::vector<double> keys;                           // the lexicographic keys compared; empty for priced policies
    instant start_at{};
    instant finish_at{};
    std::uint64_t billed_s = 0;
    double data_movement_s = 0;
    std::optional<double> rtt_ms;  // to the workload's origin
    std::string rtt_method;  // "measured", "declared", "estimated from coordinates (median error 3 ms)", "unknown"
    std::optional<double> energy_kwh;  // facility
    std::optional<double> non_green_kwh;
    std::optional<double> carbon_kg;  // location-based
    /// Market-based: what the site's contracts cover counts as 0, what certificates could cover by theirs, the rest by
    /// the residual mix, else as the grid.
    std::optional<double> carbon_market_kg;
    bool residual_known = false;  // else the rest of carbon_market_kg is by the grid's average
    std::optional<double> green_power_share;
    std::optional<double> pue;
    std::optional<double> rtt_p95_ms;  // demand-weighted over the origins; rtt_ms is their mean
    double egress_base = 0;            // within cost_base: egress and staging of the inputs, decision's currency
    /// Of egress_base the staging here; nullopt: nothing is brought, or an older version did not tell.
    std::optional<double> staging_base = std::nullopt;
    std::optional<run_estimate> run;
    double cost_low = 0, cost_high = 0;  // C at the ends of the speed's interval, decision's currency; equal when exact
    std::optional<finish_odds> odds = std::nullopt;  // nullopt: nothing has a spread
    /// Of non_green_kwh what certificates could cover that nobody had been given yet; nothing was given to it.
    std::int64_t certificates_microkwh = 0;
    friend bool operator==(const appraisal&, const appraisal&) = default;
};

/// non_green_kwh as certificates are given for it; nullopt: unknown, or more than there can be certificates for.
inline std::optional<std::int64_t> non_green_microkwh(const appraisal& a) noexcept {
    constexpr double most = 1e18;
    const double microkwh = a.non_green_kwh.value_or(most) * 1e6;
    return microkwh < most ? std::optional<std::int64_t>(std::llround(microkwh)) : std::nullopt;
}
/// Whether they could cover all of it, so that no rest counts by another factor.
inline bool all_by_certificates(const appraisal& a) noexcept {
    return a.certificates_microkwh > 0 && a.certificates_microkwh == non_green_microkwh(a);
}
/// Whether nine in ten of its runs end at all, where it has odds.
inline bool nearly_all_end(const appraisal& a) noexcept {
    return a.odds && a.odds->p90_at - a.start_at <= practically_never;
}

/// "greener from 0.88 CNY per kWh": the price of `term` at which the alternative would overtake the winner, all else as
/// it is; both would choose their starts and sizes anew.
struct switch_price {
    offer_id alternative;
    std::string term;
    double at = 0;       // decision's currency per term unit
    bool below = false;  // the alternative would win below it; else from it on
    friend bool operator==(const switch_price&, const switch_price&) = default;
};

/// A start that is put off: for a cleaner grid, for cheaper hours, or because dates allow none before.
struct chosen_start {
    instant launch_at{};                        // until then the workload waits, and is then decided anew
    instant start_at{};                         // of the run
    instant at_once_at{};                       // when the same offer would have started
    std::optional<double> carbon_saved_kg;      // against starting the same offer at once
    std::optional<double> non_green_saved_kwh;  // likewise
    double saved_base = 0;  // of J, the price of the wait taken off; of C where the policy is an order
    std::string why;        // a sentence, with what is saved against the baseline
    friend bool operator==(const chosen_start&, const chosen_start&) = default;
};

inline constexpr std::size_t ranked_max = 8;

/// A stored, replayable record of one choice.
struct decision {
    decision_id id;
    workload_id workload;  // none for a plan
    instant at{};
    std::string policy;
    std::string policy_version;
    std::uint64_t book_version = 0;
    exchange_rates rates;
    std::uint64_t runtime_s = 0;
    bool runtime_assumed = false;  // the workload stated none
    std::uint32_t considered = 0;
    std::vector<std::pair<rejection, std::uint32_t>> rejections;  // counts, in filter order, no zeros
    std::vector<appraisal> ranked;      // best first, at most ranked_max; ranked[0] is the winner
    std::optional<appraisal> baseline;  // cheapest feasible, started at once
    std::vector<offer_id> pareto;       // over (money, latency, carbon, green share, finish), within ranked
    std::vector<switch_price> switches;
    std::vector<offer_id> rivals;         // one a model: would win within the intervals of the speeds; any: not robust
    std::optional<chosen_start> put_off;  // of the winner; nullopt: at once
    std::vector<note> notes;              // where greener and lower-carbon part ways, assumed values, …
    /// Of a version that told switch prices for the starts that were chosen only, and none below the present price;
    /// with a range of sizes, these and rivals for the size that was chosen only.
    bool narrow_switches = false;
    friend bool operator==(const decision&, const decision&) = default;
};

/// What a submit would have stopped, where nothing is free. It tells how many, and of nobody who.
struct foreseen_preemption {
    offer_id offer;
    std::uint32_t runs = 0, tenants = 0;
    double charge_base = 0;  // within the J of the decision that there would be
    friend bool operator==(const foreseen_preemption&, const foreseen_preemption&) = default;
};

/// A decision with the full list that `plan` shows.
struct plan_result {
    decision made;
    std::vector<std::pair<offer_id, rejection>> rejected;  // first failing filter of each, by offer id, bounded
    std::uint32_t rejected_more = 0;                       // past that bound
    std::vector<appraisal>
        pareto;  // of all feasible offers, those that none beats in every respect; cheapest first, bounded
    std::optional<spread_plan> spread = std::nullopt;  // where the workload asks for one; `made` has all in one place
    std::optional<foreseen_preemption> preemption = std::nullopt;  // `made` has a note of it, too
};

}  // namespace westerly
