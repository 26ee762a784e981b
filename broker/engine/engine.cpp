#include "broker/engine/core.hpp"

namespace westerly {

struct engine::state {
    engine_core core;
};

engine::engine(engine_options options, term_table terms, stored_state from, instant now)
    : state_(new state{engine_core(std::move(options), terms, std::move(from), now)}) {}

engine::~engine() = default;

reaction engine::handle(const input& in, instant now, random_source& random) {
    return state_->core.handle(in, now, random);
}

std::optional<instant> engine::next_wake() const {
    return state_->core.next_wake();
}

const workload* engine::find(const workload_id& id) const {
    const auto at = state_->core.workloads.find(id);
    return at == state_->core.workloads.end() ? nullptr : &at->second.value;
}

const attempt* engine::find(const attempt_id& id) const {
    const auto at = state_->core.attempts.find(id);
    return at == state_->core.attempts.end() ? nullptr : &at->second.value;
}

std::size_t engine::live_workloads() const {
    return state_->core.workloads.size() - state_->core.lingering;
}

engine_core::engine_core(engine_options options, term_table terms, stored_state from, instant now)
    : options_(std::move(options)), terms_(terms), fair_(options_.fair_share) {
    load(std::move(from), now);
}

reaction engine_core::handle(const input& in, instant now, random_source& random) {
    last_now_ = now;
    turn t{.now = now, .random = random};
    if (!resumed_)
        resume(t);
    std::visit([&](const auto& one) { on(t, one); }, in);
    run_due(t);
    if (signals_.refresh(t.now))
        market_dirty_ = true;
    decide_put_off_again(t);
    try_by_the_hour(t);
    ask_terms_again(t);
    run_placement(t);
    run_looks(t);
    if (!std::holds_alternative<offers_received>(in))  // after it: nobody who asks waits for it
        refresh_offers(t);
    return seal(t);
}

}  // namespace westerly
