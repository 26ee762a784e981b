#pragma once

#include "adapters/local/config.hpp"
#include "broker/domain/protocol.hpp"

#include <functional>
#include <mutex>

namespace westerly {

/// RTT to an endpoint as the time that TCP connects take: the median of rtt_connects of them, one after another, each
/// at most rtt_connect_limit. nullopt where fewer than half of them come to be: no figure is better than a lucky one.
/// The connections are closed at once; nothing is sent over them.
inline constexpr int rtt_connects = 5;
inline constexpr milliseconds rtt_connect_limit{1'000};
std::optional<measured_rtt> measure_rtt(const rtt_probe& to);

/// Measures a list of endpoints again and again, on a thread of its own, which ends with the process. What cannot be
/// measured keeps its last figure with its date, so that it grows old where it is used.
class rtt_prober {
public:
    /// `changed` is called on that thread after each round. Called once, and not at all without probes.
    void begin(std::vector<rtt_probe> probes, seconds every, std::function<void()> changed);
    /// What is known, by the order of the probes.
    std::vector<measured_rtt> known() const;
    /// A sentence for each probe that reached nobody in the last round.
    std::vector<std::string> troubles() const;

private:
    void measure_all(const std::vector<rtt_probe>& probes);

    mutable std::mutex lock_;
    std::vector<std::optional<measured_rtt>> last_;  // parallel to the probes
    std::vector<bool> unreached_;                    // likewise, in the last round; of its thread alone
    std::vector<std::string> troubles_;
};

}  // namespace westerly
