#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {
namespace {

const provider_health* health_of(const market_view& market, const provider_id& id) {
    const auto at = std::ranges::find(market.providers, id, &provider_health::id);
    return at == market.providers.end() ? nullptr : &*at;
}

const quarantine* distrust_of(const market_view& market, const provider_id& id) {
    const auto at = std::ranges::find(market.quarantines, id, &quarantine::provider);
    return at == market.quarantines.end() ? nullptr : &*at;
}

const provider_config* config_of(const market_view& market, std::string_view id) {
    const auto at = std::ranges::find(market.provider_configs, id, &provider_config::id);
    return at == market.provider_configs.end() ? nullptr : &*at;
}

error no_such_provider() {
    return fail(errc::not_found, "there is no such provider", "see /v1/providers");
}

void set_cordon(const call& c, bool cordoned, responder answer) {
    if (config_of(*c.house.market(), c.path[0]) == nullptr)
        return answer(problem(no_such_provider()));
    cordon_provider asked;
    asked.provider = c.path[0];
    asked.cordoned = cordoned;
    ask(c, std::move(asked), std::move(answer),
        [](result<westerly::answer> given) { return given ? empty_response(204) : problem(given.error()); });
}

}  // namespace

response list_providers(const call& c) {
    const auto market = c.house.market();
    std::vector<const provider_config*> all;
    for (const auto& one : market->provider_configs)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const provider_config& p) -> const std::string& { return p.id; },
        [&](json_writer& out, const provider_config& p) {
            encode(out, p, health_of(*market, p.id), distrust_of(*market, p.id));
        });
}

response get_provider(const call& c) {
    const auto market = c.house.market();
    const auto* found = config_of(*market, c.path[0]);
    if (found == nullptr)
        return problem(no_such_provider());
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode(out, *found, health_of(*market, found->id), distrust_of(*market, found->id));
    return json_response(200, {buffer.GetString(), buffer.GetSize()});
}

void probe_provider(const call& c, responder answer) {
    const auto market = c.house.market();
    const auto* found = config_of(*market, c.path[0]);
    if (found == nullptr)
        return answer(problem(no_such_provider()));
    if (found->kind == "catalogue")
        return answer(problem(
            fail(errc::conflict, "a catalogue has no adapter that could be asked", "probe a provider that runs work")));
    c.house.services.probe(found->id, [answer = std::move(answer)](result<probe_reply> given) {
        if (!given)
            return answer(problem(given.error()));
        rapidjson::StringBuffer buffer;
        json_writer out(buffer);
        out.StartObject();
        put_flag(out, "ok", given->ok);
        put_text(out, "message", given->message);
        out.EndObject();
        answer(json_response(200, {buffer.GetString(), buffer.GetSize()}));
    });
}

void cordon_one(const call& c, responder answer) {
    set_cordon(c, true, std::move(answer));
}

void uncordon_one(const call& c, responder answer) {
    set_cordon(c, false, std::move(answer));
}

response refuse_provider_change(const call&) {
    return problem(fail(errc::conflict, "providers are managed by files",
                        "put, edit or remove providers/ID.json in the broker's configuration folder and send SIGHUP"));
}

}  // namespace westerly
