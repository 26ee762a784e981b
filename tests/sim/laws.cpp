#include "broker/ledger/ledger.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace westerly::sim {

void world::fault(std::string what) {
    faults.push_back(std::move(what) + " (at " +
                     std::to_string(std::chrono::duration_cast<milliseconds>(time_.now - begun_at_).count()) + " ms)");
}

/// What it would do after that is nobody's guess: it ends here, and the history with it.
void world::engine_threw(const std::exception& what) {
    fault("the engine threw: " + std::string(what.what()));
    core_.reset();
}

void world::note(std::uint64_t kind, std::uint64_t value) {
    for (const std::uint64_t word : {kind, value, static_cast<std::uint64_t>(time_.now.time_since_epoch().count())}) {
        journal ^= word;
        journal *= 0x9E3779B97F4A7C15ull;
        journal ^= journal >> 29;
    }
}

/// Memory of what was touched is what will be stored: at every step.
void world::check_reaction(const reaction& made) {
    for (const auto* list : {&made.changes.workloads_new, &made.changes.workloads_changed})
        for (const auto& each : *list) {
            const auto* mine = core_->find(each.id);
            if (mine ? *mine != each : !terminal(each.state))
                fault("memory of a touched workload differs from what will be stored");
        }
    for (const auto* list : {&made.changes.attempts_new, &made.changes.attempts_changed})
        for (const auto& each : *list) {
            const auto* mine = core_->find(each.id);
            if (live(each.state) ? !mine || *mine != each : mine != nullptr)
                fault("memory of a touched attempt differs from what will be stored");
        }
    for (const auto& one : made.effects)
        if (const auto* market = std::get_if<publish_market>(&one))
            check_market(*market->view);
}

/// What readers are told adds up: counts of what lives.
void world::check_market(const market_view& view) {
    std::uint64_t workloads = 0, illegal = view.counts.illegal_transitions;
    for (std::size_t i = 0; i < view.counts.workloads.size(); ++i)
        if (!terminal(static_cast<workload_state>(i)))
            workloads += view.counts.workloads[i];
    if (workloads != core_->live_workloads())
        fault("the counts of workloads are not what lives");
    if (illegal != 0)
        fault("a transition was asked for that no table has");
}

/// L2: what is launched is durable, with its outbox row, and is launched once in its life.
void world::check_call(const call_provider& call) {
    const auto at = store_.attempts.find(call.attempt);
    if (at == store_.attempts.end() && !ended_attempts_.contains(call.attempt))
        return fault("L2: a call for an attempt that is not durable");
    const auto row = store_.outbox.find(call.outbox_seq);
    if (row == store_.outbox.end() && at != store_.attempts.end() && live(at->second.state))
        fault("L2: a call without its outbox row");
    if (row != store_.outbox.end() && row->second.attempt != call.attempt)
        fault("L2: a call under another attempt's outbox row");
    if (call.verb == outbox_verb::cancel)
        deeds_[launch_token(call.attempt)].stopped_at = time_.now;
    if (call.verb != outbox_verb::launch)
        return;
    if (call.launch->token != launch_token(call.attempt))
        fault("L3: a launch under another token");
    if (call.launch->owner.empty())
        fault("L3: a launch without our owner mark");
    if (++deeds_[call.launch->token].launches > 1)
        fault("an attempt was launched twice");
}

/// L3: what is swept is ours, and in no live record.
void world::check_sweep(const sweep_orphan& sweep) {
    const auto of = attempt_of_token(sweep.token);
    const auto at = of ? store_.attempts.find(*of) : store_.attempts.end();
    if (at != store_.attempts.end() && live(at->second.state))
        fault("L3: a recorded attempt was swept");
    const auto& things = providers_.at(numbers_.at(sweep.provider))->things();
    const auto thing = things.find(sweep.token);
    if (thing != things.end() && !thing->second.ours)
        fault("L3: a thing without our owner mark was swept");
}

/// L5 as it is written: what is metered is the provider's record, and is charged by the offer's rules.
void world::check_commit(const change_set& changes) {
    for (const auto seq : changes.outbox_done)
        check_row_done(seq);
    for (const auto& each : changes.attempts_changed) {
        const auto& things = providers_.at(numbers_.at(each.provider))->things();
        const auto at = things.find(launch_token(each.id));
        if (each.given_up_at)
            check_choice(each);
        if (!each.handle.empty() && (at == things.end() || at->second.handle != each.handle))
            fault("L3: an attempt is recorded under another thing's id");
    }
    if (changes.usages.size() != changes.charges.size())
        return fault("L5: a usage row without its charge");
    for (std::size_t i = 0; i < changes.usages.size(); ++i) {
        const usage& used = changes.usages[i];
        const auto& things = providers_.at(numbers_.at(used.provider))->things();
        const auto at = things.find(launch_token(used.attempt));
        if (at == things.end())
            fault("L5: metered without a thing");
        else if (used.start_at != at->second.started_at)
            fault("L5: metered from another moment than the provider's record");
        else if (!at->second.forgotten && !used.measured)
            fault("L5: not measured, and the provider has a record of it");
        else if (used.measured && !at->second.exited())
            fault("L5: measured, and the provider never had a record of its end");
        else if (used.measured && used.end_at != at->second.ended_at)
            fault("L5: metered to another moment than the provider's record");
        check_money(used, changes.charges[i]);
    }
    check_ends(changes);
}

/// L1's one exception: an attempt is given up by its client's own word, or by the rule in its client's request.
void world::check_choice(const attempt& given_up) {
    const bool by_rule = store_.workloads.at(given_up.workload).spec->retry.second_copy_after_s.has_value();
    if (!by_rule && !risked_.contains(given_up.id))
        fault("L1: an attempt was given up, and nobody chose that");
    if (given_up.state == attempt_state::pending || given_up.state == attempt_state::running)
        fault("L1: an attempt that was given up has turned up, and is not stopped");
}

/// L1: of a workload's things one is alive at most, beside those whose attempts are durably given up.
bool world::two_where_one_may_be(const workload_id& of) const {
    if (!store_.workloads.contains(of))
        return true;
    std::size_t alive = 0;
    for (const auto& [id, provider] : store_.attempts_of(of)) {
        const auto& things = providers_.at(numbers_.at(provider))->things();
        const auto at = things.find(launch_token(id));
        alive += at != things.end() && at->second.alive() && !store_.attempts.at(id).given_up_at ? 1 : 0;
    }
    return alive > 1;
}

/// L5 once more: what ran is metered with its end.
void world::check_ends(const change_set& changes) {
    for (const auto& each : changes.attempts_changed) {
        if (live(each.state))
            continue;
        ++ends["attempt " + std::string(to_string(each.outcome))];
        if (each.displaced_for != displacement::none)
            check_displaced(each);
        const auto& things = providers_.at(numbers_.at(each.provider))->things();
        const auto at = things.find(launch_token(each.id));
        const bool ran = at != things.end() && at->second.started_at && !at->second.forgotten;
        if (ran && !std::ranges::any_of(changes.usages, [&](const usage& used) { return used.attempt == each.id; }))
            fault("L5: what ran is not metered");
    }
}

/// What the broker ended for its own reasons fails nobody.
void world::check_displaced(const attempt& ended) {
    ++ends["displaced"];
    const auto& w = store_.workloads.at(ended.workload);
    if (w.state == workload_state::failed && !ended.given_up_at)
        fault("L4: a run that the broker displaced failed its workload");
}

/// What has ended leaves the store, as it leaves the engine's memory: what is left of it is what laws still need.
void world::retire(const change_set& changes) {
    store_.drop_rows();
    for (const auto* list : {&changes.workloads_new, &changes.workloads_changed})
        for (const auto& each : *list) {
            if (!terminal(each.state))
                continue;
            const auto attempts = store_.attempts_of(each.id);
            if (!store_.retire(each.id))
                continue;
            ended_.emplace(each.id, each.state);
            struck_workloads_.erase(each.id);
            client_of_.erase(each.id);
            ++ends["workload " + std::string(to_string(each.state))];
            for (const auto& [id, provider] : attempts) {
                ended_attempts_.emplace(id, each.id);
                has_waited_since_.erase(id);
                struck_attempts_.erase(id);
                providers_.at(numbers_.at(provider))->settled(launch_token(id));
            }
        }
}

/// Every effect runs at least once before its outbox row is done, unless the end of its attempt is proved without it.
void world::check_row_done(std::uint64_t seq) {
    const auto* row = store_.last_done(seq);
    if (!row)
        return;  // the store has complained already
    const auto& done = deeds_[launch_token(row->attempt)];
    if (row->verb == outbox_verb::archive_logs) {
        if (done.archives == 0)
            fault("logs were given up without a try");
        return;
    }
    const auto& a = store_.attempts.at(row->attempt);
    if (row->verb == outbox_verb::launch && done.launches == 0 && a.outcome != attempt_outcome::never_started)
        fault("a launch was taken for done that never ran");
    if (row->verb == outbox_verb::cancel && live(a.state))
        fault("a cancel was taken for done while its attempt lives");
}

namespace {

/// The price of a unit-hour in a minute of time since 1970, by looking at every window.
std::int64_t price_in_minute(const lease& terms, std::int64_t minute) {
    constexpr std::int64_t day_min = 24 * 60;
    const std::int64_t local = minute + terms.schedule.utc_offset_min, day = local / day_min, at = local % day_min;
    const auto begins = [](const price_window& each, std::int64_t on) {
        return (each.days >> ((on + 3) % 7) & 1) != 0;  // 1970 began on a Thursday
    };
    for (const price_window& each : terms.schedule.windows) {
        const bool over_midnight = each.to_min <= each.from_min;
        if (begins(each, day) && at >= each.from_min && (over_midnight || at < each.to_min))
            return each.nanos;
        if (over_midnight && begins(each, day - 1) && at < each.to_min)
            return each.nanos;
    }
    return terms.price.nanos;
}

/// Σ price x ms over a run, minute by minute: the ledger's integral in another way.
wide nanos_times_ms(const lease& terms, std::int64_t from_ms, std::int64_t to_ms) {
    if (terms.schedule.empty())
        return wide(terms.price.nanos) * wide(to_ms - from_ms);
    wide sum = 0;
    for (std::int64_t at = from_ms; at < to_ms;) {
        const std::int64_t until = std::min((at / 60'000 + 1) * 60'000, to_ms);
        sum += wide(price_in_minute(terms, at / 60'000)) * wide(until - at);
        at = until;
    }
    return sum;
}

}  // namespace

void world::check_money(const usage& used, const charge& cost) {
    const attempt& of = store_.attempts.at(used.attempt);
    const lease& terms = of.terms;
    for (const offer& each : plan_.providers[numbers_.at(of.provider)].offers)
        if (each.id == of.offer && each.schedule != terms.schedule)
            fault("L5: a lease does not hold the hours of its offer");
    const auto run_ms = (used.end_at - used.start_at).count();
    const auto step_ms = std::int64_t{std::max(terms.increment_s, 1u)} * 1000;
    const auto billed_ms = std::max((run_ms + step_ms - 1) / step_ms * step_ms, std::int64_t{terms.minimum_s} * 1000);
    if (cost.usage != used.id || cost.billed_ms != static_cast<std::uint64_t>(billed_ms))
        return fault("L5: the time billed is not the increments and minimum of the lease");
    // In 10^-9 of a unit per hour, times ms, to 10^-6: exactly, before rounding.
    const std::int64_t from_ms = used.start_at.time_since_epoch().count();
    const wide exact = nanos_times_ms(terms, from_ms, from_ms + billed_ms) * wide(terms.units);
    const wide divisor = wide(1000) * 3'600'000;
    const wide off = wide(cost.billed_micros) * divisor - exact;
    if (off > divisor / 2 || off < -(divisor / 2))
        fault("L5: the amount is not price x units x time");
    if (!terms.schedule.empty() && exact != wide(terms.price.nanos) * wide(billed_ms) * wide(terms.units))
        ++ends["billed by the hour"];
}

/// The engine's memory is an index of the store: one made anew from what is committed and what waits for its commit
/// holds the same, and knows the same clients' keys.
void world::compare_with_fresh_load(bool with_clients_keys) {
    if (!core_)
        return;
    ++compared;
    auto lent = std::exchange(store_.keys_of_clients(), {});
    testing_support::memory_store copy = store_;
    store_.keys_of_clients() = std::move(lent);
    if (with_clients_keys)
        copy.keys_of_clients() = store_.keys_of_clients();
    for (const auto& each : uncommitted_)
        copy.commit(each.changes);
    const auto state = copy.load();
    engine fresh(engine_options{}, term_table{}, state, broker_clock());
    if (fresh.live_workloads() != core_->live_workloads())
        fault("memory holds other workloads than the store");
    for (const auto& each : state.workloads)
        if (const auto* mine = core_->find(each.id); !mine || *mine != each || *fresh.find(each.id) != each)
            fault("a workload in memory differs from the stored one");
    for (const auto& each : state.attempts) {
        const auto* mine = core_->find(each.id);
        if (!live(each.state)) {
            if (mine)
                fault("an ended attempt is in memory");
            continue;
        }
        attempt sighted = each;  // the last sighting alone is not worth a commit
        sighted.last_seen_at = mine ? mine->last_seen_at : std::nullopt;
        if (!mine || *mine != sighted)
            fault("an attempt in memory differs from the stored one");
    }
    if (clients_.empty() || !with_clients_keys)
        return;
    const auto number = static_cast<std::size_t>(compared % clients_.size());
    // Keys are kept for a day by the broker's clock, which may be set: half of that is sure.
    if (!clients_[number].acknowledged || time_.now - clients_[number].acknowledged_at > std::chrono::hours(12))
        return;
    random_source random(1);
    const auto again = fresh.handle(request_of(number, 1), broker_clock(), random);
    for (const auto& one : again.effects)
        if (const auto* said = std::get_if<answer_request>(&one))
            if (!said->value || std::get<submitted>(*said->value).accepted.id != *clients_[number].acknowledged)
                fault("L6: a fresh load has forgotten a client's key");
}

/// L3, L4 and L5, when faults have ended long ago.
void world::check_end() {
    compare_with_fresh_load(true);
    for (const auto& c : clients_) {
        if (!c.acknowledged) {
            fault("L4: " + c.key + " was never answered");
            continue;
        }
        const auto at = store_.workloads.find(*c.acknowledged);
        if (at == store_.workloads.end()) {
            if (!ended_.contains(*c.acknowledged))
                fault("L6: an acknowledged workload is gone");
            continue;
        }
        const auto& w = at->second;
        fault("L4: " + c.key + " never ended: it is " + std::string(to_string(w.state)) +
              (w.waiting.empty() ? "" : ", waits for " + w.waiting.front().code) +
              (w.current ? ", its attempt is " + std::string(to_string(store_.attempts.at(*w.current).state)) : ""));
    }
    for (const auto& [id, state] : ended_)
        if (core_->find(id))
            fault("an ended workload is in memory");
    if (store_.workloads.size() + ended_.size() != clients_.size())
        fault("L6: there are more workloads than were asked for");
    if (!store_.outbox.empty())
        fault("an outbox row was never done");
    for (const auto& provider : providers_) {
        for (const auto& [token, each] : provider->things())
            if (each.ours && each.alive())
                fault("L3: a thing of ours was neither recorded nor swept");
        if (!provider->things().at("somebody-elses").alive())
            fault("L3: a thing without our owner mark was ended");
        ends["strays"] += provider->strays;
        ends["swept"] += provider->swept;
    }
}

}  // namespace westerly::sim
