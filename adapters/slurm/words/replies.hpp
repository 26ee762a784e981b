#pragma once

#include "broker/codec/json.hpp"
#include "broker/support/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// What slurmrestd's replies say, whatever version of the API they are in: a number stands bare or as {set, infinite,
/// number}, a state as a word or a list of words, an error's number under one of three names. Pure.

struct slurm_error {
    std::int64_t number = 0;
    std::string text;
};

inline constexpr std::int64_t error_no_such_job = 2017;
inline constexpr std::int64_t error_held = 2042;  // said of every held submit, which succeeds

struct slurm_job {
    std::uint64_t id = 0;
    std::string cluster;
    std::string name;
    std::string comment;
    std::string user;
    std::string partition;
    std::vector<std::string> states;  // first the base state, then flags
    std::string reason;
    std::optional<std::int64_t> wait_status;  // as wait(2) gives it, where it is one
    std::int64_t submit_s = 0;                // of a requeued job: when it was requeued
    std::int64_t start_s = 0;                 // 0: none; of a pending job an expectation
    std::int64_t end_s = 0;                   // likewise
    std::uint32_t restarts = 0;
    std::uint32_t tasks = 1;
};

struct slurm_node {
    std::string name;
    std::string architecture;
    std::vector<std::string> partitions;
    std::vector<std::string> states;  // upper case
    std::uint32_t cpus = 0;
    std::uint32_t cpus_used = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t memory_used_mib = 0;
    std::string gres;       // "gpu:a100:4,npu:ascend910b:8"
    std::string gres_used;  // "gpu:a100:2(IDX:0-1),npu:ascend910b:0"
};

struct slurm_partition {
    std::string name;
    bool up = false;
    std::optional<std::uint32_t> max_minutes;  // nullopt: no limit
};

/// One reply with its list of errors; each list below is empty where the reply has none.
struct slurm_reply {
    std::vector<slurm_error> errors;
    std::uint64_t job_id = 0;  // of a submit; 0: none
    std::string cluster;       // whom it speaks for, where it says so
    std::vector<slurm_job> jobs;
    std::vector<slurm_node> nodes;
    std::vector<slurm_partition> partitions;
    std::vector<std::string> pings;  // "UP", …

    /// The first number that is not 0; 0: no error, or none with a number.
    std::int64_t first_error() const noexcept;
    std::string error_text() const;
};

/// Errors: invalid (not JSON, or not an object).
result<slurm_reply> read_reply(std::string_view body);

/// The jobs of an accounting reply (/slurmdb): their shape is another one.
result<slurm_reply> read_accounting(std::string_view body);

/// The versions under which this server offers the paths "/slurm/VERSION/job/submit", newest first; likewise of
/// "/slurmdb/VERSION/jobs".
struct offered_versions {
    std::vector<int> slurm;  // 38 for v0.0.38
    std::vector<int> accounting;
    std::vector<int> with_hold;  // whose job description has the field "hold"
};
result<offered_versions> read_openapi(std::string_view body);

inline constexpr std::size_t reply_bytes_max = 256u << 20;  // 3.6 KB a job of the whole centre

}  // namespace westerly
