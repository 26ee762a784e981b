#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/workload_json.hpp"

namespace westerly {

void make_plan(const call& c, responder answer) {
    const auto spoken = language_of(c);
    if (!spoken)
        return answer(problem(spoken.error()));
    auto spec = decode_workload(c.http.body, workload_use::plan);
    if (!spec)
        return answer(problem(spec.error()));
    plan_workload asked;
    asked.who = c.who;
    asked.spec = std::make_shared<const workload_spec>(std::move(*spec));
    ask(c, std::move(asked), std::move(answer), [in = *spoken](result<westerly::answer> given) {
        const auto plan = answer_of<plan_result>(std::move(given));
        return plan ? json_response(200, to_json(*plan, in)) : problem(plan.error());
    });
}

}  // namespace westerly
