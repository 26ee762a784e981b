#pragma once

#include "adapters/slurm/words/replies.hpp"
#include "broker/domain/protocol.hpp"

namespace westerly {

/// What a job's state means for an attempt.
enum class job_meaning : std::uint8_t {
    waiting,
    held,     // by its user: not released yet, or the release was forgotten
    running,  // or on its way out: Slurm has not closed its record yet
    rerun,    // put back into the queue after it had run
    completed,
    failed,
    timed_out,
    cancelled,
    taken_away,  // by the centre: node failure, preemption
    out_of_memory,
    unknown  // a state of a newer Slurm: look again
};
job_meaning meaning_of(const slurm_job& job);
constexpr bool is_end(job_meaning what) noexcept {
    return what >= job_meaning::completed && what <= job_meaning::out_of_memory;
}

/// For people: "NODE_FAIL (NodeDown)".
std::string words_of(const slurm_job& job);

/// Whether this submit was proved to have made nothing, and as what the broker hears of it; none: not proved.
adapter_error refusal_of(std::int64_t error_number);

/// Whether a node takes new work; and whether it answers at all.
bool node_usable(const slurm_node& node);

}  // namespace westerly
