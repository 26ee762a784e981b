#include "tests/property/oracle_offer.hpp"

#include <algorithm>

namespace westerly::laws {
namespace {

bool in(const std::vector<std::string>& list, const std::string& word) {
    return std::count(list.begin(), list.end(), word) > 0;
}

}  // namespace

bool judge_of_one::past_budget() const {
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

bool judge_of_one::past_carbon() const {
    const auto& cap = s_.limits.max_carbon_kg;
    return cap && !(carbon() && *carbon() <= *cap * (1 + 1e-9));
}

bool judge_of_one::something_unknown() const {
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

std::optional<rejection> judge_of_one::first_failing() const {
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
    if (s_.data_class != "" && !in(o_.site.data_classes.empty() ? nothing_stated : o_.site.data_classes, s_.data_class))
        return rejection::data_class;
    for (const auto& licence : s_.licences)
        if (!in(o_.site.licences, licence))
            return rejection::licence;
    return first_failing_of_shape();
}

std::optional<rejection> judge_of_one::first_failing_of_shape() const {
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
    if (room_.in_all() < n + kept)
        return rejection::capacity_never;
    if (room_.free() < n + kept)
        return rejection::capacity_now;
    return first_failing_of_facts();
}

std::optional<rejection> judge_of_one::first_failing_of_facts() const {
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

std::optional<rejection> judge_of_one::first_failing_of_money() const {
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
        !ends().in_time(static_cast<double>(due->time_since_epoch().count()) - delay_ms_, s_.when.deadline_probability))
        return rejection::deadline;
    if (past_carbon())
        return rejection::max_carbon;
    if (something_unknown())
        return rejection::quantity_unknown;
    return std::nullopt;
}

}  // namespace westerly::laws
