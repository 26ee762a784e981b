#include "broker/engine/core.hpp"
#include "broker/placement/market_based.hpp"

namespace westerly {

namespace {

error invalid_at(std::string pointer, std::string message, std::string remedy) {
    error e{errc::invalid, message, remedy, {}};
    e.faults.push_back({std::move(pointer), std::move(message), std::move(remedy)});
    return e;
}

bool may_see(const principal& who, const workload& w) {
    return who.as == role::operator_ || who.tenant == w.tenant;
}

}  // namespace

void engine_core::on(turn& t, const submit_workload& in) {
    admit(t, {in.request, in.who, in.spec, in.spec_text, "POST /v1/workloads", in.idempotency_key, in.body});
}

void engine_core::on(turn& t, const retry_workload& in) {
    const auto at = workloads.find(in.workload);
    if (at != workloads.end() && !at->second.lingers() && may_see(in.who, at->second.value))
        return reply(t, in.request,
                     fail(errc::conflict,
                          "The workload has not ended: it is " + std::string(to_string(at->second.value.state)) + ".",
                          "Wait for its end or cancel it, then retry."));
    if (!in.spec)
        return reply(t, in.request, fail(errc::not_found, "There is no such workload."));
    // The route names the workload: a key used for one must not answer for another.
    admit(t, {in.request, in.who, in.spec, in.spec_text, "POST /v1/workloads/" + to_string(in.workload) + "/retry",
              in.idempotency_key, in.body});
}

void engine_core::admit(turn& t, const submission& asked) {
    if (!asked.key.empty())
        if (const auto* first = idempotency_.find(asked.who.tenant, asked.route, asked.key))
            return answer_repeat(t, asked, *first);
    if (auto no = refuse(asked, t.now))
        return reply(t, asked.request, std::move(*no));

    live_workload fresh;
    workload& w = fresh.value;
    w.id = workload_id::make(t.now, t.random);
    w.tenant = asked.who.tenant;
    w.spec = asked.spec;
    w.spec_text = asked.spec_text;
    w.created_at = fresh.waits_since = t.now;
    w.next_action_at = asked.spec->when.earliest_start_at;
    if (!asked.key.empty()) {
        idempotency_record record{asked.who.tenant, asked.route, asked.key, asked.body, w.id, t.now};
        t.changes.idempotency_new.push_back(record);
        idempotency_.add(std::move(record));
    }
    ++live_per_tenant_[w.tenant];
    ++counts_.workloads[static_cast<std::size_t>(w.state)];
    const auto id = w.id;
    live_workload& kept = workloads.emplace(id, std::move(fresh)).first->second;
    mark(t, kept, touch::made);
    record(t, kept, nullptr, "workload.queued", "Accepted.");
    seat(t, kept);
    t.workload_answers.push_back({asked.request, id, true});
}

void engine_core::answer_repeat(turn& t, const submission& asked, const idempotency_record& first) {
    if (first.body != asked.body)
        return reply(t, asked.request,
                     fail(errc::key_reused, "This Idempotency-Key came earlier with another body.",
                          "Use a new key for a new request, or repeat the first request unchanged."));
    submitted again{.accepted = {}, .repeated = true};
    if (const auto at = workloads.find(first.workload); at != workloads.end()) {
        again.accepted = at->second.value;
    } else {
        again.accepted.id = first.workload;
        again.accepted.tenant = first.tenant;
    }
    reply(t, asked.request, answer(std::move(again)));
}

/// Why this is not taken now, or nullopt.
std::optional<error> engine_core::refuse(const submission& asked, instant now) const {
    if (draining_)
        return fail(errc::shutting_down, "The broker is shutting down and takes no new work.",
                    "Repeat the request with the same Idempotency-Key in a minute.");
    if (auto no = refuse_policy(policies_, name_of_tenant(asked.who.tenant), *asked.spec))
        return no;
    const auto& deadline = asked.spec->when.deadline_at;
    if (deadline && *deadline <= now)
        return invalid_at("/timing/deadline_at", "The deadline has passed already.", "Give a time in the future.");
    if (workloads.size() >= options_.live_workloads_max)
        return fail(
            errc::overloaded,
            "The broker holds " + std::to_string(workloads.size()) + " workloads that have not ended: its limit.",
            "Repeat the request later; the operator can raise the limit.");
    const auto live_here = live_per_tenant_.find(asked.who.tenant);
    if (live_here != live_per_tenant_.end() && live_here->second >= options_.live_per_tenant_max)
        return fail(
            errc::too_large,
            "The tenant has " + std::to_string(live_here->second) + " workloads that have not ended: its limit.",
            "Wait until some end, or cancel some.");
    if (!asked.key.empty() && idempotency_.count(asked.who.tenant) >= options_.idempotency_per_tenant_max)
        return fail(errc::overloaded, "The tenant used too many Idempotency-Keys within 24 hours.",
                    "Repeat the request later: keys are forgotten after 24 hours.");
    return std::nullopt;
}

void engine_core::on(turn& t, const plan_workload& in) {
    const auto tenant = name_of_tenant(in.who.tenant);
    if (auto no = refuse_policy(policies_, tenant, *in.spec))
        return reply(t, in.request, std::move(*no));
    const policy& rules = *policy_for(policies_, tenant, *in.spec).value();
    const policy asked = effective_policy(rules, *in.spec);
    decision_world world = world_at(t.now, nullptr);
    world.plan_only_too = true;
    world.blocked = lasting_blocks_;
    world.budget_left = in.spec->budget;
    world.measured = speeds_.of(in.who.tenant, in.spec->name);
    const auto shape = shape_of(*in.spec, rules.name, in.spec->budget, world.measured);
    const auto* said = hear_terms(t, shape, asked, *in.spec, world);
    if (!said) {
        auto& plans = scores_.at(shape).plans;
        if (plans.size() >= scored_plans_max)
            return reply(t, in.request,
                         fail(errc::overloaded, "Too many plans of this kind wait for a term of a library.",
                              "Repeat the request in a second."));
        plans.push_back(in);
        return;
    }
    world.foreign = *said;
    ++counts_.decisions;
    plan_result shown = plan(book_, asked, terms_, *in.spec, world);
    if (auto why = why_chosen(rules, *in.spec))
        shown.made.notes.push_back(std::move(*why));
    auto told = told_of_offers(shown.made);
    for (appraisal& each : shown.pareto)
        told.push_back(&each);
    count_certificates(in.who.tenant, *in.spec, told);
    foresee_preemption(in, rules, t.now, shown);
    reply(t, in.request, answer(std::move(shown)));
}

void engine_core::on(turn& t, const cancel_workload& in) {
    const auto at = workloads.find(in.workload);
    if (at == workloads.end() || at->second.lingers() || !may_see(in.who, at->second.value))
        return reply(t, in.request, fail(errc::not_found, "There is no such live workload."));
    live_workload& w = at->second;
    if (in.if_revision && *in.if_revision != w.value.revision)
        return reply(
            t, in.request,
            fail(errc::precondition_failed, "The workload is at revision " + std::to_string(w.value.revision) + " now.",
                 "Read it again and repeat the request with its new ETag."));
    if (!w.value.cancel_wanted) {
        w.value.cancel_wanted = true;
        advance(t, w, workload_event::cancel, "The tenant asked for its end.");
        if (!terminal(w.value.state) && w.value.current)
            if (const auto of = attempts.find(*w.value.current); of != attempts.end())
                stop(t, of->second, false);
    }
    t.workload_answers.push_back({in.request, in.workload, false});
}

}  // namespace westerly
