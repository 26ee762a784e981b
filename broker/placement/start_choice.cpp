// Which of its options a run starts at.
#include "broker/placement/start_span.hpp"
#include "broker/placement/start_table.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr double ms_per_hour = 3'600'000.0;

}  // namespace

facility_energy start_table::energy_at(const start_option& o, const site& of, double it_kwh) noexcept {
    return facility_of(it_kwh,
                       {.pue = of.pue, .green_power_share = o.green_share, .carbon_g_per_kwh = o.carbon_g_per_kwh});
}

start_option start_table::best(std::size_t site_number, std::uint16_t run, double it_kwh) const {
    const entry& in = entry_of(site_number, run);
    if (in.last - in.first == 1 || !(it_kwh > 0))
        return options_[in.first];
    const site& of = sites_[site_number];
    // Risk bends as it likes, and hours past a target not where the hull has its corners.
    if (rule_.max_carbon_kg || runs_[run].risk.grows() || rule_.counts_past_target())
        return best_of_all(in, of, runs_[run], it_kwh);
    if (rule_.ordered)
        return best_in_order(in, of, runs_[run], it_kwh);
    const auto begin = corners_.begin() + in.corner_first, end = corners_.begin() + in.corner_last;
    const auto past = std::partition_point(begin + 1, end, [&](const corner& c) { return c.from_kwh < it_kwh; });
    return options_[std::prev(past)->option];
}

/// With one quantity that varies, and before the finish: the earliest start whose step is the least one.
start_option start_table::best_in_order(const entry& in, const site& of, const run& run, double it_kwh) const {
    using enum start_rule::quantity;
    const bool carbon_varies = of.carbon && of.carbon->varies && rule_.weighs(carbon);
    const bool green_varies = of.green && of.green->varies && rule_.weighs(non_green);
    const auto first = std::ranges::find_if(rule_.keys, [&](const start_rule::key& k) {
        return k.of == finish || (k.of == carbon && carbon_varies) || (k.of == non_green && green_varies);
    });
    if (carbon_varies == green_varies || first == rule_.keys.end() || first->of == finish)
        return best_of_all(in, of, run, it_kwh);
    const auto key_of = [&](const corner& c) {
        const facility_energy used = energy_at(options_[c.option], of, it_kwh);
        return in_steps(first->of == carbon ? used.carbon_kg : used.non_green_kwh, first->step);
    };
    const auto begin = corners_.begin() + in.corner_first, end = corners_.begin() + in.corner_last;
    const double least = key_of(*std::prev(end));
    const auto found = std::partition_point(begin, end, [&](const corner& c) { return key_of(c) > least; });
    return options_[found->option];
}

/// Of carbon over the limit; 0 where there is none.
double start_table::excess_kg(const start_option& o, const site& of, double it_kwh) const noexcept {
    return rule_.max_carbon_kg ? energy_at(o, of, it_kwh).carbon_kg - *rule_.max_carbon_kg : 0.0;
}

double start_table::quantity(start_rule::quantity what, const start_option& o, const site& of, const run& run,
                             double it_kwh) const noexcept {
    using enum start_rule::quantity;
    const std::int64_t finish_ms = run.start_ms + of.data_movement_ms + run.run_ms + o.delay_ms;
    return what == carbon      ? energy_at(o, of, it_kwh).carbon_kg
           : what == non_green ? energy_at(o, of, it_kwh).non_green_kwh
           : what == risk      ? o.risk
                               : static_cast<double>(finish_ms - rule_.earliest_ms) / ms_per_hour;
}

start_table::start_keys start_table::keys_of(const start_option& o, const site& of, const run& run,
                                             double it_kwh) const noexcept {
    start_keys all{};
    all[0] = excess_kg(o, of, it_kwh) <= 0 ? 0 : 1;
    if (rule_.ordered) {
        for (std::size_t k = 0; k < rule_.keys.size() && k + 1 < all.size(); ++k)
            all[k + 1] = in_steps(quantity(rule_.keys[k].of, o, of, run, it_kwh), rule_.keys[k].step);
        return all;
    }
    const facility_energy used = energy_at(o, of, it_kwh);
    const std::int64_t first_finish_ms = run.start_ms + of.data_movement_ms + run.run_ms;
    const double counted = rule_.target_ms ? rule_.hours_until(first_finish_ms + o.delay_ms)
                                           : static_cast<double>(o.delay_ms) / ms_per_hour;
    all[1] = rule_.per_hour * counted + (rule_.per_kg > 0 ? rule_.per_kg * used.carbon_kg : 0.0) +
             (rule_.per_non_green_kwh > 0 ? rule_.per_non_green_kwh * used.non_green_kwh : 0.0) +
             rule_.per_risk * o.risk;
    return all;
}

bool start_table::may_be_between(const start_keys& a, const start_keys& b) const noexcept {
    if (a[0] != b[0])
        return true;
    if (!rule_.ordered || a[0] != 0 || weighs_risk())
        return false;
    for (std::size_t k = 0; k < rule_.keys.size() && k + 1 < a.size(); ++k)
        if (rule_.keys[k].step > 0 && a[k + 1] != b[k + 1])
            return true;
    return false;
}

/// Where the limit or a step is just met.
template <class Visit>
void start_table::visit_between(const start_option& before, const start_option& after, const site& of, const run& run,
                                double it_kwh, const Visit& visit) const {
    const start_span between{std::max(before.delay_ms, start_delay_least_ms - 1), after.delay_ms};
    start_span kept{std::max(before.delay_ms, start_delay_least_ms), after.delay_ms};
    if (kept.first_ms >= kept.last_ms)
        return;
    const auto over = [&](std::int64_t delay_ms) {
        return excess_kg(option_at(of, run, delay_ms), of, it_kwh);
    };
    if (!keep_within(kept, over))
        return;
    if (rule_.ordered && !weighs_risk())
        kept.first_ms = kept.last_ms =
            least_in_order(kept, rule_.keys, [&](const start_rule::key& key, std::int64_t delay_ms) {
                return quantity(key.of, option_at(of, run, delay_ms), of, run, it_kwh);
            });
    visit_inside(kept, between, [&](std::int64_t delay_ms) { visit(option_at(of, run, delay_ms)); });
}

/// The plain way: every start by what the policy compares, the earliest of equals; those within a carbon limit first.
start_option start_table::best_of_all(const entry& in, const site& of, const run& run, double it_kwh) const {
    start_option best = options_[in.first];
    start_keys least = keys_of(best, of, run, it_kwh), before = least;
    const auto clearly_less = [](const start_keys& a, const start_keys& b) {
        for (std::size_t k = 0; k < a.size(); ++k)
            if (std::abs(a[k] - b[k]) > start_gain_least * std::abs(b[k]))
                return a[k] < b[k];
        return false;
    };
    const auto look_at = [&](const start_option& o, const start_keys& keys) {
        if (!clearly_less(keys, least))
            return;
        best = o;
        least = keys;
    };
    for (std::uint32_t i = in.first + 1; i < in.last; ++i) {
        const start_keys here = keys_of(options_[i], of, run, it_kwh);
        if (may_be_between(before, here))
            visit_between(options_[i - 1], options_[i], of, run, it_kwh,
                          [&](const start_option& o) { look_at(o, keys_of(o, of, run, it_kwh)); });
        look_at(options_[i], here);
        before = here;
    }
    return best;
}

void start_table::add_just_met(std::size_t site_number, std::uint16_t run_number, double it_kwh,
                               std::vector<start_option>& into) const {
    static thread_local std::vector<start_option> found;
    if (!rule_.max_carbon_kg || into.size() < 2)
        return;
    const site& of = sites_[site_number];
    const run& run = runs_[run_number];
    found.assign(1, into.front());
    for (std::size_t i = 1; i < into.size(); ++i) {
        if ((excess_kg(into[i - 1], of, it_kwh) <= 0) != (excess_kg(into[i], of, it_kwh) <= 0))
            visit_between(into[i - 1], into[i], of, run, it_kwh, [&](const start_option& o) { found.push_back(o); });
        found.push_back(into[i]);
    }
    into = found;
}

}  // namespace westerly
