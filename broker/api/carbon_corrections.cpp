#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/codec/correction_json.hpp"

namespace westerly {

/// A page of what was metered is read here; the engine, which gives the rows their numbers, corrects it.
void correct_usage(const call& c, responder answer) {
    auto asked = decode_correction_request(c.http.body);
    if (!asked)
        return answer(problem(asked.error()));
    const auto limit = limit_of(c);
    if (!limit)
        return answer(problem(limit.error()));
    const carbon_publication& told = asked->told;
    auto found = c.house.services.read->list_correctable(
        {told.zone, told.provider, told.site, told.from(), told.until()}, cursor_of(c), *limit);
    if (!found)
        return answer(list_problem(found.error()));
    correct_carbon request;
    request.told = std::make_shared<const carbon_publication>(std::move(asked->told));
    request.read = std::move(*found);
    request.dry_run = asked->dry_run;
    ask(c, std::move(request), std::move(answer), [](result<westerly::answer> given) {
        const auto made = answer_of<corrections_made>(std::move(given));
        return made ? json_response(200, to_json_text(*made)) : problem(made.error());
    });
}

}  // namespace westerly
