#include "policies/table.hpp"
#include "tests/sim/world.hpp"

namespace westerly::sim {

namespace {

/// What the simulated broker is started with: lists are rarer than in life, so that silence has time to be noticed, and
/// so are market views, which cost much and change nothing.
engine_options options(transition_watch* watch) {
    engine_options out;
    out.list_every = seconds(45);
    out.market_publish_every = seconds(5);
    out.watch = watch;
    return out;
}

policies_configured policies() {
    policy cheapest, balanced;
    cheapest.name = "cheapest";
    balanced.name = "balanced";
    balanced.prices = {{"green_power", 0.61}, {"time", 5.0}};
    // Runs are moved for little and often, so that faults meet them.
    cheapest.replacement = replacement_rule{
        .min_gain = 0.1, .min_gain_amount = 0, .at_most_every_s = 3, .look_every_s = 5, .moves_max = 3};
    balanced.replacement = cheapest.replacement;
    return {{cheapest, balanced}, {}};
}

}  // namespace

void world::start_process() {
    ++process_;
    process_since_ = time_.now;
    std::ranges::fill(away_since_, time_.now);
    try {
        core_ = std::make_unique<engine>(options(this), built_in_terms(), store_.load(), broker_clock());
    } catch (const std::exception& what) {
        return engine_threw(what);
    }
    deliver(policies());
    configure_providers();
    if (core_)
        for (std::size_t i = 0; i < providers_.size(); ++i)
            if (configured_[i])
                providers_[i]->meet_broker();
}

void world::configure_providers() {
    providers_configured all;
    for (std::size_t i = 0; i < providers_.size(); ++i)
        if (configured_[i])
            all.providers.push_back(plan_.providers[i].config);
    deliver(all);
}

/// kill -9: what was not committed was never, effects that had not run are not run.
void world::crash(fault_kind kind) {
    ++crashes;
    note(100 + static_cast<std::uint64_t>(kind));
    compare_with_fresh_load(true);
    strike_everyone(kind);
    ++process_;
    core_.reset();
    uncommitted_.clear();
    commit_due_ = false;
    submits_.clear();
    cancels_.clear();
    second_copies_.clear();
    for (auto& each : providers_)
        each->adapter_gone(false);
    time_.after(chance_.delay(0, 20'000), [this] { start_process(); });
}

/// A boundary at which a crash of this kind may strike: does one?
bool world::crash_due(fault_kind kind) {
    ++boundaries[static_cast<std::size_t>(kind)];
    const auto since = std::chrono::duration_cast<milliseconds>(time_.now - begun_at_);
    for (auto each = crashes_.begin(); each != crashes_.end(); ++each) {
        if (each->kind != kind || since >= each->until || each->param-- > 0)
            continue;
        crashes_.erase(each);
        crash(kind);
        return true;
    }
    return false;
}

void world::deliver(const input& in) {
    if (!core_)
        return;
    note(200 + in.index());
    reaction made;
    try {
        made = core_->handle(in, broker_clock(), engine_random_);
    } catch (const std::exception& what) {
        return engine_threw(what);
    }
    watch_outage(in);
    check_reaction(made);
    if (!made.changes.empty() || !made.effects.empty())
        uncommitted_.push_back(std::move(made));
    if (!uncommitted_.empty() && !commit_due_) {
        commit_due_ = true;
        dice moment(plan_.seed, static_cast<std::uint64_t>(time_.now.time_since_epoch().count()));
        time_.after(moment.delay(0, 40), [this, process = process_] {
            if (process_ == process)
                commit();
        });
    }
    schedule_tick();
}

/// Whatever waits is committed as one group; its effects run after it, in order.
void world::commit() {
    commit_due_ = false;
    if (crash_due(fault_kind::crash_unsynced))
        return;
    const auto group = std::exchange(uncommitted_, {});
    for (const auto& each : group) {
        if (each.changes.empty())
            continue;
        store_.commit(each.changes);
        check_commit(each.changes);
        retire(each.changes);
        for (const auto& e : each.changes.events)
            note(hash_of(e.type), e.seq ^ hash_of(e.detail));
    }
    faults.insert(faults.end(), store_.faults.begin(), store_.faults.end());
    if (crash_due(fault_kind::crash_committed))
        return;
    for (const auto& each : group) {
        const auto process = process_;
        run_effects(each.effects);
        if (process_ != process)
            return;
    }
}

void world::run_effects(const std::vector<effect>& effects) {
    const auto process = process_;
    for (const auto& one : effects) {
        note(300 + one.index());
        run_effect(one);
        if (process_ != process || crash_due(fault_kind::crash_between))
            return;
    }
}

void world::run_effect(const effect& one) {
    const auto to = [&](const provider_id& id) -> scripted_provider& {
        return *providers_.at(numbers_.at(id));
    };
    if (const auto* call = std::get_if<call_provider>(&one)) {
        note(static_cast<std::uint64_t>(call->verb), call->outbox_seq);
        check_call(*call);
        to(call->provider).run(*call);
    } else if (const auto* find = std::get_if<find_attempt>(&one)) {
        deeds_[launch_token(find->attempt)].asked_at = time_.now;
        to(find->provider).run(*find);
    } else if (const auto* look = std::get_if<poll_attempts>(&one)) {
        to(look->provider).run(*look);
    } else if (const auto* list = std::get_if<list_provider>(&one)) {
        to(list->provider).run(*list);
    } else if (const auto* orphan = std::get_if<sweep_orphan>(&one)) {
        check_sweep(*orphan);
        to(orphan->provider).run(*orphan);
    } else if (const auto* keep = std::get_if<archive_logs>(&one)) {
        ++deeds_[launch_token(keep->attempt)].archives;
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
    const auto wait = std::max(std::chrono::duration_cast<milliseconds>(*wake - broker_clock()), milliseconds(1));
    time_.after(wait, [this, process = process_, mine = ++tick_] {
        if (process_ == process && tick_ == mine)
            deliver(tick{});
    });
}

// ---- what goes wrong by plan ----------------------------------------------------------------------------------------

void world::plan_faults() {
    for (const auto& each : plan_.faults)
        time_.after(each.from, [this, &each] { begin_fault(each); });
    time_.after(plan_.calm_at, [this] {
        if (skew_ != milliseconds(0))
            step_clock(-skew_);
    });
}

void world::begin_fault(const planned_fault& fault) {
    switch (fault.kind) {
        case fault_kind::crash_unsynced:
        case fault_kind::crash_committed:
        case fault_kind::crash_between:
            return crashes_.push_back(fault);
        case fault_kind::clock_forward:
        case fault_kind::clock_back:
            strike_everyone(fault.kind);
            return step_clock(milliseconds(fault.param));
        case fault_kind::unconfigure:
            if (!configured_[fault.provider])
                return;
            struck_all(fault.kind, fault.provider);
            configured_[fault.provider] = false;
            away_since_[fault.provider] = time_.now;
            configure_providers();
            providers_[fault.provider]->unconfigured();
            time_.after(fault.until - fault.from, [this, at = fault.provider] {
                configured_[at] = true;
                configure_providers();
                if (core_)
                    providers_[at]->meet_broker();
            });
            return;
        default:
            if (configured_[fault.provider])
                providers_[fault.provider]->fault_begins(fault);
    }
}

void world::step_clock(milliseconds by) {
    note(400, static_cast<std::uint64_t>(by.count()));
    skew_ += by;
    deliver(clock_stepped{by});
}

void world::strike_everyone(fault_kind kind) {
    hits.strike(kind);
    for (const auto& [id, w] : store_.workloads)
        if (!terminal(w.state))
            struck_workloads_[id] |= bit(kind);
    for (const auto& [id, a] : store_.attempts)
        if (live(a.state))
            struck_attempts_[id] |= bit(kind);
}

}  // namespace westerly::sim
