#pragma once

#include "broker/api/house.hpp"

#include <span>
#include <variant>

namespace westerly {

/// Who may call: anybody; any key; an operator's key; an operator's key or anybody on this machine.
enum class access : std::uint8_t { open, member, operator_, operator_or_loopback };
/// What a request body must be. `ignored` is read and thrown away: the answer does not depend on it.
enum class body_kind : std::uint8_t { none, ignored, json, tar };
/// What an answer is (problems aside), for the Accept header.
enum class answer_kind : std::uint8_t { json, json_or_events, bytes, text };
/// Where a handler runs: on the session's thread, or on the helper threads because it may take long.
enum class run_on : std::uint8_t { session, helper };

using plain_handler = response (*)(const call&);
using asking_handler = void (*)(const call&, responder);

struct route {
    http_method method;
    std::string_view pattern;  // "/v1/workloads/{id}"; a last "{path}" takes all that follows
    access who;
    body_kind body;
    answer_kind answer;
    std::string_view parameters;  // allowed query parameters, separated by spaces
    run_on where;
    std::variant<plain_handler, asking_handler> handler;
};

/// Everything that is served, in one visible table (routes.cpp). HEAD goes where GET goes; OPTIONS is answered from the
/// table. schema/openapi.json holds the same set; a test compares them.
std::span<const route> routes() noexcept;

struct route_match {
    const route* found = nullptr;     // nullptr: no such path, or not with this method
    std::size_t index = 0;            // of found
    bool path_known = false;          // some method is served there
    std::string allow;                // for 405 and OPTIONS; filled when found is nullptr
    std::array<std::string, 2> path;  // values of {…}
};
route_match match_route(std::span<const route> table, http_method method, const std::vector<std::string>& segments);

/// True when a space-separated list holds the word.
bool word_listed(std::string_view words, std::string_view word);

}  // namespace westerly
