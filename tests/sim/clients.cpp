#include "tests/sim/world.hpp"

#include <algorithm>

namespace westerly::sim {

namespace {

constexpr seconds asks_again_after{10};

}  // namespace

void world::make_clients() {
    for (const auto& each : plan_.workloads)
        clients_.push_back({each, "key-" + std::to_string(each.number), std::nullopt, {}, false, false});
    unanswered_ = clients_.size();
    for (std::size_t i = 0; i < clients_.size(); ++i)
        arrivals_.push_back(i);
    std::ranges::stable_sort(arrivals_, std::greater{}, [&](std::size_t i) { return clients_[i].wants.ask_at; });
    await_arrival();
}

/// One at a time, so that a million of them does not fill the queue of what happens when.
void world::await_arrival() {
    if (arrivals_.empty())
        return;
    const auto at = begun_at_ + clients_[arrivals_.back()].wants.ask_at;
    time_.after(std::chrono::duration_cast<milliseconds>(at - time_.now), [this] {
        const auto next = arrivals_.back();
        arrivals_.pop_back();
        await_arrival();
        ask(next);
    });
}

submit_workload world::request_of(std::size_t number, request_id request) const {
    const client& c = clients_[number];
    principal who;
    who.tenant = tenants_[number % tenants_.size()];
    sha256_digest body{};
    body[0] = static_cast<std::uint8_t>(c.wants.number);
    return {request, who, c.wants.spec, c.key, body};
}

/// Repeats the same request until it is answered; some repeat it once more.
void world::ask(std::size_t number) {
    client& c = clients_[number];
    if (c.acknowledged && (!c.wants.repeats || std::exchange(c.asked_again, true)))
        return;
    const auto request = ++requests_;
    submits_[request] = number;
    time_.after(asks_again_after, [this, number] { ask(number); });
    deliver(request_of(number, request));
}

void world::hear(const answer_request& said) {
    if (const auto at = submits_.find(said.request); at != submits_.end()) {
        const auto number = at->second;
        client& c = clients_[number];
        submits_.erase(at);
        if (!said.value)
            return fault("a submit was refused: " + said.value.error().detail);
        const auto id = std::get<submitted>(*said.value).accepted.id;
        if (!store_.workloads.contains(id) && !ended_.contains(id))
            fault("L6: a workload was acknowledged before it was durable");
        if (c.acknowledged && *c.acknowledged != id)
            fault("L6: one idempotency key made two workloads");
        if (c.acknowledged)
            return;
        c.acknowledged = id;
        c.acknowledged_at = time_.now;
        --unanswered_;
        if (c.wants.impatient || c.wants.risks)
            client_of_.emplace(id, number);
        if (c.wants.cancel_after && !std::exchange(c.gives_up, true))
            time_.after(*c.wants.cancel_after, [this, number] { ask_cancel(number); });
    } else if (cancels_.erase(said.request) != 0) {
        ++ends[said.value ? "cancels taken" : "cancels too late"];
    } else if (second_copies_.erase(said.request) != 0) {
        ++ends[said.value ? "second copies taken" : "second copies too late"];
    }
}

/// Who sees no progress cancels, while its launch is unknown or its back-off runs.
void world::lose_patience(const workload_id& with) {
    const auto at = client_of_.find(with);
    if (at == client_of_.end() || !clients_[at->second].wants.impatient ||
        std::exchange(clients_[at->second].gives_up, true))
        return;
    dice moment(plan_.seed, hash_of(clients_[at->second].key));
    time_.after(moment.delay(0, 3'000), [this, number = at->second] { ask_cancel(number); });
}

/// Who would rather have two copies than wait says so after a while.
void world::consider_second_copy(const attempt& unseen) {
    const auto at = client_of_.find(unseen.workload);
    if (at == client_of_.end() || !clients_[at->second].wants.risks)
        return;
    dice moment(plan_.seed, hash_of(clients_[at->second].key) + unseen.number);
    time_.after(moment.one_in(0.5) ? moment.delay(0, 2'000) : moment.delay(0, 30'000),
                [this, number = at->second, id = unseen.id] { ask_second_copy(number, id); });
}

void world::ask_second_copy(std::size_t number, const attempt_id& unseen) {
    const auto stored = store_.attempts.find(unseen);
    if (stored == store_.attempts.end() || !live(stored->second.state) || stored->second.given_up_at)
        return;
    risked_.insert(unseen);
    const auto request = ++requests_;
    second_copies_[request] = number;
    principal who;
    who.tenant = tenants_[number % tenants_.size()];
    deliver(give_up_attempt{request, who, *clients_[number].acknowledged, unseen});
}

void world::ask_cancel(std::size_t number) {
    const auto id = *clients_[number].acknowledged;
    const auto stored = store_.workloads.find(id);
    if (stored == store_.workloads.end() || stored->second.cancel_wanted)
        return;
    const auto request = ++requests_;
    cancels_[request] = number;
    principal who;
    who.tenant = tenants_[number % tenants_.size()];
    time_.after(asks_again_after, [this, number] { ask_cancel(number); });
    deliver(cancel_workload{request, who, id, std::nullopt});
}

}  // namespace westerly::sim
