#include "broker/domain/software.hpp"
#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr std::uint32_t find_base_s = 1;    // the first repeat of a find comes within a second
constexpr std::uint32_t cancel_base_s = 5;  // a repeated cancel, beside the task's grace
constexpr std::uint32_t archive_base_s = 10;
constexpr std::uint32_t doublings_max = 6;       // a find is repeated at least every 64 s, a cancel every 320 s
constexpr std::uint32_t archive_tries_max = 64;  // over two days of outage, once an hour towards the end

/// "local/east/small/on_demand" is the provider's own "small".
std::string name_at_provider(const offer_id& id) {
    const auto site = id.find('/');
    const auto name = site == std::string::npos ? site : id.find('/', site + 1);
    const auto mode = id.rfind('/');
    if (name == std::string::npos || mode <= name)
        return id;
    return id.substr(name + 1, mode - name - 1);
}

}  // namespace

std::uint64_t engine_core::put_outbox(turn& t, const attempt& a, outbox_verb verb, std::uint32_t tasks) {
    outbox_item row;
    row.seq = ++outbox_seq_;
    row.provider_shard = sha256(a.provider)[0];
    row.provider = a.provider;
    row.attempt = a.id;
    row.verb = verb;
    row.tasks = tasks;
    t.changes.outbox_new.push_back(row);
    if (verb == outbox_verb::archive_logs)
        archives_[a.id] = {.row = std::move(row), .failures = 0, .due = std::nullopt, .parked = false};
    return outbox_seq_;
}

void engine_core::call_launch(turn& t, live_attempt& a, const workload_spec& spec, const offer& on) {
    const variant* const fits = variant_for(spec, on);
    const variant& run = fits ? *fits : spec.variants.front();
    auto request = std::make_shared<launch_request>();
    request->token = launch_token(a.value.id);
    request->fence = a.value.fence;
    request->owner = to_string(owner_);
    request->workload = to_string(a.value.workload);
    request->attempt = to_string(a.value.id);
    request->name = spec.name;
    request->tenant = to_string(a.value.tenant);
    request->site = a.value.site;
    request->offer = name_at_provider(a.value.offer);
    request->tasks = gang_of(a.value, spec);
    request->units = a.value.terms.units;
    request->vcpus = spec.resources.vcpus;
    request->memory_mib = spec.resources.memory_mib;
    request->disk_mib = spec.resources.disk_mib;
    request->run = run;
    request->has_files = !run.files.empty();
    request->max_runtime_s = spec.when.max_runtime_s;
    request->grace_s = spec.grace_s;
    a.launch_seq = put_outbox(t, a.value, outbox_verb::launch, request->tasks);
    a.call_ended_at = instant::max();
    if (a.value.number == 1)
        providers_.at(a.value.provider).retries.launched_first(t.now);
    t.calls.push_back(call_provider{.provider = a.value.provider,
                                    .attempt = a.value.id,
                                    .verb = outbox_verb::launch,
                                    .outbox_seq = a.launch_seq,
                                    .launch = std::move(request),
                                    .grace_s = spec.grace_s});
}

void engine_core::on(turn& t, const call_answered& in) {
    live_attempt* a = find_live(in.provider, in.attempt);
    if (!a)
        return;
    if (in.verb == outbox_verb::launch) {
        if (std::exchange(a->call_ended_at, std::min(a->call_ended_at, t.now)) == instant::max())
            judge_launch(t, *a, in.reply);
        if (in.outbox_seq == a->launch_seq)  // else an observation has told already
            apply(t, *a, fact_of_launch(in.reply));
        return;
    }
    if (in.verb != outbox_verb::cancel || in.outbox_seq != a->cancel_seq)
        return;
    a->cancel_under_way = false;
    if (a->value.state == attempt_state::stopping)
        apply(t, *a, fact_of_cancel(in.reply));
    if (a->value.state != attempt_state::stopping)
        return;
    if (in.reply.why == adapter_error::not_found)
        find_later(t, *a, milliseconds(0));
    // Done means asked: it is over only when it is seen to be. Repeated until then.
    const auto wait = back_off(cancel_base_s, std::min(a->cancel_failures++, doublings_max), t.random);
    const auto grace = in.reply.outcome == call_outcome::done ? workloads.at(a->value.workload).value.spec->grace_s : 0;
    timers_.set(timer_kind::cancel, a->value.id.bytes, a->cancel_due, t.now + wait + seconds(grace));
}

/// Asks for its end. While nothing is known to be there to end, the wish is kept and the stop follows the answer.
void engine_core::stop(turn& t, live_attempt& a, bool by_broker) {
    attempt_fact wish{.on = attempt_event::cancel};
    wish.deadline = by_broker;
    apply(t, a, wish);
}

void engine_core::call_cancel(turn& t, live_attempt& a) {
    timers_.clear(timer_kind::cancel, a.value.id.bytes, a.cancel_due);
    if (a.cancel_seq == 0)
        a.cancel_seq = put_outbox(t, a.value, outbox_verb::cancel, 1);
    a.cancel_parked = !providers_[a.value.provider].usable();
    if (a.cancel_parked || a.cancel_under_way)
        return;
    a.cancel_under_way = true;
    t.calls.push_back(call_provider{.provider = a.value.provider,
                                    .attempt = a.value.id,
                                    .verb = outbox_verb::cancel,
                                    .outbox_seq = a.cancel_seq,
                                    .launch = nullptr,
                                    .grace_s = workloads.at(a.value.workload).value.spec->grace_s});
}

void engine_core::find_later(turn& t, live_attempt& a, milliseconds delay) {
    if (a.find_asked_at)
        return;
    const auto at = t.now + delay;
    if (!a.find_due || at < *a.find_due)
        timers_.set(timer_kind::find, a.value.id.bytes, a.find_due, at);
}

void engine_core::find_now(turn& t, live_attempt& a) {
    a.find_parked = !providers_[a.value.provider].usable();
    if (a.find_parked || a.find_asked_at)
        return;
    a.find_asked_at = t.now;
    t.calls.push_back(find_attempt{a.value.provider, a.value.id});
}

/// A find proves absence when it was asked after any launch of it can have been under way, and after the time for
/// which the provider says a created thing may stay unseen.
bool engine_core::proves_absence(const live_attempt& a, instant asked_at) const {
    const auto at = providers_.find(a.value.provider);
    const std::uint32_t unseen_s = at == providers_.end() ? 0 : at->second.health.max_visibility_delay_s;
    return a.call_ended_at != instant::max() && asked_at >= later(a.call_ended_at, unseen_s);
}

void engine_core::on(turn& t, const attempt_found& in) {
    live_attempt* a = find_live(in.provider, in.attempt);
    if (!a)
        return;
    const auto asked_at = std::exchange(a->find_asked_at, std::nullopt);
    const bool there = in.seen && in.seen->at != observation::phase::absent;
    if (there || (in.seen && asked_at && proves_absence(*a, *asked_at)))
        apply(t, *a, fact_of(*in.seen));
    const bool open = a->value.state == attempt_state::unknown || a->value.state == attempt_state::lost;
    const bool too_early = live(a->value.state) && in.seen && in.seen->at == observation::phase::absent &&
                           a->call_ended_at != instant::max();
    if (open || too_early)
        find_later(t, *a, back_off(find_base_s, std::min(a->find_failures++, doublings_max), t.random));
    else
        a->find_failures = 0;
}

void engine_core::archive(turn& t, archive_work& work) {
    const auto at = providers_.find(work.row.provider);
    work.parked = at == providers_.end() || !at->second.usable();
    if (!work.parked)
        t.calls.push_back(archive_logs{.provider = work.row.provider,
                                       .attempt = work.row.attempt,
                                       .tasks = work.row.tasks,
                                       .outbox_seq = work.row.seq});
}

void engine_core::on(turn& t, const logs_archived& in) {
    const auto at = archives_.find(in.attempt);
    if (at == archives_.end() || at->second.row.seq != in.outbox_seq)
        return;
    archive_work& work = at->second;
    if (!in.ok && ++work.failures < archive_tries_max) {
        timers_.set(timer_kind::archive, in.attempt.bytes, work.due,
                    t.now + back_off(archive_base_s, work.failures, t.random));
        return;
    }
    timers_.clear(timer_kind::archive, in.attempt.bytes, work.due);
    t.changes.outbox_done.push_back(work.row.seq);
    archives_.erase(at);
}

}  // namespace westerly
