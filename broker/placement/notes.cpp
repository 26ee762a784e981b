#include "broker/domain/energy.hpp"
#include "broker/domain/explain.hpp"
#include "broker/domain/wording.hpp"
#include "broker/placement/compare.hpp"

#include <cmath>

namespace westerly {
namespace {

using sentences = std::vector<std::string>;

std::string step_in_words(double step) {
    std::string text = fixed(step, 3);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
        text.pop_back();
    return text;
}

std::string policy_in_words(const comparison& by) {
    if (by.rule.parts.empty())
        return "Ranked by cost alone.";
    std::vector<std::string> words;
    for (const auto& part : by.rule.parts) {
        if (!part.applies)
            continue;
        std::string word(part.what->name);
        if (by.rule.ordered && part.factor > 0)
            word += " in steps of " + step_in_words(part.factor) + " " + std::string(part.what->unit);
        else if (!by.rule.ordered)
            word += " at " + in_words(part.factor, by.world.rates.base) + " per " + std::string(part.what->unit);
        words.push_back(std::move(word));
    }
    if (by.rule.ordered) {
        std::string text = "Ranked by ";
        for (std::size_t i = 0; i < words.size(); ++i)
            text += (i > 0 ? ", then " : "") + words[i];
        return text + ".";
    }
    return words.empty() ? "Ranked by cost alone." : "Ranked by cost plus " + joined(words) + ".";
}

void on_request(const comparison& by, sentences& into) {
    const request_view& request = by.want.request;
    into.push_back(policy_in_words(by));
    if (!by.rules.overridden.empty())
        into.push_back(by.rules.overridden);
    if (by.spec.kind == workload_kind::service)
        into.push_back("A service has no end: costs, energy and carbon are per hour.");
    if (request.runtime_assumed)
        into.push_back("No runtime was stated: " + std::to_string(request.runtime_s) + " s were assumed.");
    if (by.spec.work.reference && !known_in(by.world).find(by.spec.work.reference->model))
        into.push_back("The reference \"" + by.spec.work.reference->model +
                       "\" is not in the broker's table of accelerators (schema/facts/accelerators.json), so no speed "
                       "can be told: name one that is, or give runtime_s alone.");
    if (request.waits_at_it && !request.origin_known)
        into.push_back("No origin was stated (constraints.origin or constraints.origins), so latency was not weighed.");
}

void on_missing_terms(const comparison& by, sentences& into) {
    const auto check = [&](const std::string& name) {
        if (!find_term(by.terms, name))
            into.push_back("The policy names the term \"" + name + "\", which this broker does not have.");
    };
    for (const auto& price : by.rules.prices)
        check(price.term);
    for (const auto& key : order_of(by.rules, by.spec))
        check(key.term);
}

void on_winner(const comparison& by, const decision& made, sentences& into) {
    const appraisal* won = winner_of(made);
    if (!won)
        return;
    const auto index = by.book.find(won->offer);
    const site_facts& site = by.book.at(*index).site;
    if (!won->energy_kwh)
        into.push_back("The power draw of " + won->offer + " is not known, so its energy and carbon are not either.");
    else if (!won->pue)
        into.push_back("The PUE of " + won->site + " is not known: " + fixed(default_pue, 1) + " was assumed.");
    if (won->energy_kwh && !won->green_power_share)
        into.push_back("The green-power share of " + won->site + " is not known: none was counted.");
    if (won->data_movement_s > 0 && !site.ingress_gbps)
        into.push_back("The ingress of " + won->site + " is not known: " + fixed(default_ingress_gbps, 0) +
                       " Gbit/s was assumed for moving the inputs.");
    if (const offer& on = by.book.at(*index); on.mode == billing_mode::spot && !on.supply.hazard.spot_per_h)
        into.push_back("How often " + won->offer + " is taken back is not known: no such interruption was counted.");
    if (!won->launchable)
        into.push_back("Only catalogue offers fit: " + won->offer + " is plan-only and cannot be launched.");
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

void on_green_and_carbon(const decision& made, sentences& into) {
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
        into.push_back("Green is not low-carbon here: " + greener->offer + " takes less non-green energy than " +
                       cleaner->offer + " (" + fixed(*greener->non_green_kwh, 4) + " against " +
                       fixed(*cleaner->non_green_kwh, 4) + " kWh) but emits more by the location-based number (" +
                       fixed(*greener->carbon_kg, 4) + " against " + fixed(*cleaner->carbon_kg, 4) + " kg CO2e).");
}

/// What the winner's carbon rests on, and what its start waits for.
void on_start(const comparison& by, const decision& made, sentences& into) {
    if (made.put_off)
        into.push_back(made.put_off->why);
    const appraisal* won = winner_of(made);
    if (!won || !won->carbon_kg || !by.want.starts.active())
        return;
    const auto index = static_cast<std::uint32_t>(*by.book.find(won->offer));
    const site_view& site = by.want.sites[by.book.cols().site[index]];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[index]];
    const zone_signal* told = by.want.starts.site_at(number_of(by.want, site)).carbon;
    if (!told)
        return;
    const start_option start = start_of(by.want, site, shape);
    const std::int64_t run = (won->finish_at - won->start_at).count();
    const std::int64_t covered = by.want.starts.covered_ms(number_of(by.want, site), shape.start_run, start.delay_ms);
    std::string text =
        "The carbon of " + won->site + " is by " + told->source + " (" + std::string(in_words(told->quality)) + ")";
    if (covered < run)
        text += ", which covers " + fixed(100.0 * static_cast<double>(covered) / static_cast<double>(run), 0) +
                " % of the run; for the rest the site's own factor was taken, flat";
    into.push_back(text + ".");
}

void on_limits(const comparison& by, const decision& made, sentences& into) {
    if (by.rules.within_of_cheapest && made.baseline)
        into.push_back("Only offers within " + fixed(*by.rules.within_of_cheapest * 100, 0) + " % over the cheapest (" +
                       in_words(made.baseline->cost_base, by.world.rates.base) + ", " + made.baseline->offer +
                       ") were ranked.");
}

}  // namespace

std::vector<std::string> notes_on(const comparison& by, const decision& made) {
    sentences notes;
    on_request(by, notes);
    on_missing_terms(by, notes);
    on_limits(by, made, notes);
    on_winner(by, made, notes);
    on_start(by, made, notes);
    on_green_and_carbon(made, notes);
    return notes;
}

}  // namespace westerly
