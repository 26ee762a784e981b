// How starts come into a decision, and how it tells of them.
#include "broker/domain/explain.hpp"
#include "broker/domain/wording.hpp"
#include "broker/placement/compare.hpp"
#include "broker/placement/rounding.hpp"
#include "broker/placement/start_time.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

std::int64_t ms_of(instant at) noexcept {
    return at.time_since_epoch().count();
}

/// `with_cost`: of offers whose cost depends on the start.
start_rule rule_of(const policy& policy, term_table terms, const workload_spec& spec, std::int64_t earliest_ms,
                   bool with_cost) {
    start_rule rule;
    rule.earliest_ms = earliest_ms;
    rule.ordered = policy.ordered();
    if (const auto& most = spec.limits.max_carbon_kg)
        rule.max_carbon_kg = *most * (1 + rounding);
    if (spec.when.target_at)
        rule.target_ms = ms_of(*spec.when.target_at);
    const auto counts = [&](const std::string& name) {
        const term* known = find_term(terms, name);
        if (with_cost && name == "cost")
            return std::optional(start_rule::quantity::cost);
        return known && known->applies(spec) ? start_quantity_of(name) : std::nullopt;
    };
    if (rule.ordered) {
        for (const auto& key : order_of(policy, spec))
            if (const auto what = counts(key.term))
                rule.keys.push_back({*what, key.step});
        return rule;
    }
    for (const auto& price : policy.prices) {
        const auto what = counts(price.term);
        if (what == start_rule::quantity::carbon)
            rule.per_kg += price.per_unit;
        else if (what == start_rule::quantity::non_green)
            rule.per_non_green_kwh += price.per_unit;
        else if (what == start_rule::quantity::finish)
            rule.per_hour += price.per_unit;
        else if (what == start_rule::quantity::risk)
            rule.per_risk += price.per_unit;
    }
    return rule;
}

/// nullptr: none, or the site's own factor is of a better class.
const zone_signal* carbon_of(const offer_book& book, const offer_book::site_row& row, const signal_book& signals) {
    const zone_signal* told = signals.find(signal_kind::carbon_intensity, book.names().name(row.grid_zone));
    const bool better = told && (std::isnan(row.carbon_g_per_kwh) || told->quality <= row.carbon_quality);
    return better ? told : nullptr;
}

/// Green power is a site's, by its contracts, and not a grid's: its series name PROVIDER/SITE.
const zone_signal* green_of(const offer_book& book, const offer_book::site_row& row, const signal_book& signals) {
    if (!signals.has(signal_kind::green_power_share))
        return nullptr;
    const auto& names = book.names();
    return signals.find(signal_kind::green_power_share,
                        std::string(names.name(row.provider)) + "/" + std::string(names.name(row.site)));
}

std::string signal_in_words(const zone_signal& of) {
    return of.source + (of.issued_at ? ", issued " + format_rfc3339(*of.issued_at) : "");
}

/// Which starts are tried depends on whether `what` has a price, and not on how high it is.
start_rule with_price_of(std::optional<start_rule::quantity> what, start_rule rule) {
    if (what == start_rule::quantity::carbon)
        rule.per_kg = 1;
    else if (what == start_rule::quantity::non_green)
        rule.per_non_green_kwh = 1;
    else if (what == start_rule::quantity::finish && rule.target_ms)
        rule.per_hour = 1;
    return rule;
}

}  // namespace

std::optional<std::int64_t> slack_until(const policy& policy, const workload_spec& spec, const decision_world& world) {
    if (spec.kind != workload_kind::batch || !spec.when.max_delay_s || world.progress)
        return std::nullopt;
    constexpr std::uint64_t century_s = 100ull * 366 * 86'400;
    const auto after = [&](instant from, std::uint64_t s) {
        return from + seconds(static_cast<std::int64_t>(std::min(s, century_s)));
    };
    const instant asked = world.asked_at.value_or(world.now);
    const instant from = std::max(asked, spec.when.earliest_start_at.value_or(asked));
    instant until = after(from, std::min(*spec.when.max_delay_s, policy.max_delay_s));
    if (spec.when.max_wait_s)
        until = std::min(until, after(from, *spec.when.max_wait_s));
    return ms_of(until);
}

void find_priced_starts(const offer_book& book, const demand& want, std::optional<start_rule::quantity> besides,
                        std::uint32_t index, priced_starts& into) {
    const site_view& site = want.sites[book.cols().site[index]];
    const shape_view& shape = want.shapes[book.cols().shape[index]];
    into.at.clear();
    into.cost_base.clear();
    if (shape.alone) {
        static thread_local std::vector<hourly_choice> choices;
        const double flat = shape.hourly ? 0 : cost_of(book, want, index);
        find_hourly_options(want, site, shape, with_price_of(besides, want.hourly.rule), choices);
        for (const hourly_choice& each : choices) {
            into.at.push_back(each.start);
            into.cost_base.push_back(shape.hourly ? each.cost_base : flat);
        }
        return;
    }
    if (want.starts.waits()) {
        want.starts.find_options(number_of(want, site), shape.start_run, with_price_of(besides, want.starts.rule()),
                                 into.at);
        want.starts.add_just_met(number_of(want, site), shape.start_run, shape.it_kwh, into.at);
    } else {
        into.at.push_back(start_of(want, site, shape));
    }
    if (const auto& cap = want.request.max_carbon_kg)
        std::erase_if(into.at, [&](const start_option& o) { return !(facility_at(site, shape, o).carbon_kg <= *cap); });
    into.cost_base.assign(into.at.size(), cost_of(book, want, index));
}

double carbon_known_at(const offer_book& book, const offer_book::site_row& row, const decision_world& world) noexcept {
    if (!std::isnan(row.carbon_g_per_kwh) || !world.signals)
        return row.carbon_g_per_kwh;
    const zone_signal* told = carbon_of(book, row, *world.signals);
    return told ? mean_with_fallback(told->curve, ms_of(world.now), 1, row.carbon_g_per_kwh) : row.carbon_g_per_kwh;
}

void resolve_starts(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                    const decision_world& world, demand& into) {
    start_table& starts = into.starts;
    starts.end();
    into.hourly.forget();
    if (into.request.slack_until_ms || book.prices_by_hour())
        into.hourly.rule = rule_of(policy, terms, spec, into.request.earliest_ms, true);
    if (!world.signals || world.signals->empty())
        return;
    starts.begin(rule_of(policy, terms, spec, into.request.earliest_ms, false), into.request.slack_until_ms,
                 into.request.deadline_ms);
    starts.sites().resize(into.sites.size());
    for (std::size_t i = 0; i < into.sites.size(); ++i) {
        const auto& row = book.sites()[i];
        const site_view& view = into.sites[i];
        starts.sites()[i] = {.carbon = carbon_of(book, row, *world.signals),
                             .green = green_of(book, row, *world.signals),
                             .annual_carbon = row.carbon_g_per_kwh,
                             .annual_share = row.green_share,
                             .pue = view.pue,
                             .data_movement_ms = view.data_movement_ms,
                             .counts = view.code == passes};
    }
    number_runs(into);
}

void number_runs(demand& into) {
    into.hourly.forget();
    if (!into.starts.active())
        return;
    into.starts.forget_runs();
    for (std::size_t i = 0; i < into.shapes.size(); ++i) {
        shape_view& shape = into.shapes[i];
        const run_risk& risk = into.runs[i].risk;
        const bool unknown = std::isnan(risk.lost);  // its starts are still held against limits, which come first
        if (shape.code != passes && !(unknown && shape.code == static_cast<std::uint8_t>(rejection::quantity_unknown)))
            continue;
        const bool counts = into.starts.weighs_risk() && risk.grows() && !unknown;
        const std::int64_t length = into.request.stay_ms > 0 ? into.request.stay_ms : shape.run_ms;
        shape.start_run =
            into.starts.number_of({shape.start_ms, length, into.aside[i].late_ms, counts ? risk : run_risk{}});
    }
    into.starts.ready();
}

namespace {

/// The mean price of a unit at the start that was chosen, and at once.
note note_on_prices(const comparison& by, const site_view& site, const shape_view& shape, const chosen_start& put) {
    const auto mean = [&](instant at) {
        return static_cast<double>(hourly_price_over(by.want, site, shape, ms_of(at)).mean) / 1e9;
    };
    const std::size_t number = static_cast<std::size_t>(&shape - by.want.shapes.data());
    const double rate = static_cast<double>(rate_nanos(by.world.rates, by.book.shapes()[number].unit)) / 1e9;
    return {note_kind::put_off_price, {}, {mean(put.start_at) * rate, mean(put.at_once_at) * rate}};
}

/// What dates put the start off for, whatever it costs.
std::vector<note> notes_on_dates(const comparison& by, std::uint32_t winner) {
    const std::uint32_t number = by.book.cols().shape[winner];
    const shape_view& shape = by.want.shapes[number];
    const std::int64_t launch_ms = earliest_launch(by.book.shapes()[number], by.want.request);
    std::vector<note> all;
    const auto told = [&](note_kind kind, std::int64_t ms) {
        all.push_back({kind, {by.book.at(winner).id, format_rfc3339(instant(milliseconds(ms)))}, {}});
    };
    if (launch_ms > by.want.request.earliest_ms)
        told(note_kind::put_off_available, launch_ms);
    if (shape.dated)
        if (const auto delay = lawful_delay(by.want, by.want.sites[by.book.cols().site[winner]], shape); delay > 0)
            told(note_kind::put_off_forbidden, launch_ms + *delay);
    return all;
}

/// Whether the power of a start can be why it is chosen.
bool power_counts(const comparison& by) {
    const auto reads_power = [](const term& what) {
        return (what.reads & (reads_energy | reads_carbon)) != 0;
    };
    return by.want.request.max_carbon_kg || (by.rule.bounded && reads_power(*by.rule.bounded)) ||
           std::ranges::any_of(by.rule.parts, [&](const ranking_rule::part& part) {
               return part.applies && (by.rule.ordered || part.factor > 0) && reads_power(*part.what);
           });
}

}  // namespace

bool tells_wait_on_baseline(const note& told) noexcept {
    return told.kind == note_kind::put_off_on_baseline || told.kind == note_kind::put_off_cheaper_too ||
           told.kind == note_kind::put_off_costs_less;
}

std::optional<note> wait_on_baseline(const appraisal& baseline, const appraisal& then, bool by_price) {
    const double more = then.cost_base - baseline.cost_base;
    const bool known = baseline.carbon_kg && then.carbon_kg;
    if (!by_price && known && *then.carbon_kg < *baseline.carbon_kg)
        return note{more < 0 ? note_kind::put_off_cheaper_too : note_kind::put_off_on_baseline,
                    {baseline.offer},
                    {*baseline.carbon_kg - *then.carbon_kg, std::abs(more)}};
    if (more < 0)
        return note{note_kind::put_off_costs_less, {baseline.offer}, {-more}};
    return std::nullopt;
}

std::vector<note> notes_on_wait(const comparison& by, const decision& made, std::uint32_t winner,
                                const chosen_start& put) {
    const site_view& site = by.want.sites[by.book.cols().site[winner]];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[winner]];
    const std::size_t number = number_of(by.want, site);
    const std::vector<std::string> when_and_where{format_rfc3339(put.launch_at), by.book.at(winner).site.site};
    const appraisal then = appraise(by, winner);
    const auto gained = [](const std::optional<double>& saved, const std::optional<double>& left) {
        return saved.value_or(0) > start_gain_least * left.value_or(0);
    };
    const bool cleaner = power_counts(by) && (gained(put.carbon_saved_kg, then.carbon_kg) ||
                                              gained(put.non_green_saved_kwh, then.non_green_kwh));
    std::vector<note> all = notes_on_dates(by, winner);
    const start_option at_once = start_of(by.want, site, shape, true);
    if (put.start_at == put.at_once_at)
        return all;
    if (cleaner)
        all.push_back({note_kind::put_off, when_and_where, {}});
    std::optional<note> prices;
    if (shape.hourly)
        prices = note_on_prices(by, site, shape, put);
    const bool cheaper = prices && prices->figures[0] < prices->figures[1];
    if (cheaper) {
        prices->words = when_and_where;
        all.push_back(*prices);
    }
    if (!cleaner && !cheaper)
        all.push_back({note_kind::put_off_best, when_and_where, {}});
    const zone_signal* carbon = by.want.starts.active() ? by.want.starts.site_at(number).carbon : nullptr;
    if (carbon && carbon->varies)
        all.push_back({note_kind::put_off_intensity,
                       {signal_in_words(*carbon)},
                       {start_of(by.want, site, shape).carbon_g_per_kwh, at_once.carbon_g_per_kwh}});
    const auto tell = [&](note_kind saves, note_kind adds, const std::optional<double>& saved, double left) {
        if (saved && std::abs(*saved) > start_gain_least * std::abs(left))
            all.push_back({*saved > 0 ? saves : adds, {}, {std::abs(*saved)}});
    };
    tell(note_kind::put_off_saves_carbon, note_kind::put_off_adds_carbon, put.carbon_saved_kg,
         then.carbon_kg.value_or(0));
    tell(note_kind::put_off_saves_energy, note_kind::put_off_adds_energy, put.non_green_saved_kwh,
         then.non_green_kwh.value_or(0));
    if (!by.rule.ordered)
        tell(note_kind::put_off_saves_money, note_kind::put_off_adds_money, put.saved_base, then.j);
    if (made.baseline)
        if (auto told = wait_on_baseline(*made.baseline, then, shape.hourly && !cleaner))
            all.push_back(std::move(*told));
    return all;
}

std::optional<chosen_start> put_off(const comparison& by, const decision& made, std::uint32_t winner) {
    const site_view& site = by.want.sites[by.book.cols().site[winner]];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[winner]];
    const std::int64_t launch_ms = earliest_launch(by.book.shapes()[by.book.cols().shape[winner]], by.want.request);
    if (start_of(by.want, site, shape).delay_ms == 0 && launch_ms == by.want.request.earliest_ms)
        return std::nullopt;
    const appraisal then = appraise(by, winner), at_once = appraise(by, winner, true);
    const auto queue_wait = seconds(by.book.at(winner).queue_wait_s);
    chosen_start put;
    put.start_at = then.start_at;
    put.at_once_at = at_once.start_at;
    put.launch_at = std::max(by.world.now, then.start_at - milliseconds(site.data_movement_ms) - queue_wait);
    const auto saved = [](const std::optional<double>& first, const std::optional<double>& later) {
        return first && later ? std::optional(*first - *later) : std::nullopt;
    };
    put.carbon_saved_kg = saved(at_once.carbon_kg, then.carbon_kg);
    put.non_green_saved_kwh = saved(at_once.non_green_kwh, then.non_green_kwh);
    put.saved_base = at_once.j - then.j;

    std::string sentences;
    for (const note& told : notes_on_wait(by, made, winner, put))
        sentences += (sentences.empty() ? "" : " ") + in_words(told, by.world.rates.base, language::en);
    put.why = std::move(sentences);
    return put;
}

}  // namespace westerly
