#pragma once

#include "tools/load/engine/http_load.hpp"

#include <string>
#include <vector>

namespace westerly {

inline constexpr std::size_t bench_connections = 64;
inline constexpr std::size_t bench_tenants = 4;  // so that no limit of one tenant is met

load_options closed_loop(std::uint16_t port, std::size_t connections, std::chrono::duration<double> length);
double ms(std::chrono::nanoseconds time);

/// The workload that is submitted: five limits, so that placing it is work.
std::string submit_body(std::size_t connection, std::size_t number);

/// Submits on all connections: distinct ones, one in ten requests a repeat between them, and what came back.
class submitter {
public:
    /// At most `distinct_max` distinct ones in all. `keys` outlives it.
    submitter(const std::vector<std::string>& keys, std::size_t distinct_max);

    bool make(std::size_t connection, std::string& out);
    void take(std::size_t connection, const http_answer& answer);
    /// Runs it against a broker. Throws std::runtime_error when an answer was wrong.
    load_result run(std::uint16_t port, std::chrono::duration<double> length);

    struct accepted {
        std::size_t connection;
        std::string path;
    };
    const std::vector<accepted>& all() const { return accepted_; }
    const std::string& key_of(std::size_t connection) const { return keys_[connection % keys_.size()]; }
    std::size_t repeated() const { return repeated_; }
    std::size_t placed() const { return placed_; }

private:
    struct at {
        std::size_t made = 0, asked = 0;
        bool repeats = false;
        std::string last{};
    };
    const std::vector<std::string>& keys_;
    const std::size_t distinct_max_;
    std::vector<at> at_;
    std::vector<accepted> accepted_;
    std::size_t distinct_ = 0, wrong_ = 0, repeated_ = 0, placed_ = 0;
};

/// Reads each that was accepted, once.
load_result read_accepted(std::uint16_t port, const submitter& submits, const take_answer& take);

/// Throws std::runtime_error when a run was not sound.
void insist(const load_result& done, std::size_t wrong, const char* what);

}  // namespace westerly
