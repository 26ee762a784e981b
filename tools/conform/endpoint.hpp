#pragma once

#include "broker/support/result.hpp"

#include <string>
#include <string_view>

namespace westerly {

/// "http://HOST:PORT/rest" or "HOST:PORT" in its parts.
struct endpoint_parts {
    std::string scheme;  // with "://"; empty where there is none
    std::string host;    // without brackets
    std::string port;
    std::string rest;  // from the path on
    bool http() const noexcept { return scheme == "http://"; }
};

/// Errors: invalid, when no proxy can stand in its place: TLS, whose certificates name the host, or no host and port.
result<endpoint_parts> split_endpoint(std::string_view text);

}  // namespace westerly
