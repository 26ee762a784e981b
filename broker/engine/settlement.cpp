#include "broker/domain/waiting.hpp"
#include "broker/engine/core.hpp"
#include "broker/ledger/ledger.hpp"
#include "broker/ledger/market_use.hpp"
#include "broker/placement/measured_speed.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr seconds shortest_measured{60};
constexpr double measured_at_most = 10;  // times off the figure that was there before

/// An amount in another currency at the lease's frozen rates, half-even.
std::int64_t convert(std::int64_t micros, currency from, currency to, const exchange_rates& rates) {
    if (from == to)
        return micros;
    return static_cast<std::int64_t>(
        divide_half_even(static_cast<wide>(micros) * rate_nanos(rates, from), rate_nanos(rates, to)));
}

}  // namespace

/// An attempt has ended: its calls are closed, it is billed, its units are free, its workload goes on or ends.
void engine_core::finish(turn& t, live_attempt& a, adapter_error why) {
    live_workload& w = workloads.at(a.value.workload);
    close_calls(t, a);
    look_no_more(a);
    bill(t, w, a);
    if (a.value.started_at) {
        if (!w.value.started_at && !w.lingers())
            w.value.started_at = a.value.started_at;
        keep_logs(t, a.value, gang_of(a.value, *w.value.spec));
    }
    const auto home = providers_.find(a.value.provider);
    if (a.call_ended_at == instant::max())
        launch_ends(home->second);
    home->second.attempts.erase(a.value.id);
    if (!home->second.config && home->second.attempts.empty())
        providers_.erase(home);
    hold_units(a.value.offer, -static_cast<std::int64_t>(a.value.terms.units));
    may_go_ -= agreed_to_go(a.value, *w.value.spec) ? 1 : 0;
    backfill_.vacate(a.value.offer, a.value.id);
    fair_.give_back(a.value.tenant, a.value.terms, t.now);
    room_.wake(wake_on_capacity);
    room_came_free(a.value.offer);
    if (a.value.given_up_at) {  // what becomes of it decides nothing any more
        --w.given_up;
        return;
    }

    learn_speed(t, w.value, a.value);
    count_progress(w, a.value);
    settlement done = settle(w.value, a.value, t.now, t.random, why);
    w.value.attempts_counted += done.counts ? 1 : 0;
    w.value.attempts_forgiven += done.forgiven ? 1 : 0;
    if (const auto there = providers_.find(a.value.provider);
        done.not_before && !done.forgiven && there != providers_.end())
        done.not_before = there->second.retries.place(t.now, *done.not_before);
    if (done.displaced)
        return place_displaced_anew(t, w, done.message);
    if (done.on == workload_event::requeued)
        return requeue(t, w, done.not_before, "back_off", done.message);
    w.value.exit_code = a.value.exit_code;
    w.value.exit_signal = a.value.exit_signal;
    w.value.message = done.message;
    advance(t, w, done.on, done.message);
}

void engine_core::close_calls(turn& t, live_attempt& a) {
    for (const auto seq : {a.launch_seq, a.cancel_seq})
        if (seq != 0)
            t.changes.outbox_done.push_back(seq);
    a.launch_seq = a.cancel_seq = 0;
    timers_.clear(timer_kind::find, a.value.id.bytes, a.find_due);
    timers_.clear(timer_kind::cancel, a.value.id.bytes, a.cancel_due);
    timers_.clear(timer_kind::overrun, a.value.id.bytes, a.overrun_due);
    timers_.clear(timer_kind::give_up, a.value.id.bytes, a.give_up_due);
}

void engine_core::bill(turn& t, live_workload& w, const live_attempt& a) {
    attempt metered = a.value;
    if (auto carbon = metered_carbon(metered))
        metered.terms.carbon_g_per_kwh = std::move(*carbon);
    auto used = meter(metered, *w.value.spec, region_of(a.value), usage_id::make(t.now, t.random));
    if (!used)
        return;
    if (const site_facts* site = site_of(a.value))
        used->grid_zone = site->grid_zone;
    account_market(*used, metered.terms, used->grid_zone, std::string(name_of_tenant(w.value.tenant)), certificates_,
                   t.now);
    if (!used->certificates.empty())
        market_dirty_ = true;
    charge cost = rate(*used, a.value.terms);
    if (const auto& budget = w.value.spec->budget; budget && !w.lingers())
        w.value.billed_micros += convert(cost.billed_micros, cost.price.unit, budget->unit, a.value.terms.rates);
    t.changes.usages.push_back(std::move(*used));
    t.changes.charges.push_back(std::move(cost));
}

/// A workload that ran once and through has shown how fast its work goes on these cards. Not counted: what took less
/// than a minute, most of which is its start, and what is ten times off what was expected, as a run that found nothing
/// to do.
void engine_core::learn_speed(turn& t, const workload& w, const attempt& a) {
    const workload_spec& spec = *w.spec;
    if (a.outcome != attempt_outcome::succeeded || w.attempts_counted > 0 || w.attempts_displaced > 0 ||
        w.work_done > 0 || !spec.work.reference || !a.started_at || !a.ended_at ||
        *a.ended_at - *a.started_at < shortest_measured)
        return;
    const auto at = book_.find(a.offer);
    if (!at || !book_.at(*at).accelerators)
        return;
    const accelerator_facts& card = *book_.at(*at).accelerators;
    const work_view work = view_of(spec, options_.accelerators);
    if (!work.reference)
        return;
    double seconds_run = static_cast<double>((*a.ended_at - *a.started_at).count()) / 1000.0;
    if (spec.checkpoint)  // what writing took is no work
        seconds_run *= static_cast<double>(spec.checkpoint->interval_s) /
                       (static_cast<double>(spec.checkpoint->interval_s) + spec.checkpoint->write_s);
    const auto cards = cards_of_task(book_.at(*at), spec, options_.accelerators) * gang_of(a, spec);
    const auto shown = speed_shown(work, static_cast<double>(cards), links_of(card), seconds_run);
    const card_speed expected =
        speed_of(spec.work, work.kind, spec.resources.precision, card, *work.reference, options_.accelerators);
    if (!shown || !expected.r.known() || *shown > expected.r.value * measured_at_most ||
        *shown < expected.r.value / measured_at_most)
        return;
    for (stored_speed& row : speeds_.add(w.tenant, spec.name, card.model, *shown))
        t.changes.speeds.push_back(std::move(row));
}

/// What a run that goes on has cost up to now, were it to end now.
std::int64_t engine_core::cost_so_far(const attempt& a, currency in, instant now) const {
    if (!a.started_at || now <= *a.started_at)
        return 0;
    usage used;
    used.start_at = *a.started_at;
    used.end_at = now;
    used.units = a.terms.units;
    const charge cost = rate(used, a.terms);
    return convert(cost.billed_micros, cost.price.unit, in, a.terms.rates);
}

void engine_core::keep_logs(turn& t, const attempt& a, std::uint32_t tasks) {
    put_outbox(t, a, outbox_verb::archive_logs, tasks);
    archive(t, archives_.at(a.id));
}

void engine_core::requeue(turn& t, live_workload& w, std::optional<instant> not_before, const std::string& code,
                          const std::string& why) {
    w.value.next_action_at = not_before;
    w.waits_since = t.now;
    std::vector<note> pieces{{note_kind::sentence, {why}, {}}};
    if (not_before)
        pieces.push_back({note_kind::wait_tried_again_at, {format_rfc3339(*not_before)}, {}});
    w.value.waiting = {reason_of(code, std::move(pieces))};
    advance(t, w, workload_event::requeued, why);
    seat(t, w);
}

/// The workload's own transition with its event; false when the table has none.
bool engine_core::advance(turn& t, live_workload& w, workload_event on, const std::string& detail) {
    const auto before = w.value.state;
    const auto* row = find_transition(before, on);
    if (!row) {
        ++counts_.illegal_transitions;
        return false;
    }
    if (options_.watch)
        options_.watch->moves(w.value, on);
    if (row->to == before)
        return true;
    if (before == workload_state::queued)
        unseat(w);
    w.value.state = row->to;
    --counts_.workloads[static_cast<std::size_t>(before)];
    ++counts_.workloads[static_cast<std::size_t>(row->to)];
    if (terminal(row->to)) {
        release_place(w.value.id);  // kept for a move that its end came before
        w.value.ended_at = t.now;
        w.value.waiting.clear();
        w.value.next_action_at.reset();
        if (const auto here = live_per_tenant_.find(w.value.tenant); --here->second == 0)
            live_per_tenant_.erase(here);
    }
    record(t, w, nullptr, "workload." + std::string(to_string(row->to)), detail);
    return true;
}

/// From the offer, or the provider's file; nullptr when the provider is gone.
const site_facts* engine_core::site_of(const attempt& a) const {
    if (const auto at = book_.find(a.offer))
        return &book_.at(*at).site;
    const auto home = providers_.find(a.provider);
    if (home == providers_.end() || !home->second.config)
        return nullptr;
    const auto& sites = home->second.config->sites;
    const auto site = std::ranges::find(sites, a.site, &site_facts::site);
    return site == sites.end() ? nullptr : &*site;
}

std::string engine_core::region_of(const attempt& a) const {
    const site_facts* site = site_of(a);
    return site ? site->region : std::string();
}

}  // namespace westerly
