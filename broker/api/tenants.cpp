#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response list_tenants(const call& c) {
    const auto found = c.house.services.read->list_tenants();
    if (!found)
        return problem(found.error());
    std::vector<const tenant*> all;
    for (const auto& one : *found)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const tenant& t) { return to_string(t.id); },
        [](json_writer& out, const tenant& t) { encode(out, t); });
}

void make_tenant(const call& c, responder answer) {
    auto body = body_fields::parse(c.http.body, c.house.options.body_bytes_max);
    if (!body)
        return answer(problem(body.error()));
    auto name = body->slug("name");
    if (!name)
        return answer(problem(name.error()));
    if (const auto known = body->done(); !known)
        return answer(problem(known.error()));
    create_tenant asked;
    asked.name = std::move(*name);
    ask(c, std::move(asked), std::move(answer), [](result<westerly::answer> given) {
        const auto made = answer_of<tenant>(std::move(given));
        return made ? json_response(201, to_json(*made)) : problem(made.error());
    });
}

}  // namespace westerly
