#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

/// Holds the records against a whole list: each difference is a fact like any other.
void engine_core::on(turn& t, const provider_listed& in) {
    const auto at = providers_.find(in.provider);
    if (at == providers_.end())
        return;
    std::vector<const attempt*> recorded;
    for (const auto& id : at->second.attempts)
        recorded.push_back(&attempts.at(id).value);
    const bool datable = in.list.as_of > lists_prove_after_ && in.list.as_of <= t.now;
    const auto found = reconcile(recorded, in.list, at->second.health.max_visibility_delay_s, t.now);
    for (std::size_t i = 0; i < found.facts.size(); ++i) {
        live_attempt* a = find_live(in.provider, found.attempts[i]);
        if (!a)
            continue;
        const bool gone = found.facts[i].on == attempt_event::proved_absent;
        if (!gone || (datable && proves_absence(*a, in.list.as_of)))
            apply(t, *a, found.facts[i]);
        else if (a->call_ended_at != instant::max())
            find_later(t, *a, milliseconds(0));
    }
    for (const auto& id : found.ask)
        if (live_attempt* a = find_live(in.provider, id); a && a->call_ended_at != instant::max())
            find_later(t, *a, milliseconds(0));
    note_unknown(t, in, found.unknown_things);
    if (sweeping_ && in.list.complete)
        sweep(t, in.provider);
}

/// Keeps what runs under our owner mark and is in no live record; forgets what a complete list shows no more. A thing
/// that has ended there is kept by its provider for its logs and is no orphan.
void engine_core::note_unknown(turn& t, const provider_listed& in, const std::vector<observation>& things) {
    std::set<std::string> running;
    for (const auto& thing : things) {
        if (thing.at != observation::phase::pending && thing.at != observation::phase::running)
            continue;
        const auto id = attempt_of_token(thing.token);
        if (id && attempts.contains(*id))
            continue;
        running.insert(thing.token);
        const std::pair name{in.provider, thing.token};
        if (orphans_.contains(name) || orphans_.size() >= orphans_max)
            continue;
        const std::string phase = thing.at == observation::phase::pending ? "pending" : "running";
        orphans_[name] = {{in.provider, thing.token, phase, t.now}, false};
        market_dirty_ = true;
    }
    if (!in.list.complete)
        return;
    const auto dropped = std::erase_if(orphans_, [&](const auto& entry) {
        return entry.first.first == in.provider && !running.contains(entry.first.second);
    });
    market_dirty_ = market_dirty_ || dropped != 0;
}

/// Ends what was unknown for long enough; asked again with every list until it is gone.
void engine_core::sweep(turn& t, const provider_id& provider) {
    for (auto at = orphans_.lower_bound({provider, ""}); at != orphans_.end() && at->first.first == provider; ++at) {
        known_orphan& known = at->second;
        if (t.now < known.thing.first_seen_at + options_.sweep_grace)
            continue;
        counts_.orphans_swept += known.swept ? 0 : 1;
        known.swept = true;
        t.calls.push_back(sweep_orphan{provider, known.thing.token});
    }
}

void engine_core::on(turn& t, const confirm_sweep& in) {
    sweeping_ = true;
    market_dirty_ = true;
    for (auto& [id, at] : providers_)
        at.next_list_at = t.now;
    reply(t, in.request, answer(done_answer{}));
}

}  // namespace westerly
