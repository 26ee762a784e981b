#include "tests/sim/world.hpp"

#include <cstdio>

namespace westerly::sim {

namespace {

constexpr std::uint64_t world_actor = 10;
constexpr std::chrono::hours patience{24};
constexpr std::uint64_t whole_memory_every = 10'000;  // steps
constexpr std::size_t few_keys = 10'000;
constexpr std::size_t clients_per_tenant = 20'000;

owner_id the_owner() {
    random_source random(1);
    return owner_id::make(instant(milliseconds(1)), random);
}

}  // namespace

world::world(const plan& of)
    : plan_(of),
      board_(of, time_),
      chance_(of.seed, world_actor),
      engine_random_(of.seed ^ 0x9E3779B97F4A7C15ull),
      store_(the_owner()),
      configured_(of.providers.size(), true),
      away_since_(of.providers.size(), time_.now) {
    random_source random(of.seed);
    for (std::size_t i = 0; i <= of.workloads.size() / clients_per_tenant; ++i)
        tenants_.push_back(tenant_id::make(time_.now, random));
    scripted_provider::surroundings& here = *this;
    for (std::size_t i = 0; i < of.providers.size(); ++i) {
        numbers_[of.providers[i].config.id] = i;
        providers_.push_back(std::make_unique<scripted_provider>(here, time_, board_, of, i));
    }
    make_clients();
    plan_faults();
}

void world::run() {
    start_process();
    const instant end = time_.now + plan_.calm_at + patience;
    if (each_day)
        time_.after(std::chrono::hours(24), [this] { new_day(); });
    while (faults.empty() && !settled() && time_.step(end)) {
        ++steps;
        if ((plan_.seed * 2'503 + steps) % whole_memory_every == 0)
            compare_with_fresh_load(store_.keys_of_clients().size() <= few_keys);
    }
    if (faults.empty())
        check_end();
}

void world::new_day() {
    each_day(std::chrono::duration_cast<milliseconds>(time_.now - begun_at_));
    time_.after(std::chrono::hours(24), [this] { new_day(); });
}

bool world::settled() const {
    if (unanswered_ != 0 || !core_ || !uncommitted_.empty() || core_->live_workloads() != 0 || !store_.outbox.empty() ||
        !store_.workloads.empty() || time_.now - begun_at_ <= plan_.calm_at)
        return false;
    for (const auto& each : providers_)
        if (each->alive() != 0)
            return false;
    return true;
}

void world::trace(const std::string& what, std::string_view word, std::string_view more) const {
    if (traces)
        std::printf("%8lld ms  %s  %s %s\n", static_cast<long long>((time_.now - begun_at_).count()), what.c_str(),
                    std::string(word).c_str(), std::string(more).c_str());
}

// ---- what is struck, and which transitions it takes -----------------------------------------------------------------

void world::struck(fault_kind kind, const std::string& token) {
    hits.strike(kind);
    trace(token, "struck by", to_string(kind));
    const auto id = attempt_of_token(token);
    const auto at = id ? store_.attempts.find(*id) : store_.attempts.end();
    if (at == store_.attempts.end() || !live(at->second.state))
        return;
    struck_attempts_[*id] |= bit(kind);
    struck_workloads_[at->second.workload] |= bit(kind);
}

void world::struck_all(fault_kind kind, std::size_t provider) {
    hits.strike(kind);
    for (const auto& [id, a] : store_.attempts)
        if (live(a.state) && a.provider == plan_.providers[provider].config.id) {
            struck_attempts_[id] |= bit(kind);
            struck_workloads_[a.workload] |= bit(kind);
        }
}

void world::moves(const attempt& from, attempt_event on, attempt_state to) {
    const auto at = struck_attempts_.find(from.id);
    const fault_set by = at == struck_attempts_.end() ? 0 : at->second;
    hits.count(from.state, on, by);
    trace(launch_token(from.id), to_string(from.state), to_string(on));
    if (to != from.state)
        has_waited_since_[from.id] = time_.now;
    if (on == attempt_event::no_answer)
        lose_patience(from.workload);
    if (to == attempt_state::unknown || to == attempt_state::lost)
        consider_second_copy(from);
    // A wish to cancel that waited for the launch's outcome goes straight on: two rows in one step.
    const bool resolved = on == attempt_event::accepted || on == attempt_event::started;
    if (resolved && to == attempt_state::stopping && from.state != attempt_state::stopping)
        hits.count(find_transition(from.state, on)->to, attempt_event::cancel, by);
}

void world::moves(const workload& from, workload_event on) {
    const auto at = struck_workloads_.find(from.id);
    hits.count(from.state, on, at == struck_workloads_.end() ? 0 : at->second);
    trace(to_string(from.id), to_string(from.state), to_string(on));
    if (on == workload_event::requeued)
        lose_patience(from.id);
}

bool world::handle_known(const std::string& token) const {
    const auto id = attempt_of_token(token);
    const auto* known = id && core_ ? core_->find(*id) : nullptr;
    return known && !known->handle.empty();
}

bool world::recorded(const std::string& token) const {
    const auto id = attempt_of_token(token);
    return id && store_.attempts.contains(*id);
}

std::optional<workload_id> world::workload_of(const std::string& token) const {
    const auto id = attempt_of_token(token);
    if (!id)
        return std::nullopt;
    if (const auto at = store_.attempts.find(*id); at != store_.attempts.end())
        return at->second.workload;
    const auto ended = ended_attempts_.find(*id);
    return ended == ended_attempts_.end() ? std::nullopt : std::optional(ended->second);
}

void world::made(std::size_t number, const thing& what) {
    trace(what.token, "exists at", plan_.providers[number].config.id);
    if (++deeds_[what.token].things > 1)
        fault("an effect was applied twice: two things for one token");
    const auto of = workload_of(what.token);
    if (!of)
        return fault("L2: a thing was made for an attempt that is not durable");
    if (++alive_[*of] > 1 && two_where_one_may_be(*of))
        fault("L1: two things of one workload are alive");
}

void world::gone(const thing& what) {
    trace(what.token, what.forgotten ? "is forgotten" : "has ended");
    if (const auto of = workload_of(what.token); of && --alive_[*of] == 0)
        alive_.erase(*of);
}

}  // namespace westerly::sim
