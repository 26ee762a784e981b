#include "tests/property/oracle_offer.hpp"

#include <algorithm>

namespace westerly::laws {

judged judge_of_one::judgement(double dearest) {
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

bool judge_of_one::clearly_less(const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t k = 0; k < a.size(); ++k)
        if (std::abs(a[k] - b[k]) > 1e-9 * std::abs(b[k]))
            return a[k] < b[k];
    return false;
}

bool judge_of_one::depends_on_start(rejection why) const {
    return why == rejection::max_carbon || (hourly() && (why == rejection::max_price || why == rejection::budget ||
                                                         why == rejection::too_dear_for_policy));
}

judged judge_of_one::at_start() {
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

double judge_of_one::earliest_ms() const {
    const double now = static_cast<double>(w_.around.now.time_since_epoch().count());
    const auto& at = s_.when.earliest_start_at;
    return at ? std::max(now, static_cast<double>(at->time_since_epoch().count())) : now;
}

double judge_of_one::slack_ms() const {
    if (service() || !s_.when.max_delay_s)
        return 0;
    return static_cast<double>(std::min(*s_.when.max_delay_s, w_.rules.max_delay_s)) * 1000;
}

double judge_of_one::latest_delay() const {
    const double start = finish_ms() - run_ms() - delay_ms_;
    double latest = earliest_ms() + slack_ms() + brought_ms() - start;
    if (s_.when.deadline_at)
        latest = std::min(latest,
                          at(*s_.when.deadline_at) - std::ceil(ends().finish_of_share(s_.when.deadline_probability)));
    return latest;
}

bool judge_of_one::lawful() const {
    if (rules_of(w_).empty())
        return true;
    const double start = fits() ? finish_ms() - run_ms() + spare_ms() : launch_ms();
    return !any_rule_forbids(w_, o_, launch_ms(), start);
}

double judge_of_one::first_lawful_delay() {
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

bool judge_of_one::by_steps() const {
    return w_.rules.ordered() && !weighs("risk") &&
           (hourly() || dated() || s_.limits.max_carbon_kg || order().front().term == "finish");
}

std::vector<double> judge_of_one::levels_at(double delay) {
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

double judge_of_one::just_met(double a, double b, std::size_t level) {
    const double at_a = levels_at(a)[level], at_b = levels_at(b)[level];
    double as_good = at_a < at_b ? a : b, worse = at_a < at_b ? b : a;
    while (std::abs(worse - as_good) > 1) {
        const double middle = std::floor((as_good + worse) / 2);
        (levels_at(middle)[level] <= std::min(at_a, at_b) ? as_good : worse) = middle;
    }
    return as_good;
}

std::vector<double> judge_of_one::with_just_met(std::vector<double> starts) {
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

std::vector<double> judge_of_one::delays() const {
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
            const auto from = static_cast<std::int64_t>(start) - (start_ms() - billed_from_ms()) + length;
            for (const std::int64_t change : hours().changes(from, static_cast<std::int64_t>(latest)))
                all.push_back(static_cast<double>(change - from));
        }
    all.erase(std::remove_if(all.begin(), all.end(), [&](double delay) { return delay < soonest || delay > latest; }),
              all.end());
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace westerly::laws
