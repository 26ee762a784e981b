#include "broker/api/problem.hpp"

#include "broker/codec/views_json.hpp"

namespace westerly {
namespace {

struct row {
    errc code;
    int status;
};
constexpr row statuses[] = {
    {errc::invalid, 400},
    {errc::unauthenticated, 401},
    {errc::forbidden, 403},
    {errc::not_found, 404},
    {errc::conflict, 409},
    {errc::key_reused, 422},
    {errc::precondition_failed, 412},
    {errc::too_large, 413},
    {errc::rate_limited, 429},
    {errc::unsupported, 422},
    {errc::no_feasible_offer, 422},
    {errc::overloaded, 503},
    {errc::shutting_down, 503},
    {errc::provider_throttled, 503},
    {errc::provider_rejected, 502},
    {errc::provider_unavailable, 502},
    {errc::timed_out, 504},
    {errc::storage_failed, 500},
    {errc::internal, 500},
};

}  // namespace

int status_of(errc code) noexcept {
    for (const auto& known : statuses)
        if (known.code == code)
            return known.status;
    return 500;
}

response problem(const error& why) {
    return problem(status_of(why.code), why);
}

response problem(int status, const error& why) {
    response answer;
    answer.status = status;
    answer.content_type = "application/problem+json";
    answer.body = encode_problem(why, status);
    if (status == 401)
        answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (status == 429 || status == 503)
        answer.headers.emplace_back("Retry-After", "1");
    return answer;
}

error parameter_error(std::string_view name, std::string message, std::string remedy) {
    error why = fail(errc::invalid, std::string(name) + ": " + message, remedy);
    why.faults.push_back({std::string(name), std::move(message), std::move(remedy)});
    return why;
}

error field_error(std::string_view pointer, std::string message, std::string remedy) {
    error why = fail(errc::invalid, std::string(pointer) + ": " + message, remedy);
    why.faults.push_back({std::string(pointer), std::move(message), std::move(remedy)});
    return why;
}

}  // namespace westerly
