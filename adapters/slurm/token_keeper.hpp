#pragma once

#include "adapters/slurm/words/config.hpp"
#include "broker/support/time.hpp"

#include <mutex>

namespace westerly {

/// The token for slurmrestd, renewed before it ends. Its end is checked here before every use, because to slurmrestd an
/// ended token, a dead controller and a missing job look alike. Thread-safe.
class token_keeper {
public:
    explicit token_keeper(const slurm_config& config) : config_(config) {}
    /// Errors: unauthenticated, with what to do; nothing may be sent then.
    result<std::string> token();
    /// Whether another token is to be had although the one in use has not ended: the server refused it.
    void doubt();

private:
    result<std::string> fetch() const;

    const slurm_config& config_;
    std::mutex lock_;
    std::string token_;
    std::optional<instant> ends_at_;
    instant fetched_at_{};
};

}  // namespace westerly
