#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

void engine_core::load(stored_state from, instant now) {
    epoch_ = from.epoch;
    owner_ = from.owner;
    sweeping_ = from.sweeping;
    started_at_ = last_now_ = hours_looked_at_ = now;
    outbox_seq_ = from.outbox_seq;
    history_seq_ = from.history_seq;
    corrections_ = from.corrections;
    event_seq_ = from.event_seq;
    for (auto& each : from.tenants) {
        fair_.know(each);
        tenants_.emplace(each.id, std::move(each));
    }
    for (const auto& each : from.tenant_uses)
        fair_.restore(each);
    for (auto& each : from.keys)
        keys_.emplace(each.id, std::move(each));
    for (auto& each : from.cordons)
        cordons_.insert_or_assign(std::move(each.provider), each.cordoned);
    std::ranges::sort(from.idempotency, {}, &idempotency_record::created_at);
    idempotency_.reserve(from.idempotency.size());
    for (auto& each : from.idempotency)
        idempotency_.add(std::move(each));
    for (auto& each : from.workloads) {
        live_workload kept;
        kept.lingering = terminal(each.state);
        if (kept.lingering) {
            ++lingering;
        } else {
            ++live_per_tenant_[each.tenant];
            ++counts_.workloads[static_cast<std::size_t>(each.state)];
        }
        kept.value = std::move(each);
        kept.waits_since = kept.value.created_at;
        if (!kept.value.waiting.empty()) {
            const std::string& code = kept.value.waiting.front().code;
            kept.preempts = code == waits_for_stopped || code == stop_overdue;
        }
        const auto id = kept.value.id;
        workloads.emplace(id, std::move(kept));
    }
    std::ranges::sort(from.attempts, {}, [](const attempt& a) { return std::pair(a.created_at, a.id); });
    for (auto& each : from.attempts) {
        if (!live(each.state)) {
            if (const auto of = workloads.find(each.workload); of != workloads.end() && each.ended_at)
                of->second.waits_since = std::max(of->second.waits_since, *each.ended_at);
            continue;
        }
        fair_.resume(each);
        may_go_ += agreed_to_go(each, *workloads.at(each.workload).value.spec) ? 1 : 0;
        if (each.terms.limited)
            backfill_.occupy(each.offer, each.id, each.terms.units, each.started_at.value_or(each.created_at),
                             bounds_of(*workloads.at(each.workload).value.spec));
        ++counts_.attempts[static_cast<std::size_t>(each.state)];
        hold_units(each.offer, static_cast<std::int64_t>(each.terms.units));
        providers_[each.provider].attempts.insert(each.id);
        live_attempt kept;
        kept.value = std::move(each);
        kept.call_ended_at = now;  // calls end with the process that made them
        workloads.at(kept.value.workload).given_up += kept.value.given_up_at ? 1 : 0;
        const auto id = kept.value.id;
        attempts.emplace(id, std::move(kept));
    }
    for (const certificate_use& each : from.certificates_given)
        certificates_.enter(each);
    for (stored_speed& each : from.speeds)
        speeds_.load(std::move(each));
    kept_before_ = std::move(from.kept_places);
    resumed_rows_ = std::move(from.outbox);
}

/// The first input's first work: outbox rows find their owners, what was under way becomes unknown and is asked for,
/// and who waits takes a seat again.
void engine_core::resume(turn& t) {
    resumed_ = true;
    remember_start(t);
    for (auto& row : std::exchange(resumed_rows_, {})) {
        const auto at = attempts.find(row.attempt);
        if (row.verb == outbox_verb::archive_logs)
            archives_[row.attempt] = {.row = row, .failures = 0, .due = std::nullopt, .parked = true};
        else if (at == attempts.end())
            t.changes.outbox_done.push_back(row.seq);
        else
            (row.verb == outbox_verb::launch ? at->second.launch_seq : at->second.cancel_seq) = row.seq;
    }
    // By id: the order of a hash table must not show.
    std::vector<attempt_id> live_ones;
    for (const auto& [id, a] : attempts)
        live_ones.push_back(id);
    std::ranges::sort(live_ones);
    for (const auto& id : live_ones)
        resume_attempt(t, attempts.at(id));

    std::vector<workload_id> queued;
    for (const auto& [id, w] : workloads)
        if (w.value.state == workload_state::queued)
            queued.push_back(id);
    std::ranges::sort(queued);
    for (const auto& id : queued)
        seat(t, workloads.at(id));
}

void engine_core::resume_attempt(turn& t, live_attempt& a) {
    watch_overrun(a, *workloads.at(a.value.workload).value.spec);
    switch (a.value.state) {
        case attempt_state::submitting:
            return apply(t, a,
                         {.on = attempt_event::no_answer,
                          .why = adapter_error::unavailable,
                          .message = "The broker was restarted before the provider answered."});
        case attempt_state::unknown:
        case attempt_state::lost:
            explain_uncertainty(t, a, a.value.state);
            return find_later(t, a, milliseconds(0));
        case attempt_state::stopping:
            return call_cancel(t, a);
        default:
            return;  // the first list of its provider tells
    }
}

}  // namespace westerly
