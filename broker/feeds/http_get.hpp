#pragma once

#include "broker/support/result.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace westerly {

struct http_question {
    std::string url = {};  // http or https
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::filesystem::path ca_file = {};  // empty: the system's certificates
    std::chrono::seconds timeout{10};
    std::size_t body_max = 1 << 20;
};

/// One GET on a connection of its own; blocking, but ends within a tenth of a second of `stop`. Certificates are
/// verified; redirections are not followed. Gives the body of a 200. Errors: provider_unavailable (no connection, or
/// another status), timed_out, too_large, invalid (the address).
result<std::string> http_get(const http_question& ask, std::stop_token stop);

}  // namespace westerly
