#pragma once

#include "broker/lifecycle/step.hpp"

namespace westerly {

/// Times of the tests: seconds after a fixed morning.
inline instant at_s(std::int64_t s) {
    return instant(milliseconds(1'750'000'000'000)) + seconds(s);
}

inline attempt_id id_of(std::uint8_t n) {
    attempt_id id;
    id.bytes.fill(n);
    return id;
}

inline attempt attempt_in(attempt_state state, std::uint8_t n = 1) {
    attempt made;
    made.id = id_of(n);
    made.provider = "p";
    made.created_at = made.updated_at = at_s(0);
    made.state = state;
    made.handle = state == attempt_state::running || state == attempt_state::stopping ? "h-1" : "";
    if (state == attempt_state::running || state == attempt_state::stopping)
        made.started_at = made.last_seen_at = at_s(10);
    return made;
}

inline observation seen_as(observation::phase phase, std::uint64_t seq = 1, std::uint8_t n = 1) {
    observation seen;
    seen.at = phase;
    seen.token = launch_token(id_of(n));
    seen.seq = seq;
    return seen;
}

inline observation seen_exit(std::int32_t code, std::uint64_t seq = 1) {
    observation seen = seen_as(observation::phase::exited, seq);
    seen.started_at = at_s(20);
    seen.ended_at = at_s(80);
    seen.exit_code = code;
    return seen;
}

inline mutation_reply reply_of(call_outcome outcome, adapter_error why = adapter_error::none, std::string handle = {}) {
    mutation_reply reply;
    reply.outcome = outcome;
    reply.why = why;
    reply.handle = std::move(handle);
    return reply;
}

}  // namespace westerly
