#pragma once

#include "adapters/slurm/http_client.hpp"
#include "adapters/slurm/token_keeper.hpp"
#include "adapters/slurm/words/job_request.hpp"
#include "adapters/slurm/words/replies.hpp"
#include "broker/domain/protocol.hpp"

#include <atomic>
#include <functional>

namespace westerly {

inline constexpr int api_oldest = 38;
inline constexpr int api_newest = 42;

/// What became of a submit. Only `refused` and `not_sent` prove that no job was made.
struct submit_answer {
    enum class fate : std::uint8_t { done, not_sent, refused, unknown } what = fate::unknown;
    std::uint64_t job_id = 0;
    adapter_error kind = adapter_error::unavailable;
    std::string why;
};

/// What is known of a job id. `none` is proved by Slurm's own number for it, never by an empty list.
struct job_answer {
    enum class fate : std::uint8_t { found, none, failed } what = fate::failed;
    slurm_job job;
    std::string why;
};

/// slurmrestd in this adapter's few words. Blocking; thread-safe. Errors of the `result`s: unauthenticated (nothing was
/// sent), provider_unavailable (nothing is known).
class slurm_client {
public:
    /// `config` outlives it.
    explicit slurm_client(const slurm_config& config);

    /// The highest version of the API that server and adapter both speak: 38 for v0.0.38. Asked for once, and again
    /// when the server no longer knows it.
    result<int> version();
    bool has_accounting();

    submit_answer submit(const std::function<std::string(const api_dialect& api)>& body);
    job_answer job(std::uint64_t id);
    /// All jobs of the centre; whole, or an error.
    result<std::vector<slurm_job>> jobs();
    result<void> release(std::uint64_t id);
    /// Done too when it is over or gone.
    result<void> kill(std::uint64_t id);
    result<std::vector<slurm_node>> nodes();
    result<std::vector<slurm_partition>> partitions();
    result<void> ping();
    /// From slurmdbd, jobs since then. Errors also: unsupported, where there is none.
    result<std::vector<slurm_job>> past_jobs(const std::string& name, instant since);

private:
    struct reply {
        bool sent = true;
        int status = 0;
        bool json = false;
        slurm_reply body;
        std::string why;  // no answer, or no sense in it
    };
    result<reply> ask(const char* method, const std::string& path, std::string body, bool repeatable,
                      bool accounting = false);
    result<slurm_reply> get(const std::string& path);
    result<std::string> base(bool accounting);

    const slurm_config& config_;
    token_keeper token_;
    http_client http_;
    std::mutex negotiation_;
    std::atomic<int> version_ = 0;
    std::atomic<int> accounting_ = 0;  // 0: none
    std::atomic<bool> has_hold_ = true;
};

}  // namespace westerly
