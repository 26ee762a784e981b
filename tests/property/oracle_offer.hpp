#pragma once

#include "tests/property/oracle.hpp"
#include "tests/property/oracle_fit.hpp"
#include "tests/property/oracle_hours.hpp"
#include "tests/property/oracle_place.hpp"
#include "tests/property/oracle_room.hpp"
#include "tests/property/oracle_run.hpp"

#include <cmath>
#include <limits>

namespace westerly::laws {

/// Works one offer out from the top, remembering nothing of any other.
class judge_of_one {
public:
    using amount = std::optional<double>;
    static constexpr double infinity = std::numeric_limits<double>::infinity();

    judge_of_one(const world& w, const offer& o, bool plan_only_too)
        : w_(w), o_(o), s_(w.spec), fit_(w, o), place_(w, o), room_(w, o), plan_only_too_(plan_only_too) {}

    /// At the start that is best there and costs no more than `dearest`; of equals the earliest.
    judged judgement(double dearest = infinity);
    bool hourly() const { return o_.price && !o_.schedule.empty() && !owned(); }

private:
    bool service() const { return s_.kind == workload_kind::service; }
    bool waited_for() const { return service() || s_.interactive; }
    bool latency_weighed() const { return waited_for() && s_.limits.origin_stated(); }
    bool owned() const { return o_.mode == billing_mode::reserved && o_.supply.owned; }
    /// Bringing the inputs is paid for, too.
    bool paid_while_brought() const { return o_.billing_starts == billing_start::allocation && !service(); }
    double brought_ms() const { return std::ceil(place_.data_movement_s() * 1000); }
    bool dated() const { return o_.supply.price_until || !rules_of(w_).empty(); }
    bool stale(double times) const;
    static double at(instant t) { return static_cast<double>(t.time_since_epoch().count()); }

    // oracle_offer.cpp: money
    double to_base_rate(currency c) const { return static_cast<double>(rate_nanos(w_.around.rates, c)) / 1e9; }
    /// What it counts as; of what is owned only what others would give for it.
    std::optional<unit_price> compared() const;
    std::optional<unit_price> billed() const;
    double money_of(unit_price price) const {
        return static_cast<double>(price.nanos) / 1e9 * fit_.units() * billed_s() / 3600 * to_base_rate(price.unit);
    }
    const plain_hours& hours() const;
    /// nanos x ms over what is billed; of a service by the mean of the week.
    wide nano_ms() const { return service() ? hours().mean_hour() : hours().sum(billed_from_ms(), billed_ms()); }
    double hourly_cost() const {
        return static_cast<double>(nano_ms()) / 1e9 / 3.6e6 * fit_.units() * to_base_rate(o_.price->unit);
    }
    std::int64_t highest_price() const {
        return service() ? hours().highest() : hours().highest(billed_from_ms(), billed_ms());
    }
    /// Of the inputs: egress where they lie and staging here.
    double egress() const;
    double cost() const { return (hourly() ? hourly_cost() : money_of(*compared())) + egress(); }
    std::int64_t charge() const;

    // oracle_offer.cpp: time, of the start that is judged
    double stated_s() const;
    const run_time& run() const;
    double run_ms() const { return std::ceil(run().wall_s * (1 - 1e-12)) * 1000; }
    double billed_s() const;
    std::int64_t billed_ms() const { return static_cast<std::int64_t>(billed_s()) * 1000; }
    bool fits() const { return fit_.units() > 0 && !run().why_not; }
    /// When the provider is asked first; its queue begins then.
    double asked_ms() const {
        return std::max(earliest_ms(), o_.supply.available_from ? at(*o_.supply.available_from) : 0);
    }
    double launch_ms() const { return asked_ms() + delay_ms_; }
    std::int64_t start_ms() const { return static_cast<std::int64_t>(finish_ms() - run_ms()); }
    std::int64_t billed_from_ms() const {
        return start_ms() - (paid_while_brought() ? static_cast<std::int64_t>(brought_ms()) : 0);
    }
    double finish_ms() const;
    const fates& ends() const;
    double late() const;

    // oracle_offer.cpp: energy, carbon, and what a policy compares
    const std::optional<sourced>& own_carbon() const { return o_.site.carbon_g_per_kwh; }
    std::optional<double> green_share() const;
    const signal_series* signal() const;
    /// A run, or how long a service is expected to stay: as it says, else 30 days.
    double looked_at_ms() const;
    /// ∫ of the signal over the run in value x ms, and how much of the run it covers.
    std::pair<double, double> over_run() const;
    /// g/kWh over the run: the signal, and the site's own factor where it does not reach.
    amount intensity() const;
    amount facility_kwh() const;
    amount non_green() const;
    amount carbon() const;
    amount lost() const;
    const std::vector<ordered_key>& order() const {
        return service() ? w_.rules.order_service : s_.interactive ? w_.rules.order_interactive : w_.rules.order_batch;
    }
    bool weighs(std::string_view term) const;
    bool carbon_weighed() const { return s_.limits.max_carbon_kg || weighs("carbon"); }
    amount quantity(const std::string& term) const;
    std::vector<double> keys() const;

    // oracle_starts.cpp
    judged at_start();
    static bool clearly_less(const std::vector<double>& a, const std::vector<double>& b);
    bool depends_on_start(rejection why) const;
    /// What is put off keeps a minute to dates.
    double spare_ms() const { return delay_ms_ > at_once_ms_ ? 60'000 : 0; }
    double earliest_ms() const;
    double slack_ms() const;
    /// How much later than at its earliest the run may start.
    double latest_delay() const;
    /// Where it does not fit, no start is known, and the launch alone is looked at.
    bool lawful() const;
    /// Where a rule ends is where a start may become lawful; 0 where none does in time.
    double first_lawful_delay();
    /// The chance to be late is no sum, and what is held near the least is that of one start among equals: there only
    /// the bends count, and where limits and steps are just met.
    bool only_bends() const { return weighs("risk") || (w_.rules.within_of_least && w_.rules.ordered()); }
    /// Every ten minutes within the slack, and where the run's ends meet an edge of the signal or of the price.
    std::vector<double> delays() const;
    /// Whether starts are looked for at which a step of the order is just met.
    bool by_steps() const;
    /// Of a start: for each limit that depends on it whether it is past it, then the order's steps.
    std::vector<double> levels_at(double delay);
    /// Between two starts the last ms, from the better one on, that is as good in one of these.
    double just_met(double a, double b, std::size_t level);
    /// Everything is linear between two of the starts that are given, so that what they differ in is halved down to
    /// where it turns.
    std::vector<double> with_just_met(std::vector<double> starts);

    // oracle_filters.cpp
    std::optional<rejection> first_failing() const;
    std::optional<rejection> first_failing_of_shape() const;
    std::optional<rejection> first_failing_of_facts() const;
    std::optional<rejection> first_failing_of_money() const;
    bool something_unknown() const;
    bool past_budget() const;
    bool past_carbon() const;

    const world& w_;
    const offer& o_;
    const workload_spec& s_;
    fit_of_one fit_;
    place_of_one place_;
    room_of_one room_;
    bool plan_only_too_;
    double delay_ms_ = 0;        // of the start that is judged
    double at_once_ms_ = 0;      // of the first that is lawful
    double dearest_ = infinity;  // of the ε-form
    mutable std::optional<plain_hours> hours_;
    mutable std::optional<run_time> run_;
    mutable std::optional<fates> fates_;  // of a start at once
};

}  // namespace westerly::laws
