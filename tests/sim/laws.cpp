#include "tests/sim/world.hpp"

namespace westerly::sim {

void world::fault(std::string what) {
    faults.push_back("at " + format_rfc3339(time_.now) + ": " + std::move(what));
}

void world::note(std::string_view kind, std::uint64_t value) {
    const auto mix = [&](std::uint64_t byte) {
        journal = (journal ^ byte) * 1099511628211ull;
    };
    for (const char c : kind)
        mix(static_cast<unsigned char>(c));
    for (int shift = 0; shift < 64; shift += 8)
        mix((value >> shift) & 0xFF);
    const auto now = static_cast<std::uint64_t>(time_.now.time_since_epoch().count());
    for (int shift = 0; shift < 64; shift += 8)
        mix((now >> shift) & 0xFF);
    counted[std::string(kind)] += 1;
}

/// L1 where it counts, at the providers: no two things of one workload are alive. And what is acknowledged stays.
void world::check_step() {
    std::map<workload_id, int> alive;
    for (const auto& [id, provider] : providers_) {
        for (const auto& what : provider->faults)
            fault(what);
        provider->faults.clear();
        for (const auto& [token, each] : provider->things) {
            const auto of = attempt_of_token(token);
            if (!each.alive() || !of)
                continue;
            const auto at = store_.attempts.find(*of);
            if (at != store_.attempts.end() && ++alive[at->second.workload] > 1)
                fault("L1: two things of one workload are alive");
        }
    }
    for (const auto& c : clients_)
        if (c.acknowledged && !store_.workloads.contains(*c.acknowledged))
            fault("L6: an acknowledged workload is gone");
}

/// L2: what is launched is durable, with its outbox row, and is launched once.
void world::check_launch(const call_provider& call) {
    const auto at = store_.attempts.find(call.attempt);
    if (at == store_.attempts.end())
        return fault("L2: a call for an attempt that is not durable");
    if (!store_.outbox.contains(call.outbox_seq) && live(at->second.state))
        fault("L2: a call without its outbox row");
    if (call.verb == outbox_verb::launch) {
        if (call.launch->token != launch_token(call.attempt))
            fault("L3: a launch under another token");
        if (call.launch->owner.empty())
            fault("L3: a launch without our owner mark");
        if (++counted["launch of " + call.launch->token] > 1)
            fault("an attempt was launched twice");
        counted["launches"] += 1;
    }
}

/// The engine's memory is an index of the store: one made anew holds the same.
void world::compare_with_fresh_load() {
    if (!core_ || !uncommitted_.empty())
        return;
    testing_support::memory_store copy = store_;
    const auto state = copy.load();
    const engine fresh(engine_options{}, term_table{}, state, time_.now);
    ++restarts_compared;
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
}

/// L3, L4, L5 and the rest, when faults have ended long ago.
void world::check_end() {
    for (const auto& c : clients_) {
        if (!c.acknowledged)
            fault("L4: " + c.key + " was never answered");
        else if (const auto& w = store_.workloads.at(*c.acknowledged); !terminal(w.state))
            fault("L4: " + c.key + " never ended: " + std::string(to_string(w.state)) +
                  (w.waiting.empty() ? "" : " " + w.waiting.front().code) +
                  (w.current ? " " + std::string(to_string(store_.attempts.at(*w.current).state)) : ""));
        else
            counted["ended " + std::string(to_string(w.state))] += 1;
    }
    if (store_.workloads.size() != clients_.size() && faults.empty())
        fault("there are more workloads than were asked for");
    for (const auto& [id, provider] : providers_) {
        for (const auto& [token, each] : provider->things)
            if (each.ours && each.alive())
                fault("L3: a thing of ours was neither recorded nor swept");
        if (!provider->things.at("somebody-elses").alive())
            fault("L3: a thing without our owner mark was ended");
        counted["strays"] += provider->strays;
        counted["swept"] += provider->swept;
        counted["forgotten"] += provider->forgotten;
        counted["lost calls"] += provider->lost_calls;
        counted["downs"] += provider->downs;
    }
    if (!store_.outbox.empty())
        fault("an outbox row was never done");
    check_metering();
    for (const auto& [id, a] : store_.attempts)
        counted["outcome " + std::string(to_string(a.outcome))] += 1;
}

/// L5: metered time is the provider's own record, and nothing that ran is unmetered.
void world::check_metering() {
    std::map<attempt_id, const usage*> metered;
    for (const auto& each : store_.usages)
        metered[each.attempt] = &each;
    for (const auto& [id, a] : store_.attempts) {
        const auto& things = providers_.at(a.provider)->things;
        const auto at = things.find(launch_token(id));
        if (at != things.end() && at->second.forgotten)
            continue;  // the provider has no record to compare with
        const bool ran = at != things.end() && at->second.started_at;
        const auto row = metered.find(id);
        if (ran != (row != metered.end()))
            fault("L5: metered is not what ran");
        else if (ran &&
                 (row->second->start_at != *at->second.started_at || row->second->end_at != *at->second.ended_at))
            fault("L5: metered time differs from the provider's record");
    }
    if (store_.charges.size() != store_.usages.size())
        fault("L5: a usage row without its charge");
}

}  // namespace westerly::sim
