#pragma once

#include "broker/support/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace westerly {

/// Counts what really ran. Tasks of the kit connect to a port of this machine and say their token: a provider whose
/// tasks can reach it cannot run one token twice unseen, whatever its adapter tells. Tasks elsewhere are not seen.
class run_witness {
public:
    run_witness() = default;
    ~run_witness();
    run_witness(const run_witness&) = delete;
    run_witness& operator=(const run_witness&) = delete;

    /// Errors: internal, when no port can be had.
    result<void> open();
    /// Shell words that report the task; they do nothing where there is no bash or no way to us.
    std::string shell(const std::string& token) const;
    /// Takes in what has arrived.
    void gather();
    /// How often a task of this rank began under the token.
    unsigned runs(const std::string& token, unsigned rank = 0) const;
    /// Any at all: whether absence means something.
    bool heard() const noexcept { return !runs_.empty(); }
    /// "TOKEN rank R ran N times" for each that ran more than once.
    std::vector<std::string> doubles() const;

private:
    struct caller {
        int fd = -1;
        std::string said;
    };
    int listener_ = -1;
    unsigned port_ = 0;
    std::vector<caller> callers_;
    std::map<std::string, unsigned> runs_;  // by "TOKEN.RANK"
};

}  // namespace westerly
