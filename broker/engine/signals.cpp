// Signals come in, and workloads wait for the start that was chosen for them.
#include "broker/domain/waiting.hpp"
#include "broker/engine/core.hpp"
#include "broker/placement/start_table.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// Every word of a feed may change every start that was put off: they are looked at again no more often than this.
constexpr seconds put_off_again_every{60};
/// A new choice within this of the start that is waited for is the same choice: forecasts tremble.
constexpr seconds same_start_within{900};
/// Where prices or the grid change with the hour, time alone may lift a limit: who waits is tried again so often.
constexpr seconds hours_tried_every{900};

}  // namespace

bool engine_core::waits_for_chosen_start(const workload& w) {
    return !w.waiting.empty() && w.waiting.front().code == "chosen_start";
}

void engine_core::on(turn& t, const signals_received& in) {
    auto before = signals_.told_by(in.feed);
    signals_.receive(in.feed, in.series, t.now);
    remember_signals(t, in.feed, std::move(before));
    market_dirty_ = true;
    room_.wake(wake_on_offers);  // a carbon limit may be met now
    look_at_put_off_again(t.now);
}

void engine_core::look_at_put_off_again(instant now) {
    if (!put_off_.empty() && !put_off_again_at_)
        put_off_again_at_ = std::max(now, put_off_looked_at_ + put_off_again_every);
}

void engine_core::on(turn& t, const feeds_configured& in) {
    const auto known = signals_.feeds();
    signals_.keep_only(in.feeds, t.now);
    for (const std::string& feed : known)
        if (std::ranges::find(in.feeds, feed) == in.feeds.end()) {
            signals_written_.erase(feed);
            remember_signals(t, feed, {});
        }
    market_dirty_ = true;
}

void engine_core::on(turn&, const certificates_configured& in) {
    certificates_.replace(in.certificates);
    market_dirty_ = true;
}

namespace {

/// What of its notes says why it waits, as its `why` does in English.
std::vector<note> notes_on_put_off(const decision& made) {
    constexpr note_kind kinds[] = {note_kind::put_off,
                                   note_kind::put_off_intensity,
                                   note_kind::put_off_saves_carbon,
                                   note_kind::put_off_saves_energy,
                                   note_kind::put_off_saves_money,
                                   note_kind::put_off_on_baseline,
                                   note_kind::put_off_price,
                                   note_kind::put_off_costs_less,
                                   note_kind::put_off_available,
                                   note_kind::put_off_forbidden,
                                   note_kind::put_off_cheaper_too,
                                   note_kind::put_off_best,
                                   note_kind::put_off_adds_carbon,
                                   note_kind::put_off_adds_energy,
                                   note_kind::put_off_adds_money};
    std::vector<note> told;
    for (const note& each : made.notes)
        if (std::ranges::find(kinds, each.kind) != std::end(kinds))
            told.push_back(each);
    return told;
}

}  // namespace

/// Whether the limits that depend on the start are met at that one, too, by what is known now.
bool engine_core::may_start_at(instant at, const live_workload& w, const policy& by,
                               const decision_world& world) const {
    workload_spec then = *w.value.spec;
    if (!then.limits.max_carbon_kg && !then.budget)
        return true;
    then.when.max_delay_s.reset();
    then.when.earliest_start_at = at;
    const decision made = decide(book_, by, terms_, then, world);
    return !made.ranked.empty() && made.ranked.front().launchable;
}

/// When the winner's best start is later, the workload waits for it and is then decided anew; nothing is held for it
/// meanwhile. True: it waits.
bool engine_core::put_off(turn& t, live_workload& w, const policy& by, const decision_world& world, decision& made,
                          decision_basis& from) {
    if (!made.put_off || made.put_off->launch_at <= t.now)
        return false;
    const chosen_start& start = *made.put_off;
    unseat(w);
    const auto before = w.value.next_action_at;
    const bool same = waits_for_chosen_start(w.value) && before && *before > t.now &&
                      std::chrono::abs(*before - start.launch_at) < same_start_within &&
                      may_start_at(*before, w, by, world);
    if (!same) {
        w.value.next_action_at = start.launch_at;
        w.value.waiting = {{"chosen_start", start.why, notes_on_put_off(made), made.rates.base}};
        w.value.last_decision = made.id;
        record(t, w, nullptr, "workload.waiting", start.why);
        t.changes.bases.push_back(std::move(from));
        t.changes.decisions.push_back(std::move(made));
    }
    seat(t, w);
    return true;
}

/// Signals have changed since those who wait for a chosen start were decided: each takes a seat and is tried again. Not
/// who is about to start: no start is put off by so little, so that it would start at once, at what it waits to avoid.
void engine_core::decide_put_off_again(turn& t) {
    if (!put_off_again_at_ || t.now < *put_off_again_at_)
        return;
    put_off_again_at_.reset();
    put_off_looked_at_ = t.now;
    const auto all = put_off_;
    for (const workload_id& id : all)
        if (live_workload& w = workloads.at(id); *w.value.next_action_at - t.now >= milliseconds(start_delay_least_ms))
            take_seat(t, w);
}

void engine_core::try_by_the_hour(turn& t) {
    if (room_.wake_dated(t.now))
        places_ever_.clear();  // other places are allowed now
    const auto due = hours_due_at();
    if (!due || t.now < *due)
        return;
    hours_looked_at_ = t.now;
    places_ever_.clear();  // their J is another now
    room_.wake(wake_on_offers);
}

std::optional<instant> engine_core::hours_due_at() const {
    const bool change = book_.prices_by_hour() || !signals_.empty();
    return change && room_.size() > 0 ? std::optional(hours_looked_at_ + hours_tried_every) : std::nullopt;
}

/// The mean intensity over what really ran, where the zone's hourly signal covers all of it; else the lease's factor
/// counts. Steering by the hour and reporting by the year would be two methods.
std::optional<sourced> engine_core::metered_carbon(const attempt& a) const {
    const site_facts* site = site_of(a);
    if (!site || !a.started_at || !a.ended_at || *a.ended_at <= *a.started_at)
        return std::nullopt;
    const zone_signal* told = signals_.find(signal_kind::carbon_intensity, site->grid_zone);
    if (!told || !told->varies)
        return std::nullopt;
    const std::int64_t from = a.started_at->time_since_epoch().count(), to = a.ended_at->time_since_epoch().count();
    const auto known = told->curve.integral(from, to);
    if (known.covered_ms < to - from)
        return std::nullopt;
    const bool measured = told->is_measured(from, to);
    return sourced{known.sum / static_cast<double>(known.covered_ms), told->source,
                   measured ? quality_class::measured_hourly : quality_class::modelled_hourly};
}

}  // namespace westerly
