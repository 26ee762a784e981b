#pragma once

#include "broker/domain/effects.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace westerly {

/// What the API counts, as Prometheus text. Counting is an atomic addition; nothing is looked up by name on the way.
/// Thread-safe.
class api_metrics {
public:
    api_metrics();
    ~api_metrics();
    api_metrics(const api_metrics&) = delete;
    api_metrics& operator=(const api_metrics&) = delete;

    /// `route` is the index in routes(), or past its end for paths that are not served.
    void answered(std::size_t route, int status, std::chrono::nanoseconds took);
    void connection_opened();
    void connection_closed();
    /// `why` is one of the names in refusals.
    enum class refusal : std::uint8_t { connections, per_address, handshake, plain_http, slow, malformed, count_ };
    void refused(refusal why);

    std::uint64_t connections_open() const;

    /// The API's own metrics and what `market` tells of the broker (may be nullptr).
    std::string text(const market_view* market, std::uint64_t streams_open) const;

private:
    struct registry;
    std::unique_ptr<registry> registry_;
};

}  // namespace westerly
