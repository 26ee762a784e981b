#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// How long past walltime and grace a provider may take to end a run itself, before the broker does.
constexpr seconds overrun_margin{60};
constexpr seconds key_expiry_every{60};

bool watched(attempt_state state) {
    return state == attempt_state::pending || state == attempt_state::running || state == attempt_state::stopping;
}

void earliest(std::optional<instant>& best, std::optional<instant> other) {
    if (other && (!best || *other < *best))
        best = other;
}

}  // namespace

void engine_core::on(turn&, const tick&) {}  // what is due runs with every input

void engine_core::run_due(turn& t) {
    for (std::size_t run = 0; run < timers_per_input_max; ++run) {
        const auto due = timers_.pop(t.now);
        if (!due)
            break;
        run_timer(t, *due);
    }
    for (auto& [id, at] : providers_)
        run_provider(t, at);
    expire_keys(t);
    give_back_places(t);
}

void engine_core::run_timer(turn& t, const timer_queue::due& due) {
    const auto workload_at = workloads.find(workload_id{due.id});
    const auto attempt_at = attempts.find(attempt_id{due.id});
    switch (due.kind) {
        case timer_kind::place:
            workload_at->second.place_due.reset();
            return seat(t, workload_at->second);
        case timer_kind::expire: {
            live_workload& w = workload_at->second;
            w.expire_due.reset();
            w.value.message = "It waited past its limit. Last reason: " +
                              (w.value.waiting.empty() ? std::string("none") : w.value.waiting.front().detail);
            advance(t, w, workload_event::expired, w.value.message);
            return;
        }
        case timer_kind::find:
            attempt_at->second.find_due.reset();
            return find_now(t, attempt_at->second);
        case timer_kind::cancel:
            attempt_at->second.cancel_due.reset();
            if (attempt_at->second.value.state == attempt_state::stopping)
                call_cancel(t, attempt_at->second);
            return;
        case timer_kind::overrun:
            attempt_at->second.overrun_due.reset();
            return stop(t, attempt_at->second, true);
        case timer_kind::give_up:
            attempt_at->second.give_up_due.reset();
            return give_up_by_rule(t, attempt_at->second);
        case timer_kind::archive: {
            archive_work& work = archives_.at(attempt_id{due.id});
            work.due.reset();
            return archive(t, work);
        }
    }
}

void engine_core::watch_overrun(live_attempt& a, const workload_spec& spec) {
    if (!spec.when.max_runtime_s || !a.value.started_at)
        return;
    const auto limit = later(*a.value.started_at, *spec.when.max_runtime_s) + seconds(spec.grace_s) + overrun_margin;
    timers_.set(timer_kind::overrun, a.value.id.bytes, a.overrun_due, limit);
}

void engine_core::run_provider(turn& t, provider_entry& at) {
    if (!at.config)
        return;
    if (!at.attempts.empty() && t.now >= at.next_poll_at)
        poll(t, at);
    run_gate(t, at);
    if (at.usable() && t.now >= at.next_list_at) {
        at.next_list_at = t.now + options_.list_every;
        t.calls.push_back(list_provider{at.config->id});
    }
}

/// Looks at the next batch; batches are spread so that each attempt is looked at once per poll_s.
void engine_core::poll(turn& t, provider_entry& at) {
    const std::size_t batches = (at.attempts.size() + poll_batch_max - 1) / poll_batch_max;
    at.next_poll_at = t.now + milliseconds(std::max<std::uint64_t>(at.config->poll_s * 1000ull / batches, 1));
    std::vector<attempt_id> batch;
    for (auto next = at.attempts.upper_bound(at.poll_after); next != at.attempts.end() && batch.size() < poll_batch_max;
         ++next)
        batch.push_back(*next);
    at.poll_after = batch.size() < poll_batch_max ? attempt_id{} : batch.back();

    poll_attempts look{at.config->id, {}};
    for (const auto& id : batch) {
        live_attempt& a = attempts.at(id);
        if (!watched(a.value.state))
            continue;
        if (is_silent(a, at, t.now))
            apply(t, a,
                  {.on = attempt_event::silent,
                   .why = adapter_error::unavailable,
                   .message = "Unseen for " + std::to_string(at.config->lost_after_s) + " s."});
        else
            look.attempts.push_back(id);
    }
    if (at.usable() && !look.attempts.empty())
        t.calls.push_back(std::move(look));
}

/// Counted from our own start at the earliest: what was not looked at was not silent.
bool engine_core::is_silent(const live_attempt& a, const provider_entry& at, instant now) const {
    const auto seen = std::max(a.value.last_seen_at.value_or(a.value.created_at), started_at_);
    return now > later(seen, at.config->lost_after_s);
}

std::optional<instant> engine_core::keys_expire_at() const {
    const auto oldest = idempotency_.oldest();
    if (!oldest)
        return std::nullopt;
    return std::max(*oldest + idempotency_kept + milliseconds(1), next_key_expiry_at_);
}

void engine_core::expire_keys(turn& t) {
    const auto due = keys_expire_at();
    if (!due || t.now < *due)
        return;
    const auto before = t.now - idempotency_kept;
    if (idempotency_.expire(before))
        t.changes.idempotency_expired_before = before;
    next_key_expiry_at_ = t.now + key_expiry_every;
}

std::optional<instant> engine_core::provider_due_at(const provider_entry& at) const {
    std::optional<instant> due;
    if (!at.config)
        return due;
    if (!at.attempts.empty())
        earliest(due, at.next_poll_at);
    if (at.usable())
        earliest(due, at.next_list_at);
    earliest(due, at.gate.due());
    return due;
}

std::optional<instant> engine_core::next_wake() const {
    if (!resumed_)
        return started_at_;
    std::optional<instant> due = timers_.next();
    for (const auto& [id, at] : providers_)
        earliest(due, provider_due_at(at));
    earliest(due, keys_expire_at());
    if (const auto* kept = backfill_.first_to_end())
        earliest(due, kept->until);
    earliest(due, signals_.next_change_at());
    earliest(due, put_off_again_at_);
    earliest(due, hours_due_at());
    earliest(due, room_.next_date());
    earliest(due, looks_due_at());
    earliest(due, scores_.next_due());
    if (market_dirty_)
        earliest(due, published_at_ ? *published_at_ + publish_every() : last_now_);
    if (!refreshes_.empty() || !wholes_.empty())
        earliest(due, last_now_);
    if (room_.anyone_to_try() && !draining_ && !policies_.empty())
        earliest(due, market_settled(last_now_) ? last_now_ : started_at_ + market_settle_max);
    return due;
}

}  // namespace westerly
