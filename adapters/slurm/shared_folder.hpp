#pragma once

#include "adapters/slurm/words/job_script.hpp"

#include <sys/types.h>

#include <filesystem>
#include <functional>

namespace westerly {

/// What the job and its adapter left for each other in an attempt's folder.
struct run_marks {
    bool readable = false;  // false: the rest is not known
    bool gate = false;      // it has begun, or was given up
    bool again = false;     // Slurm started it a second time
    std::optional<std::int64_t> began_ms;
    std::optional<run_record> ended;
    std::optional<seconds> silent;  // since the last sign of life, by the file server's clock
};

/// This provider's part of a centre's shared directory: attempts/TOKEN, checkpoints/WORKLOAD, and staged/TOKEN for
/// bundles. The job's user owns what the job writes; it is untrusted, so nothing below an attempt is opened through a
/// link.
class shared_folder {
public:
    /// Finds out as whom to leave files. `config` outlives it. `name`: of the part, which no other broker or provider
    /// may have.
    shared_folder(const slurm_config& config, const std::string& name);

    /// Empty, or why attempts cannot be kept here and what to do.
    std::string problem() const;

    std::filesystem::path attempt(const std::string& token) const { return root_ / "attempts" / token; }
    std::filesystem::path checkpoint(const std::string& workload) const { return root_ / "checkpoints" / workload; }
    std::filesystem::path staged(const std::string& token) const { return root_ / "staged" / token; }

    /// A fresh folder for the attempt, whatever was there. Errors: invalid (its bundle is missing), storage_failed.
    result<void> make(const launch_request& request);
    /// Which job may run it. Durable.
    result<void> name_job(const std::string& token, std::uint64_t job_id);
    /// The running job ends itself, within a few seconds and the grace.
    result<void> stop(const std::string& token, std::uint32_t grace_s);

    run_marks marks(const std::string& token) const;
    /// True: no job can run the attempt any more, and none has. False: one has begun, or it is not known.
    bool claim_gate(const std::string& token);
    /// The end of Slurm's own log of the job, for people.
    std::string job_log_end(const std::string& token) const;

    /// Removes an attempt's files.
    void remove(const std::string& token);
    /// Removes checkpoints of workloads for which `known` says false, and bundles older than a day.
    void remove_old(const std::function<bool(const std::string& workload)>& known);

private:
    result<void> make_folder(const std::filesystem::path& path, mode_t mode) const;
    result<void> give_away(const std::filesystem::path& path) const;
    result<void> write_control(const std::string& token, const char* name, const std::string& text) const;

    const slurm_config& config_;
    std::filesystem::path root_;
    bool give_ = false;  // root leaves folders to the job's user
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    std::string no_user_;
};

}  // namespace westerly
