#pragma once

#include "broker/domain/energy.hpp"
#include "broker/placement/assign.hpp"
#include "broker/placement/feasible.hpp"
#include "tools/simulate/core/carbon.hpp"
#include "tools/simulate/core/supply.hpp"
#include "tools/simulate/core/trace.hpp"

#include <functional>

namespace westerly {

/// Who gets what at a tick. The first two are the broker's; the others are what one would do without it.
enum class tick_rule : std::uint8_t {
    by_cost,        // assign_by_cost over all that wait: the least J together
    by_turns,       // assign_fairly: each account in turn
    one_by_one,     // in order of arrival, each decide()'s best among what is free now
    first_fit,      // in order of arrival, the first offer by id that is free
    round_robin,    // … the next one after the last that was taken
    cheapest_hour,  // … the one with the lowest price an hour of the whole gang
    nearest_first   // … the one with the lowest RTT to the users
};

struct run_setup {
    std::string name;  // of the row in the tables
    policy rules;
    tick_rule how = tick_rule::by_cost;
    bool through_engine = false;   // run_engine() in place of run_trace(); then `how` is the engine's
    instant begin{};               // of the trace's second 0
    std::uint32_t tick_s = 900;    // work starts at ticks only
    std::uint32_t horizon = 32;    // ticks that an assignment looks ahead
    double max_wait_s = 86'400;    // a later start counts as late; whoever is late goes before everybody
    double later_price_per_h = 0;  // what an hour's wait costs, in base currency: the policy's price of time
    exchange_rates rates;
    std::vector<region_place> regions;
    assign_effort effort{.price_rounds = 120, .exact_jobs_max = 16, .exact_nodes = 20'000};
    bool hindsight = true;
    std::size_t hindsight_jobs_max = 200'000;  // remembered for the clairvoyant bound; more: none is given
    /// Called with each contended tick's certificate, and with the clairvoyant's; may be empty.
    std::function<void(const std::string&)> certify;
    /// Called for each workload that starts, with its number in the trace (from 0); may be empty.
    std::function<void(std::size_t, const offer_id&)> chose;
};

/// Sums over the ticks or over the trace: what was paid for J, what must be paid, and what would if nothing were
/// scarce.
struct yardstick {
    double cost = 0, bound = 0, floor = 0;
    std::size_t measured = 0, contended = 0, proved = 0;
    double worst_percent = 0;
    double gap_percent() const noexcept { return bound > 0 ? 100 * (cost - bound) / bound : 0; }
    /// Of what contention costs at least; nothing where it costs nothing.
    std::optional<double> undiluted_percent() const noexcept {
        return bound > floor ? std::optional(100 * (cost - bound) / (bound - floor)) : std::nullopt;
    }
};

/// Non-negative numbers by size in steps of 2 %: quantiles in memory that does not grow.
class quantiles {
public:
    void add(double value);
    double at(double share) const;
    double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
    double most() const noexcept { return most_; }

private:
    std::vector<std::uint64_t> bins_ = std::vector<std::uint64_t>(1024, 0);
    std::uint64_t count_ = 0;
    double sum_ = 0, most_ = 0;
};

struct outcome {
    std::string name, policy_version;
    std::size_t submitted = 0, started = 0, unplaceable = 0;
    std::map<std::string, std::size_t> why_unplaceable;
    double money = 0;  // C, base currency
    double energy_kwh = 0, non_green_kwh = 0;
    double location_kg = 0, market_kg = 0;
    double unknown_energy_jobs = 0, annual_factor_jobs = 0;
    quantiles wait_s, rtt_ms;
    std::size_t late = 0;
    double lateness_s = 0;   // Σ beyond max_wait_s
    double utilisation = 0;  // of limited capacity that was used at all, from the first start to the last end
    double jain = 1;         // over users: 1 / mean bounded slowdown
    std::size_t users = 0;
    std::optional<yardstick> same_information;  // by_cost under a policy in price form only
    std::optional<yardstick> hindsight;         // one entry
    std::size_t ticks = 0;
};

/// Why a workload was not placed that states how long it waits.
inline constexpr const char* waited_too_long = "waited as long as its max_wait_s";

/// The bounded slowdown's: shorter work does not count as slowed at once.
inline constexpr double bounded_slowdown_least_s = 600;

/// Runs a trace to its end in virtual time, tick by tick, by the code of placement alone: what the yardstick and the
/// baselines need. Errors: those of the trace.
result<outcome> run_trace(trace_reader& trace, const supply& from, const carbon_series& carbon, const run_setup& setup);

/// The same through the broker's engine: submitted, decided, launched, metered and billed by the code that westerlyd
/// runs, under a simulated clock, at providers that answer at once and never fail. Of the setup: name, rules, begin,
/// rates, regions and max_wait_s.
result<outcome> run_engine(trace_reader& trace, const supply& from, const carbon_series& carbon,
                           const run_setup& setup);

}  // namespace westerly
