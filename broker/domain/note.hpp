#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace westerly {

/// What a decision tells besides its figures. Stored decisions name a kind by its number: new ones go to the end.
enum class note_kind : std::uint8_t {
    sentence,  // words: an English sentence, of a record from before notes had kinds
    ranked_by_cost,
    ranked_by_sum,         // words: a term and its unit for each; figures: the price per unit of each
    ranked_in_order,       // words: a term and its unit for each; figures: the step of each, 0: as it is
    costs_per_hour,        // a service
    runtime_assumed,       // figures: s
    reference_unknown,     // words: the model
    origin_missing,        // so latency was not weighed
    term_missing,          // words: the policy's term
    within_of_cheapest,    // words: the baseline; figures: the share over it, its cost in the decision's currency
    power_unknown,         // words: the winner
    pue_assumed,           // words: the winner's site; figures: the PUE
    green_share_unknown,   // words: the winner's site
    ingress_assumed,       // words: the winner's site; figures: Gbit/s
    only_catalogue,        // words: the winner
    green_not_low_carbon,  // words: the greener, the cleaner; figures: non-green kWh of both, kg CO2e of both
    not_robust,            // words: the rivals
    spot_hazard_unknown,   // words: the winner
    gang_chosen,           // figures: the size chosen, the least and the most allowed, how many sizes were tried
    policy_forced,         // words: the policy, the one that the workload named
    policy_by_default,     // words: the policy
    policy_overridden,     // words: "field: before → now" for each
    carbon_source,         // words: the winner's site, the source, its quality
    carbon_source_partly,  // as carbon_source; figures: the share of the run that it covers
    put_off,               // words: launched at, the winner's site
    put_off_intensity,     // words: the source; figures: g CO2e/kWh over the run, and if started at once
    put_off_saves_carbon,  // figures: kg CO2e
    put_off_saves_energy,  // figures: kWh that are not green
    put_off_saves_money,   // figures: in the decision's currency, as the policy prices it
    put_off_on_baseline,   // words: the baseline; figures: kg CO2e less than it, money more
    speed_measured,        // words: the winner's cards; figures: how many runs
    work_left,             // figures: the share of the work that is left
    moved,              // words: from, to; figures: J of staying, J there with all that is redone, the stop, the gain
    moved_in_order,     // words: from, to, the term that gains; figures: its amount when staying, and there
    assigned_together,  // words: the offer that is its own best; figures: how many others, money more than there
    offer_stale,        // words: the winner; figures: hours since it was confirmed, hours after which it is stale
    quote_until,        // words: the winner, until when its price holds
    owned_reservation,  // words: the winner, what is billed an hour of a unit; figures: the shadow price
    finish_spread,      // words: when nine in ten runs end, where that is within a century
    finish_in_time,     // words: the deadline; figures: how surely, how surely it is asked for
    term_failed,        // words: the policy's term, why: nothing is ranked
    term_ignored,       // words: the policy's term, why: ranked without it
    rtt_measured,       // words: the winner's site, the origin's region, when; figures: ms, samples
    rtt_measured_old,   // words: the first two, how the RTT is known now; figures: hours since, hours after which it is
                        // old
    price_by_hour,      // words: the winner; figures: its mean price over the run, the least and the highest, of a unit
    put_off_price,      // words: launched at, the winner's site; figures: the mean price over the run then, and at once
    put_off_costs_less,  // words: the baseline; figures: money less than it
    region_unknown,      // words: the region, where the workload names it
    region_misspelt,     // words: likewise, and what may be meant
    // Why a workload waits, or what is not known of its attempt (domain/waiting.hpp).
    wait_full_one,
    wait_full,         // figures: how many offers
    wait_kept,         // figures: how many offers
    wait_passed_over,  // words: rejections; figures: how many offers each
    wait_blocked_one,  // words: the providers and why
    wait_blocked,      // words: likewise; figures: how many offers
    wait_nothing_offered,
    wait_none_fits,  // words: rejections; figures: how many offers each, and how many there are
    wait_asked_again,
    wait_policy_missing,   // words: the policy
    wait_policy_refused,   // words: why, in English
    wait_not_before,       // words: when
    wait_tried_again_at,   // words: when
    wait_stopping_one,     // words: the offer
    wait_stopping,         // words: the offer; figures: how many runs
    wait_outcome_unknown,  // words: since when, provider, site; figures: number of the attempt
    wait_lost_running,     // words and figures: likewise
    wait_lost_pending,     // words and figures: likewise
    wait_last_seen,        // words: when
    wait_asked_for,
    wait_stopped_if_found,
    wait_choices,       // words: the workload
    wait_given_up_at,   // words: when
    waited,             // words: the codes of its last reasons; figures: for how many s
    would_preempt,      // a plan; words: the offer; figures: runs stopped, tenants whose they are, the charge
    room_ahead,         // words: launched at, the offer that is full till then; figures: money it saves against at once
    risk_weighed,       // figures: P(late or lost) of the winner, P(late), P(lost)
    within_of_least,    // words: the baseline, the term, its unit; figures: the share over it, its quantity
    target_met,         // words: the target, when the winner ends
    target_missed,      // words: likewise; figures: hours past it
    value_of_time,      // figures: what an hour to the finish costs, as the workload says
    put_off_available,  // words: the winner, from when on it can be had
    put_off_forbidden,  // words: the winner, until when a rule of the request forbids it
    wait_none_fits_yet,     // words and figures: as wait_none_fits; a date may help
    wait_forbidden_until,   // words: when
    wait_available_from,    // words: when
    brought_along,          // of a service; figures: what bringing its inputs costs once, the hours it counts over
    carbon_source_of_part,  // as carbon_source_partly, of a site that has no factor of its own for the rest
    carbon_own_factor,      // as carbon_source, which tells nothing of the time of the run: the site's own factor
    carbon_source_besides,  // likewise, and the site has none: the mean of all that the source tells
    finish_never,           // nine in ten runs do not end within a century
    runtime_limited,        // figures: s that the run was said to take, s after which it is stopped
    put_off_cheaper_too,    // words: the baseline; figures: kg CO2e less than it, money less
    put_off_best,           // words: launched at, the winner's site
    deadline_passed,        // words: the deadline
    architecture_any,       // words: the winner, its architecture; the workload states none
    quantities_read,        // words: what the policy ranks by and does not know of some offers
    rule_forbids,           // words: the compliance rule, cards
    rule_unknown,           // words: likewise, and the figure that is not known
    class_of_cards,         // words: the class of offers that have the cards, and the workload's own
    target_unpriced,        // words: the target
    of_batch_only,          // words: the fields
    deadline_unreachable,   // words: the deadline, when the quickest run that fits would end if all were free
    brought_beside,         // brought_along of another offer; words: the offer; figures: what it costs once
    put_off_adds_carbon,    // figures: kg CO2e
    put_off_adds_energy,    // figures: kWh that are not green
    put_off_adds_money,     // figures: in the decision's currency, as the policy prices it
    billed_while_brought,   // words: the winner; figures: hours for which data are brought and machines are paid for
    rule_forbids_in,        // words: the compliance rule, cards, what it names besides (jurisdictions, architectures)
    rule_forbids_bare,      // likewise of offers without cards. words: the compliance rule, what it names
    rule_unknown_bare,      // likewise. words: the compliance rule, the fact that is not known
    count_                  // not a kind: the number of them
};

/// A kind with what it speaks of, so that it can be told in any language.
struct note {
    note_kind kind = note_kind::sentence;
    std::vector<std::string> words;
    std::vector<double> figures;
    friend bool operator==(const note&, const note&) = default;
};

}  // namespace westerly
