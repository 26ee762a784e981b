// Explanations in English.
#include "broker/domain/phrases.hpp"

namespace westerly {
namespace {

constexpr phrases::row<phrase> said[] = {
    {phrase::no_offer, "No offer is feasible now under policy {1}, of {2} considered."},
    {phrase::chosen, "Policy {1} chooses {2}: {3}."},
    {phrase::plan_only, "{1} (plan-only)"},
    {phrase::term_counts, "Its {1} counts as {2}."},
    {phrase::plan_only_before, "Ranked before it but plan-only: {1}, {2}."},
    {phrase::runner_up, "Runner-up is {1}: {2}; {3}"},
    {phrase::dearer_by, "all counted, it is {1} dearer."},
    {phrase::loses_on_key, "it loses on key {1} of the order."},
    {phrase::loses_on_tie, "it loses on a tie only."},
    {phrase::is_cheapest, "It is also the cheapest feasible offer."},
    {phrase::against_cheapest, "Against the cheapest feasible offer, {1} at {2}, it costs {3} more{4}."},
    {phrase::avoids, " and avoids {1} {2} ({3} each)"},
    {phrase::causes, " and causes {1} {2} more"},
    {phrase::pareto,
     "No other ranked offer beats these in every respect (money, latency, carbon, green share, finish): {1}."},
    {phrase::switch_at, "{1} is {2} and would win from {3} per {4}."},
    {phrase::rejected, "{1} of {2} offers were rejected: {3}."},
    {phrase::rejected_for, "{1} {2} ({3})"},
    {phrase::cost_of_run, "{1} for {2} over {3} s billed"},
    {phrase::one_unit, "1 unit"},
    {phrase::units, "{1} units"},
    {phrase::with_egress, "with egress and staging of the inputs {1} in all"},
    {phrase::with_what_is_brought, "with egress ({2}) and staging ({3}) of the inputs {1} in all"},
    {phrase::run, "{1} at {2} of the reference ({3}) and {4} % efficiency, worth {5}"},
    {phrase::one_card, "1 card"},
    {phrase::cards, "{1} cards"},
    {phrase::speed_range, "{1} to {2}, {3}"},
    {phrase::interruptions, "{1} interruptions expected"},
    {phrase::hazard_assumed, "{1} interruptions expected (hardware hazard assumed)"},
    {phrase::rtt, "RTT {1} ms ({2})"},
    {phrase::green_power, "green power {1} %"},
    {phrase::green_power_unknown, "green power not known"},
    {phrase::energy, "energy {1} kWh"},
    {phrase::energy_unknown, "energy not known"},
    {phrase::carbon, "carbon {1} gCO2e (location-based)"},
    {phrase::carbon_unknown, "carbon not known"},
    {phrase::carbon_market_residual, "{1} gCO2e (market-based, the rest by the residual mix)"},
    {phrase::carbon_market_grid, "{1} gCO2e (market-based, the rest as the grid: no residual mix is known)"},
    {phrase::finish, "finish {1}"},
    {phrase::spread_none, "No spread keeps all limits (max_sites: {1})."},
    {phrase::spread_not_ranked, "The replicas are not spread: the policy ranks nothing now."},
    {phrase::spread_library,
     "The replicas are not spread: the policy weighs a term of a library, which is told of whole "
     "services only."},
    {phrase::spread_in_one, "Near their users, all replicas go to one site:"},
    {phrase::spread_over, "Near their users, the replicas go to {1} sites, of at most {2}:"},
    {phrase::spread_part, "- {1}: {2} of the replicas for {3} an hour, serving {4}."},
    {phrase::spread_serves, "{1} ({2} % of the demand, RTT {3} ms, {4})"},
    {phrase::spread_sums, "In all {1} an hour; the RTT is {2} ms in the mean, and {3} ms for 95 % of the demand."},
    {phrase::spread_term, "The {1} of all demand counts as {2} an hour."},
    {phrase::spread_alone, "All in one place, {1} would be best, at {2} an hour and {3} ms: all counted, {4} dearer."},
    {phrase::spread_alone_in_order, "All in one place, {1} would be best, at {2} an hour and {3} ms."},
    {phrase::spread_alone_never, "No single offer keeps all limits with all replicas."},
    {phrase::spread_every_set, "All sets of {1} offers were compared, of {2} that fit (looks: {3})."},
    {phrase::spread_search, "A local search over {1} offers, of {2} that fit, found this in {3} looks."},
    {phrase::spread_bound, "No set of these offers comes to less than {1} an hour, all counted; this one to {2}."},
    {phrase::between_facts, ", "},
    {phrase::between, ", "},
    {phrase::before_last, " and "},
    {phrase::between_keys, ", then "},
    {phrase::non_green_kwh, "non-green kWh"},
    {phrase::carbon_kg, "kg CO2e"},
    {phrase::priced_term, "{1} at {2} per {3}"},
    {phrase::stepped_term, "{1} in steps of {2} {3}"},
};
static_assert(complete(said));

constexpr phrases::row<note_kind> notes[] = {
    {note_kind::sentence, "{1}"},
    {note_kind::ranked_by_cost, "Ranked by cost alone."},
    {note_kind::ranked_by_sum, "Ranked by cost plus {1}."},
    {note_kind::ranked_in_order, "Ranked by {1}."},
    {note_kind::costs_per_hour, "A service has no end: costs, energy and carbon are per hour."},
    {note_kind::runtime_assumed, "No runtime was stated: {1} s were assumed."},
    {note_kind::reference_unknown,
     "The reference \"{1}\" is not in the broker's table of accelerators (schema/facts/accelerators.json), so no speed "
     "can be told: name one that is, or give runtime_s alone."},
    {note_kind::origin_missing,
     "No origin was stated (constraints.origin or constraints.origins), so latency was not weighed."},
    {note_kind::term_missing, "The policy names the term \"{1}\", which this broker does not have."},
    {note_kind::within_of_cheapest, "Only offers within {2} % over the cheapest ({3}, {1}) were ranked."},
    {note_kind::power_unknown, "The power draw of {1} is not known, so its energy and carbon are not either."},
    {note_kind::pue_assumed, "The PUE of {1} is not known: {2} was assumed."},
    {note_kind::green_share_unknown, "The green-power share of {1} is not known: none was counted."},
    {note_kind::ingress_assumed, "The ingress of {1} is not known: {2} Gbit/s was assumed for moving the inputs."},
    {note_kind::only_catalogue, "Only catalogue offers fit: {1} is plan-only and cannot be launched."},
    {note_kind::green_not_low_carbon,
     "Green is not low-carbon here: {1} takes less non-green energy than {2} ({3} against {4} kWh) but emits more by "
     "the location-based number ({5} against {6} kg CO2e)."},
    {note_kind::not_robust, "Not robust: within the ranges of the cards' speeds {1} would win."},
    {note_kind::spot_hazard_unknown, "How often {1} is taken back is not known: no such interruption was counted."},
    {note_kind::gang_chosen,
     "A gang of {1} was chosen, of {2} to {3} that the workload allows ({4} sizes were tried)."},
    {note_kind::policy_forced, "The operator's files force the policy \"{1}\" in place of \"{2}\"."},
    {note_kind::policy_by_default, "No policy was named: this workload's is \"{1}\"."},
    {note_kind::policy_overridden, "The workload overrides its policy: {1}."},
    {note_kind::carbon_source, "The carbon of {1} is by {2} ({3})."},
    {note_kind::carbon_source_partly,
     "The carbon of {1} is by {2} ({3}), which covers {4} % of the run; for the rest the site's own factor was taken, "
     "flat."},
    {note_kind::put_off, "Waits until {1} because the power of {2} is better then."},
    {note_kind::put_off_intensity, "Over the run it has {2} g CO2e/kWh, against {3} when started at once, by {1}."},
    {note_kind::put_off_saves_carbon, "The wait saves {1} kg CO2e against starting there at once."},
    {note_kind::put_off_saves_energy, "The wait saves {1} kWh that are not green against starting there at once."},
    {note_kind::put_off_saves_money, "As the policy prices it, the wait saves {1}."},
    {note_kind::put_off_on_baseline,
     "Against the cheapest feasible offer started at once ({1}) it emits {2} kg CO2e less, for {3} more."},
    {note_kind::speed_measured,
     "How fast {1} is at this work was measured by {2} earlier runs, beside what was told of it."},
    {note_kind::work_left, "{1} % of the work is left: the rest is in checkpoints of earlier attempts."},
    {note_kind::moved,
     "Moved from {1} to {2} while running: what is left comes to {3} where it is and to {4} there, all that is done "
     "again, restored, fetched and waited for included, and stopping it to {5}. The gain of {6} exceeds the policy's "
     "margin."},
    {note_kind::moved_in_order,
     "Moved from {1} to {2} while running: by {3}, what is left comes to {4} where it is and to {5} there, all that is "
     "done again included; that exceeds the policy's margin."},
    {note_kind::assigned_together,
     "Assigned together with {2} others: by itself it would have gone to {1}, which went to them; here it costs {3} "
     "more."},
    {note_kind::offer_stale,
     "The offer {1} is stale: its provider last confirmed it {2} h ago, and it is trusted for {3} h."},
    {note_kind::quote_until, "The price of {1} is quoted until {2}."},
    {note_kind::owned_reservation,
     "{1} is reserved and paid for whether it is used or not: it ranks at its shadow price, {3} a unit-hour; {2} a "
     "unit-hour of its fee is billed."},
    {note_kind::finish_spread, "The finish told is the median; nine in ten such runs end by {1}."},
    {note_kind::finish_in_time, "It ends by the deadline ({1}) with a probability of {2} %; {3} % is asked for."},
    {note_kind::term_failed, "The term \"{1}\" could not be had ({2}), and the policy does not decide without it."},
    {note_kind::term_ignored, "The term \"{1}\" could not be had ({2}): the policy decides without it."},
    {note_kind::rtt_measured, "The RTT from {2} to {1} was measured at {3}: {4} ms, of {5} samples."},
    {note_kind::rtt_measured_old,
     "The RTT from {2} to {1} was measured {4} h ago, and what is older than {5} h does not count: it is {3}."},
    {note_kind::price_by_hour,
     "The price of {1} changes with the hour: {2} a unit-hour in the mean of the run, {3} at the least and {4} at the "
     "most."},
    {note_kind::put_off_price,
     "Waits until {1} because the hours at {2} cost less then: {3} a unit-hour in the mean of the run, against {4} "
     "when "
     "started at once."},
    {note_kind::put_off_costs_less, "It costs {2} less than the cheapest feasible offer, {1}, started at once."},
    {note_kind::region_unknown, "No offer and no fact knows the region \"{1}\" ({2})."},
    {note_kind::region_misspelt, "No offer and no fact knows the region \"{1}\" ({2}); \"{3}\" may be meant."},
};
static_assert(complete(notes));

// What is true of the offer, behind "3 offers were rejected: 3 …".
constexpr phrases::row<rejection> rejections[] = {
    {rejection::provider_denied, "at a provider that is not allowed"},
    {rejection::provider_unhealthy, "at a provider that takes no new work now"},
    {rejection::plan_only, "of a catalogue, for plans only"},
    {rejection::not_purchased, "by the month or year, and not bought"},
    {rejection::not_supported, "behind an adapter that cannot run gangs or take code"},
    {rejection::region, "outside the regions asked for"},
    {rejection::jurisdiction, "outside the jurisdictions asked for"},
    {rejection::compute_class, "of another compute class"},
    {rejection::architecture, "of another processor architecture"},
    {rejection::stack, "without a software stack that the workload has a variant for"},
    {rejection::stack_version, "with a stack or driver whose version does not fit, or is not known"},
    {rejection::accelerator, "without the accelerators asked for"},
    {rejection::compliance, "forbidden by a compliance rule, or with figures it needs unknown"},
    {rejection::task_shape, "too small for one task"},
    {rejection::throughput_unknown, "of cards whose speed at this work, or whose links, are not known"},
    {rejection::never_finishes, "interrupted faster than the work gets on, so that it would never finish"},
    {rejection::runtime_limit, "too slow for max_runtime_s"},
    {rejection::capacity_never, "with fewer units than the gang needs"},
    {rejection::capacity_now, "full now"},
    {rejection::rtt, "too far away in RTT"},
    {rejection::rtt_unknown, "at an unknown RTT"},
    {rejection::pue, "with a PUE that is too high or unknown"},
    {rejection::green_power_share, "with a green-power share that is too low or unknown"},
    {rejection::price_missing, "without a price"},
    {rejection::quote_expired, "with a price that was quoted until a time that is past"},
    {rejection::offer_stale, "not confirmed by their provider for too long"},
    {rejection::max_price, "dearer an hour than the limit"},
    {rejection::budget, "dearer than the budget"},
    {rejection::deadline, "too late for the deadline, or not surely enough in time"},
    {rejection::max_carbon, "with more carbon than the limit, or unknown carbon"},
    {rejection::quantity_unknown, "without the RTT, power or carbon figures that the policy ranks by"},
    {rejection::too_dear_for_policy, "dearer than the policy allows beside the cheapest"},
};
static_assert(complete(rejections));

constexpr term_words terms[] = {
    {"latency", "latency", "nearer", "ms and replica-hour"},
    {"green_power", "green power", "greener", "non-green kWh"},
    {"carbon", "carbon", "lower in carbon", "kg CO2e"},
    {"time", "time", "sooner", "hour"},
    {"cost", "cost", "cheaper", "currency unit"},
    {"rtt", "RTT", "nearer", "ms"},
    {"data_movement", "data movement", "sooner with its data", "s"},
    {"non_green_energy", "non-green energy", "greener", "non-green kWh"},
    {"finish", "finish", "sooner", "hour"},
    {"", "", "better", "unit"},
};

}  // namespace

const phrases& english() noexcept {
    static constexpr phrases table{said, notes, rejections, terms, {}};  // records tell methods in English
    return table;
}

}  // namespace westerly
