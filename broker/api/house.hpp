#pragma once

#include "broker/api/api_server.hpp"
#include "broker/api/event_hub.hpp"
#include "broker/api/message.hpp"
#include "broker/api/metrics.hpp"
#include "broker/api/rate_limiter.hpp"

#include <atomic>

namespace westerly {

/// What every session and handler shares. Thread-safe. Answers that come late keep it alive.
struct api_house : std::enable_shared_from_this<api_house> {
    api_house(api_options o, api_services s);

    const api_options options;
    const api_services services;
    api_metrics metrics;
    event_hub events;
    stream_counter streams;
    rate_limiter rates;
    std::atomic<bool> draining{false};
    /// Never nullptr: an empty view before the first is published.
    std::shared_ptr<const market_view> market() const;
    std::string openapi;  // the document served
};

/// One request on its way through a handler. A plain handler may use all of it until it returns; an asking handler too,
/// but nothing of it afterwards (the answer may come after the request is gone), except `house`.
struct call {
    const request& http;
    api_house& house;
    principal who;                         // of open routes: default
    std::array<std::string_view, 2> path;  // values of {…} in the pattern, in order
    const query_parameters& query;

    bool operator_asks() const { return who.as == role::operator_; }
    /// The tenant that bounds what the caller may read; nullopt: all (operators).
    std::optional<tenant_id> bound() const {
        return operator_asks() ? std::nullopt : std::optional<tenant_id>(who.tenant);
    }
    /// The first value of a query parameter.
    std::optional<std::string_view> parameter(std::string_view name) const;
};

}  // namespace westerly
