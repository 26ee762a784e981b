#pragma once

#include "broker/api/request_reader.hpp"
#include "broker/api/router.hpp"
#include "broker/api/target.hpp"

#include <optional>

namespace westerly {

/// One request with everything that was found out about it. Owned by the session (and by a helper thread while a
/// handler runs there), so that what `call` refers to stays where it is.
struct exchange {
    request http;
    target_parts target;
    route_match match;
    principal who;
    std::optional<rate_limiter::verdict> rate;
};

/// How much body a request may bring, known when its header is: 0 for routes that take none or are not served.
std::size_t body_bytes_allowed(const api_house& house, const exchange& x);

/// The header is there, the body is not: finds the route, then checks method, key, role, rate, query parameters,
/// Accept, Content-Type, Expect and Content-Length. An answer means that the request ends here and its body is not
/// wanted. Never throws.
std::optional<response> admit(api_house& house, exchange& x, const request_reader& head);

/// The body is there: runs the handler. Plain ones answer before this returns unless they belong on a helper thread,
/// for which `on_helper` is asked (false: its queue is full). Never throws: what a handler throws is logged and becomes
/// a 500.
void run_handler(api_house& house, std::shared_ptr<exchange> x, responder answer,
                 const std::function<bool(std::function<void()>)>& on_helper);

/// Adds the rate-limit headers.
void finish(const exchange& x, response& answer);

}  // namespace westerly
