#include "tests/sim/world.hpp"

#include <algorithm>

namespace westerly::sim {

namespace {

constexpr seconds faults_last{600};
constexpr std::chrono::hours patience{12};

owner_id the_owner() {
    random_source random(1);
    return owner_id::make(instant(milliseconds(1)), random);
}

}  // namespace

world::world(std::uint64_t seed) : chance_(seed), engine_random_(seed ^ 0x9E3779B97F4A7C15ull), store_(the_owner()) {
    random_source random(seed);
    tenant_ = tenant_id::make(time_.now, random);
    set_faults();
    const scripted_provider::wiring wired{time_, chance_, rates_, [this](const input& in) { deliver(in); },
                                          [this] {
                                              return process_;
                                          }};
    for (const char* name : {"east", "west"})
        providers_.emplace(name, std::make_unique<scripted_provider>(
                                     wired, name, static_cast<std::uint64_t>(chance_.between(2, 4)),
                                     chance_.one_in(0.5) ? 0u : static_cast<std::uint32_t>(chance_.between(1, 40))));
    make_clients();
}

/// Each history has its own mixture: some kinds of fault often, some never.
void world::set_faults() {
    for (double* rate :
         {&rates_.lose_call, &rates_.refuse, &rates_.forget, &rates_.lose_news, &rates_.repeat_news, &rates_.fail_read,
          &rates_.partial_list, &rates_.stay_deaf, &rates_.preempt, &rates_.go_down, &rates_.stray})
        *rate = chance_.one_in(0.5) ? 0 : static_cast<double>(chance_.between(1, 35)) / 100;
    rates_.crash = chance_.one_in(0.3) ? 0 : static_cast<double>(chance_.between(1, 20)) / 1000;
    time_.after(faults_last, [this] { rates_ = {}; });
}

void world::run() {
    start_process();
    const instant end = time_.now + patience;
    const instant calm = time_.now + faults_last;
    const auto settled = [&] {
        return time_.now > calm && core_ && core_->live_workloads() == 0 && store_.outbox.empty() &&
               uncommitted_.empty() &&
               std::ranges::all_of(clients_, [](const client& c) { return c.acknowledged.has_value(); }) &&
               std::ranges::all_of(providers_, [](const auto& entry) {
                   return std::ranges::none_of(entry.second->things,
                                               [](const auto& t) { return t.second.alive() && t.second.ours; });
               });
    };
    while (faults.empty() && !settled() && time_.step(end)) {
        ++steps;
        check_step();
    }
    check_end();
}

// ---- the broker's process -----------------------------------------------------------------------------------------

void world::start_process() {
    ++process_;
    tick_at_ = {};
    core_ = std::make_unique<engine>(engine_options{}, term_table{}, store_.load(), time_.now);
    policy cheapest;
    cheapest.name = "cheapest";
    deliver(policies_configured{{cheapest}, {}});
    providers_configured all;
    for (const auto& [id, each] : providers_)
        all.providers.push_back(each->config());
    if (core_)
        deliver(all);
    if (core_)
        for (const auto& [id, each] : providers_)
            each->meet_broker();
}

/// kill -9: what was not committed was never, effects that had not run are not run.
void world::crash() {
    ++crashes;
    note("crash");
    ++process_;
    core_.reset();
    uncommitted_.clear();
    commit_due_ = false;
    submits_.clear();
    cancels_.clear();
    for (const auto& [id, each] : providers_)
        each->broker_gone();
    time_.after(chance_.delay(0, 20'000), [this] { start_process(); });
}

bool world::may_crash() {
    if (!core_ || !chance_.one_in(rates_.crash))
        return false;
    crash();
    return true;
}

void world::deliver(const input& in) {
    if (!core_ || may_crash())
        return;
    note("input", in.index());
    reaction made = core_->handle(in, time_.now, engine_random_);
    if (!made.changes.empty() || !made.effects.empty())
        uncommitted_.push_back(std::move(made));
    if (!uncommitted_.empty() && !commit_due_) {
        commit_due_ = true;
        time_.after(chance_.delay(0, 40), [this, process = process_] {
            if (process_ == process)
                commit();
        });
    }
    schedule_tick();
}

void world::commit() {
    commit_due_ = false;
    if (may_crash())
        return;
    auto group = std::exchange(uncommitted_, {});
    for (const auto& each : group) {
        if (each.changes.empty())
            continue;
        store_.commit(each.changes);
        for (const auto& e : each.changes.events)
            note(e.type, e.seq);
    }
    faults.insert(faults.end(), store_.faults.begin(), store_.faults.end());
    if (chance_.one_in(0.1))
        compare_with_fresh_load();
    for (auto& each : group) {
        const auto process = process_;
        run_effects(std::move(each.effects));
        if (process_ != process)
            return;
    }
}

void world::run_effects(std::vector<effect> effects) {
    for (const auto& one : effects) {
        if (may_crash())
            return;
        note("effect", one.index());
        run_effect(one);
    }
}

void world::run_effect(const effect& one) {
    const auto to = [&](const provider_id& id) -> scripted_provider& {
        return *providers_.at(id);
    };
    if (const auto* call = std::get_if<call_provider>(&one)) {
        check_launch(*call);
        to(call->provider).run(*call);
    } else if (const auto* find = std::get_if<find_attempt>(&one)) {
        to(find->provider).run(*find);
    } else if (const auto* look = std::get_if<poll_attempts>(&one)) {
        to(look->provider).run(*look);
    } else if (const auto* list = std::get_if<list_provider>(&one)) {
        to(list->provider).run(*list);
    } else if (const auto* orphan = std::get_if<sweep_orphan>(&one)) {
        to(orphan->provider).run(*orphan);
    } else if (const auto* keep = std::get_if<archive_logs>(&one)) {
        time_.after(chance_.delay(1, 2000), [this, process = process_, keep = *keep] {
            if (process_ == process)
                deliver(logs_archived{keep.attempt, keep.outbox_seq, chance_.one_in(0.8), "unavailable"});
        });
    } else if (const auto* said = std::get_if<answer_request>(&one)) {
        hear(*said);
    }
}

void world::schedule_tick() {
    const auto wake = core_->next_wake();
    if (!wake)
        return;
    const instant at = std::max(*wake, time_.now + milliseconds(1));
    if (tick_at_ > time_.now && tick_at_ <= at)
        return;
    tick_at_ = at;
    time_.after(at - time_.now, [this, process = process_, at] {
        if (process_ == process && tick_at_ == at)
            deliver(tick{});
    });
}

// ---- clients ------------------------------------------------------------------------------------------------------

void world::make_clients() {
    const auto count = static_cast<std::size_t>(chance_.between(4, 12));
    for (std::size_t i = 0; i < count; ++i) {
        auto spec = std::make_shared<workload_spec>();
        spec->name = "w" + std::to_string(i);
        spec->policy = "cheapest";
        spec->tasks = static_cast<std::uint32_t>(chance_.between(1, 2));
        spec->priority = static_cast<std::int32_t>(chance_.between(-1, 1));
        spec->grace_s = static_cast<std::uint32_t>(chance_.between(0, 20));
        spec->variants.emplace_back();
        spec->variants.back().command = {"true"};
        if (chance_.one_in(0.3))
            spec->when.max_wait_s = static_cast<std::uint64_t>(chance_.between(30, 900));
        if (chance_.one_in(0.2))
            spec->when.max_runtime_s = static_cast<std::uint64_t>(chance_.between(10, 200));
        if (chance_.one_in(0.5))
            spec->retry.on.push_back(retry_cause::failed);
        clients_.push_back({"key-" + std::to_string(i), spec, std::nullopt, chance_.one_in(0.3)});
        time_.after(chance_.delay(0, 400'000), [this, i] { ask(i); });
    }
}

/// Repeats the same request until it is answered.
void world::ask(std::size_t number) {
    client& c = clients_[number];
    if (c.acknowledged)
        return;
    const auto request = ++requests_;
    submits_[request] = number;
    principal who;
    who.tenant = tenant_;
    sha256_digest body{};
    body[0] = static_cast<std::uint8_t>(number);
    time_.after(seconds(10), [this, number] { ask(number); });
    deliver(submit_workload{request, who, c.spec, c.key, body});
}

void world::hear(const answer_request& said) {
    if (const auto at = submits_.find(said.request); at != submits_.end()) {
        const auto number = at->second;
        client& c = clients_[number];
        submits_.erase(at);
        if (!said.value)
            return fault("a submit was refused: " + said.value.error().detail);
        const auto id = std::get<submitted>(*said.value).accepted.id;
        if (!store_.workloads.contains(id))
            fault("L6: a workload was acknowledged before it was durable");
        if (c.acknowledged && *c.acknowledged != id)
            fault("one idempotency key made two workloads");
        c.acknowledged = id;
        counted["acknowledged"] += 1;
        if (c.wants_cancel)
            time_.after(chance_.delay(0, 100'000), [this, number] { ask_cancel(number); });
    } else if (cancels_.erase(said.request) != 0) {
        counted[said.value ? "cancels taken" : "cancels of ended ones"] += 1;
    }
}

void world::ask_cancel(std::size_t number) {
    const auto id = *clients_[number].acknowledged;
    const auto& stored = store_.workloads.at(id);
    if (terminal(stored.state) || stored.cancel_wanted)
        return;
    const auto request = ++requests_;
    cancels_[request] = number;
    principal who;
    who.tenant = tenant_;
    time_.after(seconds(10), [this, number] { ask_cancel(number); });
    deliver(cancel_workload{request, who, id, std::nullopt});
}

}  // namespace westerly::sim
