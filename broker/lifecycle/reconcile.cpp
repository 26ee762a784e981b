#include "broker/lifecycle/step.hpp"

#include <string_view>
#include <unordered_map>

namespace westerly {
namespace {

bool is_there(const observation& seen) {
    return seen.at != observation::phase::absent;
}

bool runs(const observation& seen) {
    return seen.at == observation::phase::pending || seen.at == observation::phase::running;
}

/// What the list says by token; of two entries for one token, the later.
std::unordered_map<std::string_view, const observation*> by_token(const listing& observed) {
    std::unordered_map<std::string_view, const observation*> things;
    things.reserve(observed.items.size());
    for (const observation& seen : observed.items) {
        const auto [at, fresh] = things.try_emplace(seen.token, &seen);
        if (!fresh && seen.seq > at->second->seq)
            at->second = &seen;
    }
    return things;
}

bool launch_answered(attempt_state state) {
    return state == attempt_state::pending || state == attempt_state::running || state == attempt_state::stopping ||
           state == attempt_state::lost;
}

/// The moment since when the list would have to show it. A sighting is never earlier than the launch's answer.
instant known_at(const attempt& recorded) {
    return recorded.last_seen_at.value_or(recorded.updated_at);
}

}  // namespace

reconciliation reconcile(std::span<const attempt* const> recorded, const listing& observed, std::uint32_t visibility_s,
                         instant now) {
    const auto things = by_token(observed);
    const bool whole = observed.complete && observed.next_cursor.empty();
    const instant as_of = std::min(observed.as_of, now);  // a clock that runs ahead proves nothing
    std::unordered_map<std::string_view, bool> known;     // token as the list spells it → recorded as live
    reconciliation found;
    for (const attempt* each : recorded) {
        const auto thing = things.find(launch_token(each->id));
        const bool seen = thing != things.end() && is_there(*thing->second);
        if (seen)
            known.emplace(thing->first, live(each->state));
        if (!live(each->state) || each->state == attempt_state::intended)
            continue;
        if (seen) {
            found.facts.push_back(fact_of(*thing->second));
            found.attempts.push_back(each->id);
        } else if (whole && launch_answered(each->state) && as_of > known_at(*each) + seconds(visibility_s)) {
            found.facts.push_back({.on = attempt_event::proved_absent, .message = "not in the provider's whole list"});
            found.attempts.push_back(each->id);
        } else if (each->state != attempt_state::submitting) {
            found.ask.push_back(each->id);
        }
    }
    for (const observation& seen : observed.items) {
        const auto record = known.find(seen.token);
        const bool stray = record == known.end() || (!record->second && runs(seen));
        if (is_there(seen) && stray && things.at(seen.token) == &seen)
            found.unknown_things.push_back(seen);
    }
    return found;
}

}  // namespace westerly
