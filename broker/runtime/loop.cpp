#include "broker/runtime/loop.hpp"

#include "broker/codec/history_pack.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/runtime/step_watch.hpp"
#include "broker/support/log.hpp"

#include <algorithm>
#include <chrono>

namespace westerly {

namespace {

constexpr milliseconds longest_sleep{1000};  // bounds what a stepped clock can do to timers

milliseconds until(std::optional<instant> wake, instant now) {
    if (!wake)
        return longest_sleep;
    return std::clamp(*wake - now, milliseconds{0}, longest_sleep);
}

/// Packs decisions on the thread that made them: they are hundreds of small pieces of memory, dear to give back on
/// another one.
void pack_decisions(change_set& changes) {
    for (const decision& d : changes.decisions) {
        const auto basis = std::ranges::find(changes.bases, d.id, &decision_basis::of);
        changes.decisions_packed.push_back(
            {d.id, d.workload, pack_decision(d), basis == changes.bases.end() ? std::string() : pack_basis(*basis)});
    }
    changes.decisions.clear();
    changes.bases.clear();
}

}  // namespace

loop::loop(engine& core, store& keep, std::uint64_t seed, std::function<void(effect)> carry_out,
           std::function<void(const error&)> poisoned)
    : core_(core), store_(keep), random_(seed), carry_out_(std::move(carry_out)), poisoned_(std::move(poisoned)) {}

loop::~loop() {
    stop();
}

void loop::start() {
    writer_thread_ = std::thread([this] { run_writer(); });
    engine_thread_ = std::thread([this] { run_engine(); });
}

void loop::stop() {
    inputs_.close();
    if (engine_thread_.joinable())
        engine_thread_.join();
    if (writer_thread_.joinable())
        writer_thread_.join();
}

result<void> loop::request(input in) {
    if (!inputs_.push_request(std::move(in)))
        return fail(errc::overloaded, "too many requests wait for the broker", "try again in a few seconds");
    return {};
}

void loop::observe(input in) {
    inputs_.push(std::move(in));
}

loop::counters loop::read_counters() const {
    return {handled_.load(),         commits_.load(),       change_sets_.load(),
            commit_us_total_.load(), commit_us_max_.load(), inputs_.size()};
}

void loop::run_engine() {
    const wall_clock& clock = system_wall_clock();
    step_watch steps;
    // The engine measures time by the wall clock, so it must know that this was set before anything of the new time.
    const auto now = [&] {
        const auto wall = clock.now();
        if (const auto by = steps.look(wall, std::chrono::steady_clock::now())) {
            log_event(log_level::warning, "clock.stepped", {{"by_ms", std::int64_t{by->count()}}});
            push(core_.handle(clock_stepped{*by}, wall, random_));
        }
        return wall;
    };
    while (!inputs_.closed_and_empty()) {
        const auto batch = inputs_.take(until(core_.next_wake(), clock.now()));
        for (const input& in : batch)
            push(core_.handle(in, now(), random_));
        handled_ += batch.size();
        const auto checked = now();
        if (const auto wake = core_.next_wake(); wake && *wake <= checked)
            push(core_.handle(tick{}, checked, random_));
    }
    {
        const std::lock_guard lock(mutex_);
        engine_done_ = true;
    }
    work_.notify_all();
}

void loop::push(reaction r) {
    if (r.changes.empty() && r.effects.empty() && r.spent.empty())
        return;
    pack_decisions(r.changes);
    {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return reactions_.size() < reactions_max; });
        reactions_.push_back(std::move(r));
    }
    work_.notify_one();
}

std::vector<reaction> loop::take_group() {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [this] { return !reactions_.empty() || engine_done_; });
    std::vector<reaction> group;
    while (!reactions_.empty() && group.size() < group_max) {
        group.push_back(std::move(reactions_.front()));
        reactions_.pop_front();
    }
    lock.unlock();
    room_.notify_all();
    return group;
}

void loop::run_writer() {
    std::vector<change_set> changes;
    bool poisoned = false;
    for (auto group = take_group(); !group.empty(); group = take_group()) {
        changes.clear();
        for (reaction& r : group)
            if (!r.changes.empty())
                changes.push_back(std::move(r.changes));
        if (!changes.empty() && !poisoned) {
            const auto begun = std::chrono::steady_clock::now();
            const auto done = store_.commit(changes);
            const auto took = static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun)
                    .count());
            ++commits_;
            change_sets_ += changes.size();
            commit_us_total_ += took;
            commit_us_max_ = std::max(commit_us_max_.load(), took);
            if (!done) {
                poisoned = true;
                poisoned_(done.error());
            }
        }
        if (poisoned)
            continue;  // nothing may be answered or done: what is on disk is unknown
        for (reaction& r : group)
            for (effect& e : r.effects)
                carry_out_(std::move(e));
    }
}

}  // namespace westerly
