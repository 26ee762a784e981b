#include "broker/engine/core.hpp"

namespace westerly {

namespace {

constexpr std::size_t detail_bytes_max = 1024;

/// Cuts at a character's beginning, so that UTF-8 stays whole.
void cut(std::string& text) {
    if (text.size() <= detail_bytes_max)
        return;
    std::size_t end = detail_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    text.resize(end);
}

}  // namespace

instant later(instant from, std::uint64_t seconds_count) noexcept {
    constexpr std::uint64_t century_s = 100ull * 366 * 86'400;
    return from + seconds(static_cast<std::int64_t>(std::min(seconds_count, century_s)));
}

void engine_core::record(turn& t, live_workload& w, const attempt* about, std::string type, std::string detail) {
    cut(detail);
    const auto shard = shard_of(w.value.tenant);
    event e{.seq = ++event_seq_[shard],
            .shard = shard,
            .prev_seq = w.value.revision,
            .at = t.now,
            .tenant = w.value.tenant,
            .workload = w.value.id,
            .attempt = about ? std::optional(about->id) : std::nullopt,
            .type = std::move(type),
            .detail = std::move(detail)};
    w.value.revision = e.seq;
    w.value.updated_at = t.now;
    t.changes.events.push_back(std::move(e));
    mark(t, w, touch::changed);
}

void engine_core::record_tenant(turn& t, const tenant_id& id, std::string type, std::string detail) {
    cut(detail);
    const auto shard = shard_of(id);
    t.changes.events.push_back(event{.seq = ++event_seq_[shard],
                                     .shard = shard,
                                     .prev_seq = 0,
                                     .at = t.now,
                                     .tenant = id,
                                     .workload = {},
                                     .attempt = std::nullopt,
                                     .type = std::move(type),
                                     .detail = std::move(detail)});
}

void engine_core::mark(turn& t, live_workload& w, touch how) {
    if (w.mark != touch::none)
        return;
    w.mark = how;
    t.workloads.push_back(w.value.id);
}

void engine_core::mark(turn& t, live_attempt& a, touch how) {
    if (a.mark != touch::none)
        return;
    a.mark = how;
    t.attempts.push_back(a.value.id);
}

void engine_core::reply(turn& t, request_id request, result<answer> value) {
    if (request != 0)
        t.answers.push_back(answer_request{request, std::move(value)});
}

/// An ended workload leaves memory, but not before the attempts of it that were given up.
void engine_core::leave(const workload_id& id) {
    const auto at = workloads.find(id);
    live_workload& w = at->second;
    if (w.given_up != 0 && !std::exchange(w.lingering, true))
        ++lingering;
    if (w.given_up != 0)
        return;
    lingering -= w.lingering ? 1 : 0;
    workloads.erase(at);
}

/// The turn's changes as whole values. What has ended leaves memory here and not before, so that everything in a turn
/// may look at what it works on.
reaction engine_core::seal(turn& t) {
    for (const auto& given : t.workload_answers) {
        const workload& value = workloads.at(given.workload).value;
        reply(t, given.request, given.submitted ? answer(submitted{value, false}) : answer(value));
    }
    for (const auto& id : t.workloads) {
        const auto at = workloads.find(id);
        live_workload& w = at->second;
        auto& list = w.mark == touch::made ? t.changes.workloads_new : t.changes.workloads_changed;
        list.push_back(w.value);
        w.value.spec_text.reset();  // it never changes, and would be half of what a live workload costs
        w.mark = touch::none;
        if (terminal(w.value.state))
            leave(at->first);
    }
    for (const auto& id : t.attempts) {
        const auto at = attempts.find(id);
        live_attempt& a = at->second;
        auto& list = a.mark == touch::made ? t.changes.attempts_new : t.changes.attempts_changed;
        list.push_back(a.value);
        a.mark = touch::none;
        if (!live(a.value.state))
            attempts.erase(at);
    }
    t.changes.tenant_uses = fair_.take_changed(t.now);
    t.changes.epoch = epoch_;
    if (!t.changes.empty())
        market_dirty_ = true;  // its counts follow

    reaction out;
    // Before the answers: who was told of a new key may use it, and a revoked one is refused from the answer on.
    if (!t.changes.tenants.empty() || !t.changes.keys.empty())
        out.effects.push_back(keys_changed{});
    std::ranges::move(t.answers, std::back_inserter(out.effects));
    t.answers.clear();
    std::ranges::move(t.calls, std::back_inserter(out.effects));
    if (!t.changes.events.empty())
        out.effects.push_back(publish_events{t.changes.events});
    t.calls.clear();
    publish(t);
    std::ranges::move(t.calls, std::back_inserter(out.effects));
    out.changes = std::move(t.changes);
    out.spent = std::move(t.spent);
    return out;
}

}  // namespace westerly
