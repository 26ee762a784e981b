#include "tests/property/oracle.hpp"

#include "tests/property/oracle_fit.hpp"
#include "tests/property/oracle_hours.hpp"
#include "tests/property/oracle_place.hpp"
#include "tests/property/oracle_run.hpp"

#include <algorithm>
#include <cmath>

namespace westerly::laws {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using amount = std::optional<double>;

bool in(const std::vector<std::string>& list, const std::string& word) {
    return std::count(list.begin(), list.end(), word) > 0;
}

/// Works one offer out from the top, remembering nothing of any other.
class judge_of_one {
public:
    judge_of_one(const world& w, const offer& o, bool plan_only_too)
        : w_(w), o_(o), s_(w.spec), fit_(w, o), place_(w, o), plan_only_too_(plan_only_too) {}

    /// At the start that is best there and costs no more than `dearest`; of equals the earliest.
    judged judgement(double dearest = infinity) {
        dearest_ = dearest;
        at_once_ms_ = delay_ms_ = first_lawful_delay();
        const judged first = at_start();
        judged best = first;
        if (best.why && (!depends_on_start(*best.why) || (hourly() && something_unknown())))
            return best;
        for (const double delay : with_just_met(delays())) {
            delay_ms_ = delay;
            const judged later = at_start();
            const bool meets_limit = best.why && (!later.why || *later.why > *best.why);
            if (meets_limit || (!best.why && !later.why && clearly_less(later.keys, best.keys)))
                best = later;
        }
        at_once_ms_ = delay_ms_ = 0;
        best.first_cost = first.why ? best.cost : first.cost;
        return best;
    }
    bool hourly() const { return o_.price && !o_.schedule.empty() && !owned(); }

private:
    static bool clearly_less(const std::vector<double>& a, const std::vector<double>& b) {
        for (std::size_t k = 0; k < a.size(); ++k)
            if (std::abs(a[k] - b[k]) > 1e-9 * std::abs(b[k]))
                return a[k] < b[k];
        return false;
    }

    bool depends_on_start(rejection why) const {
        return why == rejection::max_carbon || (hourly() && (why == rejection::max_price || why == rejection::budget ||
                                                             why == rejection::too_dear_for_policy));
    }

    judged at_start() {
        judged j;
        j.at = &o_;
        j.why = first_failing();
        if (!j.why && hourly() && cost() > dearest_ * (1 + 1e-12))
            j.why = rejection::too_dear_for_policy;
        if (j.why)
            return j;
        j.cost = cost();
        j.stale = stale(1);
        j.finish_ms = finish_ms();
        j.non_green_kwh = non_green().value_or(infinity);
        j.rtt_ms = waited_for() ? place_.rtt().value_or(infinity) : 0;
        j.keys = keys();
        j.preference = fit_.preference();
        if (w_.rules.within_of_least)
            j.bounded = quantity(w_.rules.within_of_least->term).value();
        return j;
    }

    bool service() const { return s_.kind == workload_kind::service; }
    bool waited_for() const { return service() || s_.interactive; }

    double stated_s() const {
        double s = static_cast<double>(s_.work.runtime_s.value_or(w_.rules.default_runtime_s));
        return s_.when.max_runtime_s ? std::min(s, static_cast<double>(*s_.when.max_runtime_s)) : s;
    }

    const run_time& run() const {
        if (!run_)
            run_ = service() ? run_time{3600, 3600, {}}
                             : run_time_on(w_, o_, static_cast<double>(fit_.cards()), fit_.units_taken(), stated_s());
        return *run_;
    }

    double billed_s() const {
        if (service())
            return 3600;
        const double whole = std::ceil(run().powered_s * (1 - 1e-12));
        return std::max(std::ceil(whole / o_.increment_s) * o_.increment_s, static_cast<double>(o_.minimum_s));
    }

    /// Of the inputs: egress where they lie and staging here.
    double egress() const {
        const auto per_gib = [this](const std::optional<money>& price) {
            return price ? static_cast<double>(price->micros) / 1e6 * to_base_rate(price->unit) : 0;
        };
        double sum = 0;
        for (const auto& in : s_.inputs)
            if (in.region != o_.site.region)
                sum += in.size_gib * (per_gib(in.egress_per_gib) + per_gib(o_.site.staging_per_gib));
        const double stay_h = static_cast<double>(s_.work.runtime_s.value_or(30 * 86'400)) / 3600;
        return service() ? sum / stay_h : sum;
    }

    double to_base_rate(currency c) const { return static_cast<double>(rate_nanos(w_.around.rates, c)) / 1e9; }

    bool owned() const { return o_.mode == billing_mode::reserved && o_.supply.owned; }
    /// What it counts as; of what is owned only what others would give for it.
    std::optional<unit_price> compared() const {
        if (!owned())
            return o_.price;
        return o_.supply.shadow_price.value_or(unit_price{});
    }
    std::optional<unit_price> billed() const {
        if (!owned() || !o_.supply.fee)
            return o_.price;
        const long double hours = o_.supply.fee->term == reservation_term::month ? 720 : 8760;
        const long double nanos = static_cast<long double>(o_.supply.fee->per_unit.micros) * 1000 / hours;
        return unit_price{static_cast<std::int64_t>(std::nearbyintl(nanos)), o_.supply.fee->per_unit.unit};
    }
    double money_of(unit_price price) const {
        return static_cast<double>(price.nanos) / 1e9 * fit_.units() * billed_s() / 3600 * to_base_rate(price.unit);
    }
    double cost() const { return (hourly() ? hourly_cost() : money_of(*compared())) + egress(); }

    std::int64_t start_ms() const { return static_cast<std::int64_t>(finish_ms() - run_ms()); }
    std::int64_t billed_ms() const { return static_cast<std::int64_t>(billed_s()) * 1000; }
    const plain_hours& hours() const {
        if (!hours_)
            hours_.emplace(o_);
        return *hours_;
    }
    /// nanos x ms over what is billed; of a service by the mean of the week.
    wide nano_ms() const { return service() ? hours().mean_hour() : hours().sum(start_ms(), billed_ms()); }
    double hourly_cost() const {
        return static_cast<double>(nano_ms()) / 1e9 / 3.6e6 * fit_.units() * to_base_rate(o_.price->unit);
    }
    std::int64_t highest_price() const {
        return service() ? hours().highest() : hours().highest(start_ms(), billed_ms());
    }
    std::int64_t charge() const {
        if (!hourly())
            return cumulative_micros(billed().value_or(unit_price{}), static_cast<std::uint64_t>(fit_.units()),
                                     milliseconds(billed_ms()));
        return static_cast<std::int64_t>(divide_half_even(nano_ms() * static_cast<wide>(fit_.units()), 3'600'000'000));
    }

    bool stale(double times) const {
        return o_.stale_after_s > 0 && o_.as_of != instant{} &&
               w_.around.now - o_.as_of >= times * std::chrono::duration<double>(o_.stale_after_s);
    }

    double earliest_ms() const {
        const double now = static_cast<double>(w_.around.now.time_since_epoch().count());
        const auto& at = s_.when.earliest_start_at;
        return at ? std::max(now, static_cast<double>(at->time_since_epoch().count())) : now;
    }

    static double at(instant t) { return static_cast<double>(t.time_since_epoch().count()); }
    /// When the provider is asked first; its queue begins then.
    double asked_ms() const {
        return std::max(earliest_ms(), o_.supply.available_from ? at(*o_.supply.available_from) : 0);
    }
    /// Of the start that is judged.
    double launch_ms() const { return asked_ms() + delay_ms_; }
    /// What is put off keeps a minute to dates.
    double spare_ms() const { return delay_ms_ > at_once_ms_ ? 60'000 : 0; }
    double slack_ms() const {
        if (service() || !s_.when.max_delay_s)
            return 0;
        return static_cast<double>(std::min(*s_.when.max_delay_s, w_.rules.max_delay_s)) * 1000;
    }
    /// How much later than at its earliest the run may start.
    double latest_delay() const {
        const double start = finish_ms() - run_ms() - delay_ms_;
        double latest = earliest_ms() + slack_ms() + std::ceil(place_.data_movement_s() * 1000) - start;
        if (s_.when.deadline_at)
            latest = std::min(
                latest, at(*s_.when.deadline_at) - std::ceil(ends().finish_of_share(s_.when.deadline_probability)));
        return latest;
    }
    bool fits() const { return fit_.units() > 0 && !run().why_not; }
    /// Where it does not fit, no start is known, and the launch alone is looked at.
    bool lawful() const {
        if (!o_.accelerators || rules_of(w_).empty())
            return true;
        const double start = fits() ? finish_ms() - run_ms() + spare_ms() : launch_ms();
        return !any_rule_forbids(w_, *o_.accelerators, launch_ms(), start);
    }
    /// Where a rule ends is where a start may become lawful; 0 where none does in time.
    double first_lawful_delay() {
        if (lawful() || slack_ms() == 0)
            return 0;
        const double first = launch_ms(), last = fits() ? latest_delay() : earliest_ms() + slack_ms() - first;
        std::vector<double> ends_of_rules;
        for (const auto& rule : rules_of(w_))
            if (rule.until_at && at(*rule.until_at) > first && at(*rule.until_at) - first <= last)
                ends_of_rules.push_back(at(*rule.until_at) - first);
        std::sort(ends_of_rules.begin(), ends_of_rules.end());
        for (const double delay : ends_of_rules) {
            at_once_ms_ = delay_ms_ = delay;
            if (lawful())
                return delay;
        }
        return 0;
    }

    double finish_ms() const {
        const double before = o_.queue_wait_s * 1000.0 + std::ceil(place_.data_movement_s() * 1000);
        return asked_ms() + before + run_ms() + delay_ms_;
    }

    const fates& ends() const {
        if (fates_)
            return *fates_;
        fates& all = fates_.emplace();
        all.asked = asked_ms();
        all.wait = o_.queue_wait_s * 1000.0;
        all.wait_p90 = o_.queue_wait_p90_s * 1000.0;
        all.moving = std::ceil(place_.data_movement_s() * 1000);
        all.run = run_ms();
        const run_time slow =
            run_time_on(w_, o_, static_cast<double>(fit_.cards()), fit_.units_taken(), stated_s(), true);
        all.run_p90 = std::max(all.run, slow.why_not ? 1e13 : std::ceil(slow.wall_s * (1 - 1e-12)) * 1000);
        if (s_.work.runtime_p90_s && s_.work.runtime_s.value_or(0) > 0)
            all.run_p90 *=
                std::max(1.0, static_cast<double>(*s_.work.runtime_p90_s) / static_cast<double>(*s_.work.runtime_s));
        if (s_.when.max_runtime_s && !s_.work.reference)
            all.run_most = std::max(all.run, static_cast<double>(*s_.when.max_runtime_s) * 1e3);
        return all;
    }

    double run_ms() const { return std::ceil(run().wall_s * (1 - 1e-12)) * 1000; }

    const std::optional<sourced>& own_carbon() const { return o_.site.carbon_g_per_kwh; }
    std::optional<double> green_share() const {
        const auto& told = o_.site.green_power_share;
        return told && told->quality != quality_class::default_value ? std::optional(told->value) : std::nullopt;
    }
    const signal_series* signal() const {
        for (const auto& s : w_.hourly)
            if (s.zone == o_.site.grid_zone && !(own_carbon() && own_carbon()->quality < s.quality))
                return &s;
        return nullptr;
    }

    /// A run, or how long a service is expected to stay: as it says, else 30 days.
    double looked_at_ms() const {
        if (!service())
            return run_ms();
        return std::max(1.0, static_cast<double>(s_.work.runtime_s.value_or(30 * 24 * 3600))) * 1000;
    }

    /// ∫ of the signal over the run in value x ms, and how much of the run it covers.
    std::pair<double, double> over_run() const {
        const double from = finish_ms() - run_ms(), to = from + looked_at_ms();
        std::pair<double, double> sum{0, 0};
        for (const auto& piece : signal()->intervals) {
            const double a = std::max(from, static_cast<double>(piece.start_at.time_since_epoch().count()));
            const double b = std::min(to, static_cast<double>(piece.end_at.time_since_epoch().count()));
            if (b > a)
                sum = {sum.first + piece.value * (b - a), sum.second + (b - a)};
        }
        return sum;
    }

    /// g/kWh over the run: the signal, and the site's own factor where it does not reach.
    amount intensity() const {
        const amount own = own_carbon() ? amount(own_carbon()->value) : amount();
        if (!signal())
            return own;
        const auto [sum, covered] = over_run();
        if (own && looked_at_ms() > 0)
            return (sum + *own * (looked_at_ms() - covered)) / looked_at_ms();
        if (covered > 0)
            return sum / covered;
        if (own)
            return own;
        double all = 0, length = 0;
        for (const auto& piece : signal()->intervals) {
            const auto ms = static_cast<double>((piece.end_at - piece.start_at).count());
            all += piece.value * ms;
            length += ms;
        }
        return all / length;
    }

    bool weighs(std::string_view term) const {
        const auto named = [&](const auto& t) {
            return t.term == term;
        };
        return std::any_of(w_.rules.prices.begin(), w_.rules.prices.end(), named) ||
               std::any_of(order().begin(), order().end(), named);
    }
    bool carbon_weighed() const { return s_.limits.max_carbon_kg || weighs("carbon"); }

    /// The chance to be late is no sum, and what is held near the least is that of one start among equals: there only
    /// the bends count, and where limits and steps are just met.
    bool only_bends() const { return weighs("risk") || (w_.rules.within_of_least && w_.rules.ordered()); }

    /// Whether starts are looked for at which a step of the order is just met.
    bool by_steps() const {
        return w_.rules.ordered() && !weighs("risk") &&
               (hourly() || dated() || s_.limits.max_carbon_kg || order().front().term == "finish");
    }

    bool past_budget() const {
        const auto budget = w_.around.budget_left ? w_.around.budget_left : s_.budget;
        if (!budget)
            return false;
        const unit_price bill = billed().value_or(unit_price{});
        const auto in_base_nanos = [&](money m) {
            return wide{m.micros} * 1000 * rate_nanos(w_.around.rates, m.unit);
        };
        if (in_base_nanos({charge(), bill.unit}) > in_base_nanos(*budget))
            return true;
        const double paid = hourly() ? hourly_cost() : money_of(bill);
        return egress() > 0 &&
               paid + egress() >
                   static_cast<double>(budget->micros) / 1e6 * to_base_rate(budget->unit) * (1 + 1e-12) + 0.5e-6;
    }
    bool past_carbon() const {
        const auto& cap = s_.limits.max_carbon_kg;
        return cap && !(carbon() && *carbon() <= *cap * (1 + 1e-9));
    }

    /// Of a start: for each limit that depends on it whether it is past it, then the order's steps.
    std::vector<double> levels_at(double delay) {
        delay_ms_ = delay;
        std::vector<double> all{past_carbon() ? 1.0 : 0.0};
        if (hourly()) {
            all.push_back(past_budget() ? 1 : 0);
            all.push_back(cost() > dearest_ * (1 + 1e-12) ? 1 : 0);
        }
        if (by_steps())
            for (const auto& k : order())
                if (k.step > 0)
                    all.push_back(std::ceil(quantity(k.term).value_or(0) / k.step * (1 - 1e-9)));
        return all;
    }

    /// Between two starts the last ms, from the better one on, that is as good in one of these.
    double just_met(double a, double b, std::size_t level) {
        const double at_a = levels_at(a)[level], at_b = levels_at(b)[level];
        double as_good = at_a < at_b ? a : b, worse = at_a < at_b ? b : a;
        while (std::abs(worse - as_good) > 1) {
            const double middle = std::floor((as_good + worse) / 2);
            (levels_at(middle)[level] <= std::min(at_a, at_b) ? as_good : worse) = middle;
        }
        return as_good;
    }

    /// Everything is linear between two of the starts that are given, so that what they differ in is halved down to
    /// where it turns.
    std::vector<double> with_just_met(std::vector<double> starts) {
        const bool limited = s_.limits.max_carbon_kg || (hourly() && (s_.budget || w_.around.budget_left)) ||
                             (hourly() && dearest_ < infinity);
        if (starts.empty() || something_unknown() || (!limited && !by_steps()))
            return starts;
        if (starts.front() > at_once_ms_ + 60'000)
            starts.insert(starts.begin(), at_once_ms_ + 60'000);
        const std::size_t count = levels_at(starts.front()).size();
        for (std::size_t level = 0; level < count; ++level) {
            std::vector<double> more;
            for (std::size_t i = 0; i + 1 < starts.size(); ++i)
                if (levels_at(starts[i])[level] != levels_at(starts[i + 1])[level])
                    more.push_back(just_met(starts[i], starts[i + 1], level));
            starts.insert(starts.end(), more.begin(), more.end());
            std::sort(starts.begin(), starts.end());
        }
        return starts;
    }

    bool dated() const { return o_.supply.price_until || !rules_of(w_).empty(); }

    /// Every ten minutes within the slack, and where the run's ends meet an edge of the signal or of the price.
    std::vector<double> delays() const {
        std::vector<double> all;
        const bool by_signal = signal() && carbon_weighed();
        if (service() || !s_.when.max_delay_s || (!by_signal && !hourly()))
            return all;
        const double start = finish_ms() - run_ms() - delay_ms_;
        double latest = latest_delay();
        if (by_signal) {
            const auto& pieces = signal()->intervals;
            latest = std::min(latest, at(pieces.back().end_at) - run_ms() - start);
            if (start < at(pieces.front().start_at))
                return all;
            for (const auto& piece : pieces)
                for (const instant edge : {piece.start_at, piece.end_at})
                    for (const double length : {0.0, run_ms()})
                        all.push_back(at(edge) - length - start);
        }
        const double soonest = at_once_ms_ + 60'000;
        for (double delay = only_bends() && !hourly() && !dated() ? infinity : soonest; delay <= latest;
             delay += only_bends() ? infinity : 600'000)
            all.push_back(delay);
        all.push_back(latest);
        if (s_.when.target_at && at(*s_.when.target_at) > finish_ms())  // where the price of time bends
            all.push_back(std::max(soonest, at(*s_.when.target_at) - finish_ms() + delay_ms_));
        for (const auto& rule : rules_of(w_))
            for (const double edge : {rule.from_at ? at(*rule.from_at) - 60'001 - start : 0,
                                      rule.until_at ? at(*rule.until_at) - (launch_ms() - delay_ms_) : 0})
                all.push_back(edge);
        if (o_.supply.price_until)
            all.push_back(at(*o_.supply.price_until) - 60'001 - (launch_ms() - delay_ms_));
        if (hourly())
            for (const std::int64_t length : {std::int64_t{0}, billed_ms()}) {
                const auto from = static_cast<std::int64_t>(start) + length;
                for (const std::int64_t change : hours().changes(from, static_cast<std::int64_t>(latest)))
                    all.push_back(static_cast<double>(change - from));
            }
        all.erase(
            std::remove_if(all.begin(), all.end(), [&](double delay) { return delay < soonest || delay > latest; }),
            all.end());
        std::sort(all.begin(), all.end());
        return all;
    }

    amount facility_kwh() const {
        if (!o_.max_w)
            return {};
        return *o_.max_w * fit_.units() * (run().powered_s / 3600) / 1000 * (o_.site.pue ? o_.site.pue->value : 1.5);
    }
    amount non_green() const {
        const auto kwh = facility_kwh();
        const double share = green_share().value_or(0);
        return kwh ? amount(*kwh * (1 - share)) : amount();
    }
    amount carbon() const {
        const auto kwh = facility_kwh();
        const auto factor = intensity();
        return kwh && factor ? amount(*kwh * *factor / 1000) : amount();
    }

    amount lost() const {
        if (!run().saves && o_.mode == billing_mode::spot && !o_.supply.hazard.spot_per_h)
            return {};
        if (!service())
            return run().lost;
        return -std::expm1(-hazard_per_h(o_, static_cast<double>(fit_.cards()), fit_.units_taken(), 1));
    }
    double late() const {
        const auto& due = s_.when.deadline_at;
        return due && !service() ? ends().late(static_cast<double>(due->time_since_epoch().count()) - delay_ms_) : 0;
    }

    bool latency_weighed() const { return waited_for() && s_.limits.origin_stated(); }

    amount quantity(const std::string& term) const {
        const double hours = std::ceil(run().wall_s * (1 - 1e-12)) / 3600;
        if (term == "latency") {
            const auto ms = place_.rtt();
            return !latency_weighed() ? amount(0) : ms ? amount(*ms * s_.tasks * hours) : amount();
        }
        if (term == "rtt")
            return latency_weighed() ? place_.rtt_p95() : amount(0);
        if (term == "green_power" || term == "non_green_energy")
            return non_green();
        if (term == "carbon")
            return carbon();
        if (term == "time" && s_.when.target_at && !service())
            return std::max(0.0, finish_ms() - static_cast<double>(s_.when.target_at->time_since_epoch().count())) /
                   3.6e6;
        if (term == "time")
            return service() ? 0 : (finish_ms() - earliest_ms()) / 3.6e6;
        if (term == "data_movement")
            return place_.data_movement_s();
        if (term == "finish")
            return (finish_ms() - earliest_ms()) / 3.6e6;
        if (term == "risk")
            return lost() ? amount(late() + *lost() - late() * *lost()) : amount();
        return cost();
    }

    const std::vector<ordered_key>& order() const {
        return service() ? w_.rules.order_service : s_.interactive ? w_.rules.order_interactive : w_.rules.order_batch;
    }

    bool something_unknown() const {
        for (const auto& p : w_.rules.prices)
            if (!quantity(p.term))
                return true;
        for (const auto& k : order())
            if (k.term != "cost" && !quantity(k.term))
                return true;
        if (w_.rules.within_of_least && !quantity(w_.rules.within_of_least->term))
            return true;
        return false;
    }

    std::vector<double> keys() const {
        if (!w_.rules.order_batch.empty()) {
            std::vector<double> all;
            for (const auto& k : order())
                all.push_back(k.step > 0 ? std::ceil(*quantity(k.term) / k.step * (1 - 1e-9)) : *quantity(k.term));
            return all;
        }
        double j = cost();
        const auto& an_hour = s_.when.value_of_time;
        for (const auto& p : w_.rules.prices)
            if (p.term != "time" || !an_hour)
                j += p.per_unit * *quantity(p.term);
        if (an_hour)
            j += static_cast<double>(an_hour->nanos) / 1e9 * *quantity("time");
        return {j};
    }

    /// What its seller ever has, or its host where that is less.
    double units_in_all() const {
        double least =
            o_.units_free ? static_cast<double>(*o_.units_free) + static_cast<double>(o_.units_ours) : infinity;
        if (o_.supply.host.empty())
            return least;
        double host_parts = 0;
        for (const auto& o : w_.offers)
            if (o_.launchable ? sells_of_same_host(o) : o.id == o_.id)
                host_parts = std::max(host_parts, static_cast<double>(o.supply.host_units.value_or(0) * size_of(o)));
        return host_parts > 0 ? std::min(least, std::floor(host_parts / static_cast<double>(size_of(o_)))) : least;
    }
    bool sells_of_same_host(const offer& o) const {
        return o.supply.host == o_.supply.host && o.launchable && o_.launchable &&
               o.accelerators.has_value() == o_.accelerators.has_value() &&
               (o.accelerators ? o.accelerators->model == o_.accelerators->model : o.architecture == o_.architecture);
    }
    double free_units() const {
        double ours = 0;
        for (const auto& [id, n] : w_.live)
            if (id == o_.id)
                ours = static_cast<double>(n);  // the last word counts
        return std::min(std::max(0.0, units_in_all() - ours), static_cast<double>(at_host()));
    }

    static std::uint64_t size_of(const offer& o) { return o.accelerators ? o.accelerators->count : o.vcpus; }
    /// What the host has left for this offer, from the top: everything that anybody sells of it.
    std::uint64_t at_host() const {
        constexpr std::uint64_t plenty = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t stated = 0, most = 0, held_by_all = 0, held_by_others = 0;
        bool several = false, no_limit = false;
        for (const auto& o : w_.offers) {
            if (o_.supply.host.empty() || !sells_of_same_host(o))
                continue;
            several |= o.provider != o_.provider;
            no_limit |= !o.units_free;
            stated = std::max(stated, o.supply.host_units.value_or(0) * size_of(o));
            most = std::max(most, (o.units_free.value_or(0) + o.units_ours) * size_of(o));
            std::uint64_t held = 0;
            for (const auto& [id, n] : w_.live)
                if (id == o.id)
                    held = n * size_of(o);
            held_by_all += held;
            held_by_others += o.provider != o_.provider ? held : 0;
        }
        if (stated > 0)
            return (stated - std::min(stated, held_by_all)) / size_of(o_);
        if (!several || no_limit)
            return plenty;
        return (most - std::min(most, held_by_others)) / size_of(o_);
    }

    std::optional<rejection> first_failing() const {
        const constraints& l = s_.limits;
        if ((!l.providers_allow.empty() && !in(l.providers_allow, o_.provider)) || in(l.providers_deny, o_.provider))
            return rejection::provider_denied;
        for (const auto& b : w_.blocked)
            if (b.provider == o_.provider)
                return rejection::provider_unhealthy;
        if (!o_.launchable && !plan_only_too_)
            return rejection::plan_only;
        if (o_.mode == billing_mode::reserved && !o_.supply.owned)
            return rejection::not_purchased;
        if (s_.tasks > 1 && !o_.runs_gangs)
            return rejection::not_supported;
        if (!l.regions.empty() && !in(l.regions, o_.site.region))
            return rejection::region;
        if (!l.jurisdictions.empty() && !in(l.jurisdictions, o_.site.jurisdiction))
            return rejection::jurisdiction;
        const std::vector<std::string> nothing_stated{"public"};
        if (s_.data_class != "" &&
            !in(o_.site.data_classes.empty() ? nothing_stated : o_.site.data_classes, s_.data_class))
            return rejection::data_class;
        for (const auto& licence : s_.licences)
            if (!in(o_.site.licences, licence))
                return rejection::licence;
        return first_failing_of_shape();
    }

    std::optional<rejection> first_failing_of_shape() const {
        if (o_.compute != s_.compute)
            return rejection::compute_class;
        if (!s_.resources.architecture.empty() && s_.resources.architecture != o_.architecture)
            return rejection::architecture;
        if (std::none_of(s_.variants.begin(), s_.variants.end(), [&](const auto& v) { return in(o_.stacks, v.stack); }))
            return rejection::stack;
        if (std::none_of(s_.variants.begin(), s_.variants.end(),
                         [&](const auto& v) { return in(o_.stacks, v.stack) && fit_.has_version(v); }))
            return rejection::stack_version;
        if (!fit_.any_card_fits())
            return rejection::accelerator;
        if (!fit_.precise())
            return rejection::precision;
        if (!lawful())
            return rejection::compliance;
        const double n = fit_.units();
        if (n == 0)
            return rejection::task_shape;
        if (run().why_not)
            return run().why_not;
        if (launch_ms() - delay_ms_ > earliest_ms() + slack_ms())
            return rejection::available_later;
        const double kept = waited_for() ? 0 : static_cast<double>(o_.supply.latency_headroom);
        if (units_in_all() < n + kept)
            return rejection::capacity_never;
        if (free_units() < n + kept)
            return rejection::capacity_now;
        return first_failing_of_facts();
    }

    std::optional<rejection> first_failing_of_facts() const {
        const constraints& l = s_.limits;
        const auto ms = place_.rtt_p95();
        if (l.max_rtt_ms && ms && *ms > *l.max_rtt_ms)
            return rejection::rtt;
        if (l.max_rtt_ms && !ms)
            return rejection::rtt_unknown;
        for (const auto& cap : {l.max_pue, w_.rules.max_pue})
            if (cap && (!o_.site.pue || o_.site.pue->value > *cap))
                return rejection::pue;
        for (const auto& floor : {l.min_green_power_share, w_.rules.min_green_power_share})
            if (floor && !(green_share() >= *floor))
                return rejection::green_power_share;
        return first_failing_of_money();
    }

    std::optional<rejection> first_failing_of_money() const {
        if (!compared())
            return rejection::price_missing;
        if (const auto& until = o_.supply.price_until;
            until && (w_.around.now >= *until || launch_ms() + spare_ms() >= at(*until)))
            return rejection::quote_expired;
        if (o_.launchable && stale(10))
            return rejection::offer_stale;
        const unit_price bill = billed().value_or(unit_price{});
        const auto in_base_nanos = [&](money m) {
            return wide{m.micros} * 1000 * rate_nanos(w_.around.rates, m.unit);
        };
        const wide an_hour = wide{hourly() ? highest_price() : bill.nanos} * static_cast<wide>(fit_.units()) *
                             rate_nanos(w_.around.rates, bill.unit);
        if (const auto& cap = s_.limits.max_price_per_hour; cap && an_hour > in_base_nanos(*cap))
            return rejection::max_price;
        if (past_budget())
            return rejection::budget;
        const auto& due = s_.when.deadline_at;
        if (due && !service() &&
            !ends().in_time(static_cast<double>(due->time_since_epoch().count()) - delay_ms_,
                            s_.when.deadline_probability))
            return rejection::deadline;
        if (past_carbon())
            return rejection::max_carbon;
        if (something_unknown())
            return rejection::quantity_unknown;
        return std::nullopt;
    }

    const world& w_;
    const offer& o_;
    const workload_spec& s_;
    fit_of_one fit_;
    place_of_one place_;
    bool plan_only_too_;
    double delay_ms_ = 0;        // of the start that is judged
    double at_once_ms_ = 0;      // of the first that is lawful
    double dearest_ = infinity;  // of the ε-form
    mutable std::optional<plain_hours> hours_;
    mutable std::optional<run_time> run_;
    mutable std::optional<fates> fates_;  // of a start at once
};

bool before(const judged* a, const judged* b) {
    const auto rest = [](const judged* j) {
        return std::make_tuple(!j->at->launchable, j->stale, j->finish_ms, j->non_green_kwh, j->rtt_ms, j->preference,
                               j->at->id);
    };
    return a->keys != b->keys ? a->keys < b->keys : rest(a) < rest(b);
}

/// The ε-form: nothing dearer than so much over the cheapest that may be launched, or over the cheapest at all.
void drop_too_dear(const world& w, bool plan_only_too, std::vector<judged>& all) {
    if (!w.rules.within_of_cheapest)
        return;
    for (const bool launchable : {true, false}) {
        double least = infinity;
        for (const auto& j : all)
            if (!j.why && (j.at->launchable || !launchable))
                least = std::min(least, j.first_cost);
        if (least == infinity)
            continue;
        const double dearest = least * (1 + *w.rules.within_of_cheapest) * (1 + 1e-9);
        for (auto& j : all) {
            judge_of_one again(w, *j.at, plan_only_too);
            if (!j.why && again.hourly())
                j = again.judgement(dearest);  // another start may be within it
            else if (!j.why && j.cost > dearest * (1 + 1e-12))
                j.why = rejection::too_dear_for_policy;
        }
        return;
    }
}

/// The reverse: nothing with so much more than the least, of those that may be launched where there are any.
void drop_far_from_least(const world& w, std::vector<judged>& all) {
    if (!w.rules.within_of_least)
        return;
    for (const bool launchable : {true, false}) {
        double least = infinity;
        for (const auto& j : all)
            if (!j.why && (j.at->launchable || !launchable))
                least = std::min(least, j.bounded);
        if (least == infinity)
            continue;
        for (auto& j : all)
            if (!j.why && j.bounded > least * (1 + w.rules.within_of_least->within) * (1 + 1e-9))
                j.why = rejection::too_far_from_least;
        return;
    }
}

}  // namespace

judgement judge(const world& w, bool plan_only_too) {
    judgement made;
    for (const auto& o : w.offers)
        made.all.push_back(judge_of_one(w, o, plan_only_too).judgement());
    std::sort(made.all.begin(), made.all.end(), [](const auto& a, const auto& b) { return a.at->id < b.at->id; });
    drop_too_dear(w, plan_only_too, made.all);
    drop_far_from_least(w, made.all);
    for (const auto& j : made.all)
        if (!j.why)
            made.ranked.push_back(&j);
    std::sort(made.ranked.begin(), made.ranked.end(), before);
    return made;
}

double gap(const judged& a, const judged& b) {
    for (std::size_t k = 0; k < a.keys.size(); ++k)
        if (a.keys[k] != b.keys[k])
            return std::abs(a.keys[k] - b.keys[k]) / std::max({1.0, std::abs(a.keys[k]), std::abs(b.keys[k])});
    return 0;
}

}  // namespace westerly::laws
