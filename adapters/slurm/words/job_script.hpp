#pragma once

#include "adapters/slurm/words/job_request.hpp"

namespace westerly {

/// The names below the folder of an attempt in the shared directory. The folder belongs to the job's user; `control`
/// below it belongs to the adapter, and the job only reads there.
namespace attempt_file {
inline constexpr const char* control = "control";
inline constexpr const char* job = "control/job";    // the id of the one job that may run
inline constexpr const char* stop = "control/stop";  // its grace in seconds: end now
inline constexpr const char* run = "control/run";    // the task's variables and command, for bash
inline constexpr const char* rank = "control/rank";  // what starts one rank, for bash
inline constexpr const char* bundle = "control/bundle.tar";
inline constexpr const char* gate = "gate";    // a folder; who makes it decides whether the attempt runs
inline constexpr const char* began = "began";  // milliseconds since 1970
inline constexpr const char* alive = "alive";  // touched every alive_every_s while the job runs
inline constexpr const char* again = "again";  // a second run of the job came and ended itself
inline constexpr const char* ended = "ended";  // "MILLISECONDS CODE RANK WHY"
inline constexpr const char* output = "output";
inline constexpr const char* tasks = "tasks";  // tasks/RANK/stdout, stderr
}  // namespace attempt_file

inline constexpr int alive_every_s = 5;

/// What the job wrote about its own end.
struct run_record {
    std::int64_t ended_ms = 0;
    std::int32_t code = 0;  // as a shell tells it: 128 and more is a signal
    std::uint32_t rank = 0;
    bool timed_out = false;
};
std::optional<run_record> read_run_record(std::string_view text);

/// The script that Slurm runs on the first node. It runs the attempt only if the adapter recorded this very job, and
/// only once: a job that Slurm starts again, or that no record knows, ends itself. It never passes a task's exit code
/// on, because a site may requeue by exit code; the code stands in its record.
std::string batch_script(const slurm_config& config, const launch_request& request, const std::string& folder,
                         const job_shape& shape);
/// control/rank: one task with its folders, variables, log files, time limit and stop.
std::string rank_script(const slurm_config& config, const launch_request& request, const std::string& folder,
                        const std::string& checkpoint_folder);
/// control/run.
std::string run_script(const launch_request& request);

/// In single quotes for a shell, whatever bytes it holds.
std::string shell_quoted(std::string_view text);

/// The kernel refuses an argument or variable of this many bytes and more.
inline constexpr std::size_t argument_bytes_max = 131'072;

}  // namespace westerly
