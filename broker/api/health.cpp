#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response get_healthz(const call&) {
    return json_response(200, R"({"status":"ok"})");
}

response get_readyz(const call& c) {
    if (c.house.draining.load())
        return problem(fail(errc::shutting_down, "the broker is shutting down", "ask another one, or later"));
    if (!c.house.services.ready())
        return problem(503, fail(errc::overloaded, c.house.services.why_not_ready(), "wait until it is ready"));
    return json_response(200, R"({"status":"ready"})");
}

response get_metrics(const call& c) {
    const auto market = c.house.market();
    response answer;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = c.house.metrics.text(market.get(), c.house.streams.open());
    if (c.house.services.extra_metrics)
        answer.body += c.house.services.extra_metrics();
    return answer;
}

response get_openapi(const call& c) {
    return json_response(200, c.house.openapi);
}

}  // namespace westerly
