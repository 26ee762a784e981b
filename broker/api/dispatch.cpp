#include "broker/api/dispatch.hpp"

#include "broker/api/answer_slot.hpp"
#include "broker/api/problem.hpp"
#include "broker/support/bytes.hpp"
#include "broker/support/ids.hpp"
#include "broker/support/log.hpp"

namespace westerly {
namespace {

constexpr std::string_view key_prefix = "Bearer wk_";
constexpr std::size_t key_hex_digits = 64;
constexpr std::size_t ignored_body_max = 64 * 1024;

response unauthenticated(std::string detail) {
    return problem(fail(errc::unauthenticated, std::move(detail),
                        "send Authorization: Bearer wk_ followed by the 64 hex digits of a key"));
}

/// The digest of the key in the header, or nullopt when it has not the form of one.
std::optional<sha256_digest> digest_of_key(std::string_view authorization) {
    if (!authorization.starts_with(key_prefix) || authorization.size() != key_prefix.size() + key_hex_digits)
        return std::nullopt;
    for (const char c : authorization.substr(key_prefix.size()))
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return std::nullopt;
    return sha256(authorization.substr(std::string_view("Bearer ").size()));
}

std::optional<response> authenticate(api_house& house, exchange& x) {
    const auto wanted = x.match.found->who;
    if (wanted == access::open || (wanted == access::operator_or_loopback && x.http.from_loopback))
        return std::nullopt;
    if (x.http.authorization.empty())
        return unauthenticated("this needs an API key");
    const auto digest = digest_of_key(x.http.authorization);
    const auto who = digest ? house.services.authenticate(*digest) : std::nullopt;
    if (!who)
        return unauthenticated("the API key is not known, or was revoked");
    x.who = *who;
    if (house.rates.enabled()) {
        x.rate = house.rates.take(who->key, std::chrono::steady_clock::now());
        if (!x.rate->allowed)
            return problem(fail(errc::rate_limited,
                                "this key has made more than " + std::to_string(x.rate->limit) + " requests a second",
                                "wait a second, and spread requests out"));
    }
    if (wanted != access::member && who->as != role::operator_)
        return problem(fail(errc::forbidden, "this is for operators", "use a key with the role operator"));
    return std::nullopt;
}

response no_such_method(const exchange& x) {
    if (x.http.method == http_method::options) {
        auto answer = empty_response(204);
        answer.headers.emplace_back("Allow", x.match.allow);
        return answer;
    }
    auto answer =
        problem(405, fail(errc::invalid, "this path does not take that method", "use one of " + x.match.allow));
    answer.headers.emplace_back("Allow", x.match.allow);
    return answer;
}

std::optional<response> check_parameters(const exchange& x) {
    const auto allowed = x.match.found->parameters;
    for (const auto& [name, value] : x.target.query) {
        if (!word_listed(allowed, name))
            return problem(parameter_error(
                "?" + name, "is not a query parameter of this path",
                allowed.empty() ? "this path takes none" : "leave it out; known are: " + std::string(allowed)));
        if (name == "label" || name == "state")
            continue;
        for (const auto& other : x.target.query)
            if (other.first == name && &other.second != &value)
                return problem(parameter_error("?" + name, "is given twice", "give it once"));
    }
    return std::nullopt;
}

bool answer_accepted(answer_kind kind, std::string_view accept) {
    switch (kind) {
        case answer_kind::json:
            return accepts(accept, "application/json");
        case answer_kind::json_or_events:
            return accepts(accept, "application/json") || accepts(accept, "text/event-stream");
        case answer_kind::bytes:
            return accepts(accept, "application/octet-stream") || accepts(accept, "application/json");
        case answer_kind::text:
            return accepts(accept, "text/plain");
    }
    return true;
}

std::string_view answer_types(answer_kind kind) {
    switch (kind) {
        case answer_kind::json:
            return "application/json";
        case answer_kind::json_or_events:
            return "application/json or text/event-stream";
        case answer_kind::bytes:
            return "application/octet-stream";
        case answer_kind::text:
            return "text/plain";
    }
    return "*/*";
}

std::optional<response> check_types(const exchange& x) {
    const auto& route = *x.match.found;
    if (!answer_accepted(route.answer, x.http.accept))
        return problem(406, fail(errc::invalid, "the Accept header admits nothing that this path can answer",
                                 "accept " + std::string(answer_types(route.answer))));
    if (route.body == body_kind::json && !is_media_type(x.http.content_type, "application/json"))
        return problem(415, fail(errc::invalid, "the body must be JSON", "send Content-Type: application/json"));
    if (route.body == body_kind::tar && !is_media_type(x.http.content_type, "application/x-tar") &&
        !is_media_type(x.http.content_type, "application/octet-stream"))
        return problem(415,
                       fail(errc::invalid, "the body must be a tar archive", "send Content-Type: application/x-tar"));
    return std::nullopt;
}

std::optional<response> find_and_check(api_house& house, exchange& x) {
    auto target = parse_target(x.http.target);
    if (!target)
        return problem(target.error());
    x.target = std::move(*target);
    x.match = match_route(routes(), x.http.method, x.target.segments);
    if (!x.match.path_known)
        return problem(fail(errc::not_found, "there is no such path", "see /openapi.json for all that is served"));
    if (x.match.found == nullptr)
        return no_such_method(x);
    if (auto refused = authenticate(house, x))
        return refused;
    if (auto refused = check_parameters(x))
        return refused;
    return check_types(x);
}

/// The answer to a defect of ours; the log line carries the same mark.
response incident(const exchange& x, std::string_view what) {
    random_source random(secure_seed());
    const auto mark = format_uuid(make_uuid_v7(system_wall_clock().now(), random));
    log_event(log_level::error, "api.handler_failed",
              {{"incident", mark},
               {"method", std::string(to_string(x.http.method))},
               {"route", std::string(x.match.found != nullptr ? x.match.found->pattern : "")},
               {"what", std::string(what)}});
    return problem(fail(errc::internal, "a defect of the broker ended this request (incident " + mark + ")",
                        "try again; if it stays so, give the incident to the operator"));
}

response run_plain(api_house& house, const exchange& x, plain_handler handler) {
    const call made{x.http, house, x.who, {x.match.path[0], x.match.path[1]}, x.target.query};
    try {
        return handler(made);
    } catch (const std::exception& e) {
        return incident(x, e.what());
    }
}

void run_asking(api_house& house, const exchange& x, asking_handler handler, const responder& answer) {
    const call made{x.http, house, x.who, {x.match.path[0], x.match.path[1]}, x.target.query};
    try {
        handler(made, answer);
    } catch (const std::exception& e) {
        answer(incident(x, e.what()));
    }
}

}  // namespace

response response_of(given_answer given, const exchange& x) {
    if (!given.make)
        return std::move(given.made);
    try {
        return given.make();
    } catch (const std::exception& e) {
        return incident(x, e.what());
    }
}

std::size_t body_bytes_allowed(const api_house& house, const exchange& x) {
    if (x.match.found == nullptr)
        return 0;
    switch (x.match.found->body) {
        case body_kind::none:
            return 0;
        case body_kind::ignored:
            return ignored_body_max;
        case body_kind::json:
            return house.options.body_bytes_max;
        case body_kind::tar:
            return house.options.bundle_bytes_max;
    }
    return 0;
}

std::optional<response> admit(api_house& house, exchange& x, const request_reader& head) {
    if (!head.http_1_0() && !head.has_one_host())
        return problem(400, fail(errc::invalid, "the request has not exactly one Host header", "send one"));
    try {
        if (auto refused = find_and_check(house, x))
            return refused;
    } catch (const std::exception& e) {
        return incident(x, e.what());
    }
    if (!head.expect().empty() && !is_media_type(head.expect(), "100-continue"))
        return problem(417, fail(errc::invalid, "the Expect header is not understood", "leave it out"));
    const auto allowed = body_bytes_allowed(house, x);
    if (head.content_length().value_or(0) > allowed)
        return body_refused(allowed);
    return std::nullopt;
}

void run_handler(api_house& house, std::shared_ptr<exchange> x, responder answer,
                 const std::function<bool(std::function<void()>)>& on_helper) {
    const auto& route = *x->match.found;
    const auto run = [&house, x, answer, handler = route.handler] {
        if (const auto* plain = std::get_if<plain_handler>(&handler))
            return answer(run_plain(house, *x, *plain));
        run_asking(house, *x, std::get<asking_handler>(handler), answer);
    };
    if (route.where == run_on::session)
        return run();
    if (!on_helper(run))
        answer(problem(fail(errc::overloaded, "too many long requests wait already", "try again in a second")));
}

void finish(const exchange& x, response& answer) {
    if (!x.rate)
        return;
    answer.headers.emplace_back("RateLimit-Limit", std::to_string(x.rate->limit));
    answer.headers.emplace_back("RateLimit-Remaining", std::to_string(x.rate->remaining));
    answer.headers.emplace_back("RateLimit-Reset", std::to_string(x.rate->reset_s));
}

}  // namespace westerly
