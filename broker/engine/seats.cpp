#include "broker/domain/waiting.hpp"
#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

waiting_room::seat engine_core::seat_of(const live_workload& w) const {
    return {w.value.spec->priority, w.value.tenant, w.value.created_at, w.waits_since, w.value.id, w.shape};
}

/// A queued workload takes its seat, or a timer until it may.
void engine_core::seat(turn& t, live_workload& w) {
    const auto& when = w.value.spec->when;
    std::optional<instant> limit = when.deadline_at;
    if (when.max_wait_s && w.value.attempts_displaced == 0) {
        const instant from = std::max(w.value.created_at, when.earliest_start_at.value_or(w.value.created_at));
        const auto wait_ends =
            std::max(later(from, *when.max_wait_s), from + milliseconds(1));  // it is tried once in any case
        limit = limit ? std::min(*limit, wait_ends) : wait_ends;
    }
    if (limit && waits_for_chosen_start(w.value) && *w.value.next_action_at <= *limit)
        limit = std::max(*limit, *w.value.next_action_at + chosen_start_kept);
    if (limit)
        timers_.set(timer_kind::expire, w.value.id.bytes, w.expire_due, *limit);
    if (w.value.next_action_at && *w.value.next_action_at > t.now) {
        timers_.set(timer_kind::place, w.value.id.bytes, w.place_due, *w.value.next_action_at);
        if (waits_for_chosen_start(w.value))
            put_off_.insert(w.value.id);
        if (w.value.waiting.empty())
            show_reasons(t, w,
                         {reason_of("not_before",
                                    {{note_kind::wait_not_before, {format_rfc3339(*w.value.next_action_at)}, {}}})});
        return;
    }
    take_seat(t, w);
}

void engine_core::take_seat(turn& t, live_workload& w) {
    timers_.clear(timer_kind::place, w.value.id.bytes, w.place_due);
    put_off_.erase(w.value.id);
    awaited_.erase(w.value.id);
    w.shape = shape_now(w);
    w.waits_since = std::max(w.waits_since, w.value.next_action_at.value_or(instant{}));  // till then it chose to
    w.seated = true;
    if (const auto* reasons = room_.add(seat_of(w)); reasons && !reasons->empty())
        show_reasons(t, w, *reasons);
}

std::string_view engine_core::name_of_tenant(const tenant_id& id) const {
    const auto at = tenants_.find(id);
    return at == tenants_.end() ? std::string_view() : std::string_view(at->second.name);
}

/// Those who named the same policy may still run under others, by tenant and labels; a '?' stands for none at all.
demand_shape engine_core::shape_now(const live_workload& w) const {
    const workload& of = w.value;
    const workload_spec& spec = *of.spec;
    const auto rules = policy_for(policies_, name_of_tenant(of.tenant), spec);
    // A limit that a later start meets may be met by one whose slack goes further.
    const bool by_start =
        spec.when.max_delay_s && (spec.budget || spec.limits.max_price_per_hour || spec.limits.max_carbon_kg);
    return shape_of(spec, rules ? (*rules)->name : "?" + spec.policy, budget_left(of), speeds_.of(of.tenant, spec.name),
                    by_start ? std::optional(of.created_at) : std::nullopt, progress_of(w));
}

/// Files may say otherwise than before whom they are for: whoever waits takes the seat that is right now.
void engine_core::seat_anew() {
    for (auto& [id, w] : workloads) {
        if (!w.seated)
            continue;
        const auto shape = shape_now(w);
        if (shape == w.shape)
            continue;
        room_.remove(seat_of(w));
        w.shape = shape;
        room_.add(seat_of(w));
    }
}

void engine_core::unseat(live_workload& w) {
    timers_.clear(timer_kind::expire, w.value.id.bytes, w.expire_due);
    timers_.clear(timer_kind::place, w.value.id.bytes, w.place_due);
    put_off_.erase(w.value.id);
    awaited_.erase(w.value.id);
    if (w.seated)
        room_.remove(seat_of(w));
    w.seated = false;
    release_place(w.value.id);
}

}  // namespace westerly
