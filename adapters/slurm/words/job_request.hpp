#pragma once

#include "adapters/slurm/words/config.hpp"
#include "adapters/slurm/words/supply.hpp"

namespace westerly {

/// The resources of one job, in Slurm's terms.
struct job_shape {
    std::uint32_t tasks = 1;
    std::uint32_t cpus_per_task = 1;
    std::uint32_t nodes = 0;           // 0: as Slurm likes
    std::uint32_t tasks_per_node = 0;  // likewise
    std::uint64_t memory_per_cpu_mib = 0;
    std::uint64_t memory_per_node_mib = 0;  // either this or the one above
    std::string gres;                       // "gpu:a100:2" on each node; empty: none
    std::optional<std::uint32_t> minutes;   // Slurm's own limit, behind the one that the job keeps itself
};

/// The job for this many units of an offer. Errors: invalid, in words for the tenant: it can never run there.
result<job_shape> shape_of(const launch_request& request, const supply_item& on);

struct job_paths {
    std::string folder;  // of the attempt, in the shared directory
    std::string script;
};

inline constexpr std::string_view comment_word = "westerly";

/// What marks a job as ours: with the name, which is the token.
std::string comment_of(const launch_request& request, const std::string& provider);
/// Whether this comment carries the owner mark, and names this provider: two of one broker may share a cluster.
bool comment_is_of(std::string_view comment, std::string_view owner, std::string_view provider);
/// "workload=" and the like of our comments; empty where it has none.
std::string comment_field(std::string_view comment, std::string_view name);

/// How one version of the API wants a job.
struct api_dialect {
    int version = 38;      // v0.0.38
    bool has_hold = true;  // else a priority of 0 holds a job
};

/// The body of POST job/submit: held, never requeued.
std::string submit_body(const api_dialect& api, const slurm_config& config, const launch_request& request,
                        const std::string& provider, const supply_item& on, const job_shape& shape,
                        const job_paths& paths);
/// The body of POST job/ID that lets it go.
std::string release_body(const api_dialect& api);

}  // namespace westerly
