#include "broker/domain/energy.hpp"
#include "broker/domain/explain.hpp"
#include "broker/domain/freshness.hpp"
#include "broker/domain/owned.hpp"
#include "broker/domain/wording.hpp"
#include "broker/placement/bill.hpp"
#include "broker/placement/compare.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

using notes = std::vector<note>;

double hours(milliseconds time) {
    return std::chrono::duration<double, std::ratio<3600>>(time).count();
}

note ranked_by(const comparison& by) {
    note told{by.rule.ordered ? note_kind::ranked_in_order : note_kind::ranked_by_sum, {}, {}};
    for (const auto& part : by.rule.parts) {
        if (!part.applies && !by.rule.ordered)  // a key that does not apply keeps its place: it is 0 for all
            continue;
        told.words.insert(told.words.end(), {std::string(part.what->name), std::string(part.what->unit)});
        told.figures.push_back(part.factor);
    }
    return told.figures.empty() ? note{note_kind::ranked_by_cost, {}, {}} : told;
}

void on_request(const comparison& by, notes& into) {
    const request_view& request = by.want.request;
    into.push_back(ranked_by(by));
    if (!by.rules.overridden.empty())
        into.push_back({note_kind::policy_overridden, by.rules.overridden, {}});
    if (by.spec.when.value_of_time && !by.rules.ordered())
        into.push_back({note_kind::value_of_time, {}, {static_cast<double>(by.spec.when.value_of_time->nanos) / 1e9}});
    if (by.spec.kind == workload_kind::service)
        into.push_back({note_kind::costs_per_hour, {}, {}});
    if (request.runtime_assumed)
        into.push_back({note_kind::runtime_assumed, {}, {static_cast<double>(request.runtime_s)}});
    const auto &stated = by.spec.work.runtime_s, &limit = by.spec.when.max_runtime_s;
    if (by.spec.kind == workload_kind::batch && !by.spec.work.reference && stated && limit)
        if (const double whole_s = expect_run(static_cast<double>(*stated), 0, by.spec.checkpoint, 0).billed_s;
            whole_s > static_cast<double>(*limit))
            into.push_back({note_kind::runtime_limited, {}, {whole_s, static_cast<double>(*limit)}});
    if (by.spec.work.reference && !known_in(by.world).find(by.spec.work.reference->model))
        into.push_back({note_kind::reference_unknown, {by.spec.work.reference->model}, {}});
    if (request.waits_at_it && !request.origin_known)
        into.push_back({note_kind::origin_missing, {}, {}});
    const timing& when = by.spec.when;
    if (request.deadline_ms && *when.deadline_at <= by.world.now)
        into.push_back({note_kind::deadline_passed, {format_rfc3339(*when.deadline_at)}, {}});
    note idle{note_kind::of_batch_only, {}, {}};
    if (by.spec.kind == workload_kind::service && when.target_at)
        idle.words.push_back("timing.target_at");
    if (by.spec.kind == workload_kind::service && when.max_delay_s)
        idle.words.push_back("timing.max_delay_s");
    if (!idle.words.empty())
        into.push_back(std::move(idle));
}

/// Whether an offer's site is there, or has an RTT to there. By what the offers are now, as a replay sees them too.
bool offered_in(const offer_book& book, std::uint32_t region) {
    return region != name_table::absent && std::ranges::any_of(book.runs(), [&](const offer_book::site_run& run) {
               const auto& site = book.sites()[run.site];
               return site.region == region ||
                      std::ranges::any_of(site.declared_rtt_ms, [&](const auto& d) { return d.first == region; }) ||
                      std::ranges::any_of(site.measured, [&](const auto& m) { return m.region == region; });
           });
}

/// Names that nobody knows: they may be misspelt, and ask for what cannot be had.
void on_regions(const comparison& by, notes& into) {
    const auto check = [&](const std::string& region, const auto& where) {
        if (region.empty() || knows_region(by.world.regions, region) ||
            offered_in(by.book, by.book.names().find(region)))
            return;
        nearest_region meant(region);
        for (const region_place& fact : by.world.regions)
            meant.look_at(fact.region);
        for (const auto& run : by.book.runs())
            meant.look_at(by.book.at(run.begin).site.region);
        note told{note_kind::region_unknown, {region, where()}, {}};
        if (!meant.found().empty()) {
            told.kind = note_kind::region_misspelt;
            told.words.push_back(meant.found());
        }
        into.push_back(std::move(told));
    };
    const auto in_list = [](const char* list, std::size_t index, const char* member) {
        return [=] {
            return list + std::to_string(index) + member;
        };
    };
    const constraints& limits = by.spec.limits;
    for (std::size_t i = 0; i < limits.regions.size(); ++i)
        check(limits.regions[i], in_list("/constraints/regions/", i, ""));
    if (limits.from && !limits.from->latitude_longitude)
        check(limits.from->region, [] { return std::string("/constraints/origin/region"); });
    for (std::size_t i = 0; i < limits.origins.size(); ++i)
        if (!limits.origins[i].from.latitude_longitude)
            check(limits.origins[i].from.region, in_list("/constraints/origins/", i, "/region"));
    for (std::size_t i = 0; i < by.spec.inputs.size(); ++i)
        check(by.spec.inputs[i].region, in_list("/data/inputs/", i, "/region"));
    if (by.spec.checkpoint)
        check(by.spec.checkpoint->region, [] { return std::string("/checkpoint/region"); });
}

void on_missing_terms(const comparison& by, notes& into) {
    const auto check = [&](const std::string& name) {
        if (!find_term(by.terms, name))
            into.push_back({note_kind::term_missing, {name}, {}});
    };
    for (const auto& price : by.rules.prices)
        check(price.term);
    for (const auto& key : order_of(by.rules, by.spec))
        check(key.term);
}

void on_failed_terms(const comparison& by, notes& into) {
    for (const foreign_view& each : by.want.foreign)
        if (!each.failure.empty())
            into.push_back({each.ignored_on_failure ? note_kind::term_ignored : note_kind::term_failed,
                            {std::string(each.what->name), std::string(each.failure)},
                            {}});
}

/// What the winner, the runner-up and the baseline bring once; their costs hold an hour's part of it.
void on_inputs_of_service(double stay_h, const decision& made, notes& into) {
    const appraisal *won = winner_of(made), *second = runner_up_of(made);
    const appraisal* const base = made.baseline ? &*made.baseline : nullptr;
    if (won->egress_base > 0)
        into.push_back({note_kind::brought_along, {}, {won->egress_base * stay_h, stay_h}});
    const auto beside = [&](const appraisal& a) {
        if (a.egress_base > 0)
            into.push_back({note_kind::brought_beside, {a.offer}, {a.egress_base * stay_h}});
    };
    if (second)
        beside(*second);
    if (base && base->offer != won->offer && (!second || base->offer != second->offer))
        beside(*base);
}

void on_winner(const comparison& by, const decision& made, notes& into) {
    const appraisal* won = winner_of(made);
    if (!won)
        return;
    const auto index = by.book.find(won->offer);
    const site_facts& site = by.book.at(*index).site;
    if (by.world.progress && by.world.progress->work_left < 1)
        into.push_back({note_kind::work_left, {}, {by.world.progress->work_left}});
    if (!won->energy_kwh)
        into.push_back({note_kind::power_unknown, {won->offer}, {}});
    else if (!won->pue)
        into.push_back({note_kind::pue_assumed, {won->site}, {default_pue}});
    if (won->energy_kwh && !won->green_power_share)
        into.push_back({note_kind::green_share_unknown, {won->site}, {}});
    if (won->data_movement_s > 0 && !site.ingress_gbps)
        into.push_back({note_kind::ingress_assumed, {won->site}, {default_ingress_gbps}});
    if (by.spec.kind == workload_kind::service)
        on_inputs_of_service(service_stay_h(by.spec), made, into);
    if (const offer& on = by.book.at(*index); on.mode == billing_mode::spot && !on.supply.hazard.spot_per_h)
        into.push_back({note_kind::spot_hazard_unknown, {won->offer}, {}});
    if (const offer& on = by.book.at(*index);
        by.spec.resources.architecture.empty() && on.architecture != default_architecture)
        into.push_back({note_kind::architecture_any, {won->offer, on.architecture}, {}});
    if (won->run && by.book.at(*index).accelerators)
        for (const measured_speed& one : by.world.measured)
            if (one.shown.runs > 0 && known_in(by.world).means(one.model, *by.book.at(*index).accelerators))
                into.push_back({note_kind::speed_measured, {one.model}, {static_cast<double>(one.shown.runs)}});
    if (!won->launchable)
        into.push_back({note_kind::only_catalogue, {won->offer}, {}});
}

/// When the oldest of what was measured of the winner's RTT was, and the oldest that counts no more.
void on_measured_rtt(const comparison& by, const decision& made, notes& into) {
    const appraisal* won = winner_of(made);
    if (!won || !by.want.request.waits_at_it)
        return;
    const std::size_t index = *by.book.find(won->offer);
    const site_facts& site = by.book.at(index).site;
    if (site.rtt_measured.empty())
        return;
    const auto& row = by.book.sites()[by.book.cols().site[index]];
    const measured_rtt *counted = nullptr, *old = nullptr;
    told_rtt instead;
    for (const origin_view& from : origins_of(by.book, by.spec, by.world)) {
        const auto seen = std::ranges::find_if(
            site.rtt_measured, [&](const measured_rtt& m) { return by.book.names().find(m.region) == from.region; });
        if (from.region == name_table::absent || seen == site.rtt_measured.end() || by.world.now < counts_from(*seen))
            continue;
        const bool counts = by.world.now <= counts_until(*seen, site);
        const measured_rtt*& oldest = counts ? counted : old;
        if (oldest && oldest->measured_at <= seen->measured_at)
            continue;
        oldest = &*seen;
        if (!counts)
            instead = rtt_between(from, row, by.world.now);
    }
    if (counted)
        into.push_back({note_kind::rtt_measured,
                        {won->site, counted->region, format_rfc3339(counted->measured_at)},
                        {counted->ms, static_cast<double>(counted->samples)}});
    if (old)
        into.push_back({note_kind::rtt_measured_old,
                        {won->site, old->region, in_words(instead.source, instead.ms)},
                        {hours(by.world.now - old->measured_at), hours(seconds(std::int64_t{site.rtt_max_age_s}))}});
}

/// Where hours count past the workload's target, whether the winner meets it.
void on_target(const comparison& by, const decision& made, notes& into) {
    const appraisal* won = winner_of(made);
    const auto& target = by.spec.when.target_at;
    const auto counts = [](const ranking_rule::part& part) {
        return part.applies && part.what->name == "time";
    };
    if (!won || !target || by.spec.kind == workload_kind::service)
        return;
    if (std::ranges::none_of(by.rule.parts, counts)) {
        into.push_back({note_kind::target_unpriced, {format_rfc3339(*target)}, {}});
        return;
    }
    const std::vector<std::string> words{format_rfc3339(*target), format_rfc3339(won->finish_at)};
    if (won->finish_at <= *target)
        into.push_back({note_kind::target_met, words, {}});
    else
        into.push_back({note_kind::target_missed, words, {hours(won->finish_at - *target)}});
}

/// The chance that the policy weighs, in its two parts.
void on_risk(const comparison& by, const decision& made, notes& into) {
    const appraisal* won = winner_of(made);
    if (!won || std::ranges::none_of(by.rule.parts, [](const auto& part) { return part.what->reads & reads_risk; }))
        return;
    const std::size_t index = *by.book.find(won->offer);
    const site_view& site = by.want.sites[by.book.cols().site[index]];
    const std::uint32_t number = by.book.cols().shape[index];
    const shape_view& shape = by.want.shapes[number];
    const std::int64_t delay_ms = start_of(by.want, site, shape).delay_ms;
    into.push_back({note_kind::risk_weighed,
                    {},
                    {risk_at(by.want, site, shape, delay_ms), late_at(by.want, site, shape, delay_ms),
                     by.want.runs[number].risk.lost}});
}

/// How far the winner's own word can be trusted, and what its money is.
void on_terms(const comparison& by, const decision& made, notes& into) {
    const appraisal* won = winner_of(made);
    if (!won)
        return;
    const offer& on = by.book.at(*by.book.find(won->offer));
    if (stale_from(on) <= by.world.now)
        into.push_back({note_kind::offer_stale,
                        {on.id},
                        {hours(by.world.now - on.as_of), hours(seconds(std::int64_t{on.stale_after_s}))}});
    if (on.supply.price_until)
        into.push_back({note_kind::quote_until, {on.id, format_rfc3339(*on.supply.price_until)}, {}});
    if (is_owned(on)) {
        const unit_price billed = billed_price(on).value_or(unit_price{});
        const double rate = static_cast<double>(rate_nanos(by.world.rates, won->price.unit)) / 1e18;
        into.push_back({note_kind::owned_reservation,
                        {on.id, in_words(static_cast<double>(billed.nanos) / 1e9, billed.unit)},
                        {static_cast<double>(won->price.nanos) * rate}});
    }
    const auto index = static_cast<std::uint32_t>(*by.book.find(won->offer));
    const site_view& site = by.want.sites[by.book.cols().site[index]];
    if (const auto paid_ms = billed_before_ms(site, by.want.shapes[by.book.cols().shape[index]]); paid_ms > 0)
        into.push_back({note_kind::billed_while_brought, {on.id}, {hours(milliseconds(paid_ms))}});
    if (!won->odds)
        return;
    if (nearly_all_end(*won))
        into.push_back({note_kind::finish_spread, {format_rfc3339(won->odds->p90_at)}, {}});
    else
        into.push_back({note_kind::finish_never, {}, {}});
    if (won->odds->by_deadline && by.spec.when.deadline_at)
        into.push_back({note_kind::finish_in_time,
                        {format_rfc3339(*by.spec.when.deadline_at)},
                        {*won->odds->by_deadline, by.spec.when.deadline_probability}});
}

/// Less energy that is not green, and yet more carbon: the grid behind it is dirtier.
bool greener_but_emits_more(const appraisal& a, const appraisal& b) {
    return a.non_green_kwh && b.non_green_kwh && a.carbon_kg && b.carbon_kg &&
           *a.non_green_kwh<*b.non_green_kwh&& * a.carbon_kg> * b.carbon_kg;
}

/// Of the ranked ones and the baseline, the one of least carbon that `greener` outdoes in green power only.
const appraisal* cleaner_than(const decision& made, const appraisal& greener) {
    const appraisal* least = nullptr;
    const auto look_at = [&](const appraisal& other) {
        if (greener_but_emits_more(greener, other) && (!least || *other.carbon_kg < *least->carbon_kg))
            least = &other;
    };
    for (const auto& other : made.ranked)
        look_at(other);
    if (made.baseline)
        look_at(*made.baseline);
    return least;
}

void on_green_and_carbon(const decision& made, notes& into) {
    const appraisal* greener = winner_of(made);
    if (!greener)
        return;
    const appraisal* cleaner = cleaner_than(made, *greener);
    if (!cleaner) {
        for (const auto& a : made.ranked)
            if (a.non_green_kwh && (!greener->non_green_kwh || *a.non_green_kwh < *greener->non_green_kwh))
                greener = &a;
        cleaner = cleaner_than(made, *greener);
    }
    if (cleaner)
        into.push_back({note_kind::green_not_low_carbon,
                        {greener->offer, cleaner->offer},
                        {*greener->non_green_kwh, *cleaner->non_green_kwh, *greener->carbon_kg, *cleaner->carbon_kg}});
}

/// What counts as carbon where a source covers so much of a run, and the rest by the site's own factor if there is one.
note_kind carbon_by(std::int64_t covered_ms, std::int64_t run_ms, bool own_factor) {
    if (covered_ms >= run_ms)
        return note_kind::carbon_source;
    if (covered_ms == 0)
        return own_factor ? note_kind::carbon_own_factor : note_kind::carbon_source_besides;
    return own_factor ? note_kind::carbon_source_partly : note_kind::carbon_source_of_part;
}

/// What the winner's carbon rests on, and what its start waits for.
void on_start(const comparison& by, const decision& made, notes& into) {
    const appraisal* won = winner_of(made);
    if (!won)
        return;
    const auto index = static_cast<std::uint32_t>(*by.book.find(won->offer));
    const site_view& site = by.want.sites[by.book.cols().site[index]];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[index]];
    if (shape.hourly)
        into.push_back(note_on_hours(won->offer,
                                     hourly_price_over(by.want, site, shape, won->start_at.time_since_epoch().count()),
                                     won->price.unit, by.world.rates));
    if (made.put_off)
        for (note& told : notes_on_wait(by, made, index, *made.put_off))
            into.push_back(std::move(told));
    if (!won->carbon_kg || !by.want.starts.active())
        return;
    const start_table::site& known = by.want.starts.site_at(number_of(by.want, site));
    const zone_signal* told = known.carbon;
    if (!told)
        return;
    const start_option start = start_of(by.want, site, shape);
    const std::int64_t stay = by.want.request.stay_ms, run = stay > 0 ? stay : (won->finish_at - won->start_at).count();
    const std::int64_t covered = by.want.starts.covered_ms(number_of(by.want, site), shape.start_run, start.delay_ms);
    note source{carbon_by(covered, run, !std::isnan(known.annual_carbon)),
                {won->site, told->source, std::string(in_words(told->quality))},
                {}};
    if (covered > 0 && covered < run)
        source.figures.push_back(static_cast<double>(covered) / static_cast<double>(run));
    into.push_back(std::move(source));
}

void on_limits(const comparison& by, const decision& made, notes& into) {
    if (by.rules.within_of_cheapest && made.baseline)
        into.push_back({note_kind::within_of_cheapest,
                        {made.baseline->offer},
                        {*by.rules.within_of_cheapest, made.baseline->cost_base}});
}

}  // namespace

std::vector<note> notes_on(const comparison& by, const decision& made) {
    notes all;
    on_request(by, all);
    on_regions(by, all);
    on_missing_terms(by, all);
    on_failed_terms(by, all);
    on_limits(by, made, all);
    on_winner(by, made, all);
    on_measured_rtt(by, made, all);
    on_terms(by, made, all);
    on_risk(by, made, all);
    on_target(by, made, all);
    on_start(by, made, all);
    on_green_and_carbon(made, all);
    advise(by, made, all);
    return all;
}

}  // namespace westerly
