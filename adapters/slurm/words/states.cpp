#include "adapters/slurm/words/states.hpp"

#include <algorithm>

namespace westerly {
namespace {

struct state_row {
    std::string_view state;
    job_meaning means;
};

/// Flags come first: a job that is COMPLETING has its end time, but its resources are not free yet.
constexpr state_row states[] = {
    {"COMPLETING", job_meaning::running},   {"SPECIAL_EXIT", job_meaning::rerun},
    {"REQUEUED", job_meaning::rerun},       {"REQUEUE_HOLD", job_meaning::rerun},
    {"REQUEUE_FED", job_meaning::rerun},    {"PENDING", job_meaning::waiting},
    {"CONFIGURING", job_meaning::running},  {"RUNNING", job_meaning::running},
    {"SUSPENDED", job_meaning::running},    {"STOPPED", job_meaning::running},
    {"RESIZING", job_meaning::running},     {"SIGNALING", job_meaning::running},
    {"STAGE_OUT", job_meaning::running},    {"COMPLETED", job_meaning::completed},
    {"FAILED", job_meaning::failed},        {"LAUNCH_FAILED", job_meaning::taken_away},
    {"TIMEOUT", job_meaning::timed_out},    {"DEADLINE", job_meaning::timed_out},
    {"CANCELLED", job_meaning::cancelled},  {"NODE_FAIL", job_meaning::taken_away},
    {"BOOT_FAIL", job_meaning::taken_away}, {"PREEMPTED", job_meaning::taken_away},
    {"REVOKED", job_meaning::taken_away},   {"OUT_OF_MEMORY", job_meaning::out_of_memory},
};

struct refusal_row {
    std::int64_t number;
    adapter_error kind;
};

constexpr refusal_row refusals[] = {
    {2002, adapter_error::unauthorised},    // access denied
    {2003, adapter_error::unauthorised},    // not in the partition's group
    {2045, adapter_error::unauthorised},    // no such account for this user
    {2050, adapter_error::quota_exceeded},  // an accounting limit: MaxSubmitJobs and the like
    {2066, adapter_error::unauthorised},    // no such QOS for this user
    // With these a submit may have made a job that waits.
    {2013, adapter_error::none},  // not top priority
    {2015, adapter_error::none},  // the partition cannot run it now
    {2016, adapter_error::none},  // nodes are busy
    {2024, adapter_error::none},  // pending
    {2027, adapter_error::none},  // a backup controller in standby
    {2040, adapter_error::none},  // nodes are not available now
    {error_held, adapter_error::none},
};

}  // namespace

job_meaning meaning_of(const slurm_job& job) {
    auto found = job_meaning::unknown;
    for (const auto& row : states)
        if (std::ranges::find(job.states, row.state) != job.states.end()) {
            found = row.means;
            break;
        }
    if (found == job_meaning::waiting && job.restarts > 0)
        return job_meaning::rerun;
    if (found == job_meaning::waiting && job.reason == "JobHeldUser")
        return job_meaning::held;
    return found;
}

std::string words_of(const slurm_job& job) {
    std::string words;
    for (const auto& state : job.states)
        words += (words.empty() ? "" : "+") + state;
    if (!job.reason.empty() && job.reason != "None")
        words += " (" + job.reason + ')';
    return words;
}

adapter_error refusal_of(std::int64_t number) {
    for (const auto& row : refusals)
        if (row.number == number)
            return row.kind;
    // 2000 to 2999 are slurmctld's own words about the request, 9000 to 9099 slurmrestd's; all others are about the way
    // between the two, and then the job may exist.
    const bool answered = (number >= 2000 && number < 3000) || (number >= 9000 && number < 9100);
    return answered ? adapter_error::invalid : adapter_error::none;
}

bool node_usable(const slurm_node& node) {
    constexpr std::string_view good[] = {"IDLE",  "MIXED",        "ALLOCATED", "COMPLETING",
                                         "CLOUD", "DYNAMIC_NORM", "PLANNED"};
    return !node.states.empty() && std::ranges::all_of(node.states, [&](const std::string& state) {
        return std::ranges::find(good, state) != std::end(good);
    });
}

}  // namespace westerly
