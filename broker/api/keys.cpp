#include "broker/api/asked.hpp"
#include "broker/api/handlers.hpp"
#include "broker/support/bytes.hpp"
#include "broker/support/random.hpp"

namespace westerly {
namespace {

constexpr std::size_t key_random_bytes = 32;

/// A tenant by its id or its name.
result<tenant_id> tenant_named(const call& c, const std::string& text) {
    const auto all = c.house.services.read->list_tenants();
    if (!all)
        return all.error();
    for (const auto& one : *all)
        if (one.name == text || to_string(one.id) == text)
            return one.id;
    return field_error("/tenant", "is no tenant", "give the id or the name of a tenant; see /v1/tenants");
}

result<create_key> key_asked(const call& c) {
    auto body = body_fields::parse(c.http.body, c.house.options.body_bytes_max);
    if (!body)
        return body.error();
    auto tenant = body->text("tenant");
    if (!tenant)
        return tenant.error();
    auto as = body->text("role");
    if (!as)
        return as.error();
    auto name = body->slug("name");
    if (!name)
        return name.error();
    if (const auto known = body->done(); !known)
        return known.error();
    create_key asked;
    asked.tenant = c.who.tenant;
    if (!tenant->empty()) {
        const auto named = tenant_named(c, *tenant);
        if (!named)
            return named.error();
        asked.tenant = *named;
    }
    if (*as == "operator")
        asked.as = role::operator_;
    else if (!as->empty() && *as != "member")
        return field_error("/role", "is no role", "use member or operator");
    asked.name = std::move(*name);
    return asked;
}

}  // namespace

response list_keys(const call& c) {
    const auto tenant = tenant_filter(c);
    if (!tenant)
        return problem(tenant.error());
    const auto found = c.house.services.read->list_keys(*tenant);
    if (!found)
        return problem(found.error());
    std::vector<const api_key*> all;
    for (const auto& one : *found)
        all.push_back(&one);
    return page_response(
        c, std::move(all), [](const api_key& k) { return to_string(k.id); },
        [](json_writer& out, const api_key& k) { encode(out, k); });
}

void make_key(const call& c, responder answer) {
    auto asked = key_asked(c);
    if (!asked)
        return answer(problem(asked.error()));
    std::array<std::uint8_t, key_random_bytes> random;
    fill_secure(random);
    std::string secret = "wk_" + to_hex(random);
    asked->hash = sha256(secret);
    ask(c, std::move(*asked), std::move(answer), [secret = std::move(secret)](result<westerly::answer> given) {
        const auto made = answer_of<api_key>(std::move(given));
        if (!made)
            return problem(made.error());
        rapidjson::StringBuffer buffer;
        json_writer out(buffer);
        out.StartObject();
        put_key(out, "key");
        encode(out, *made);
        put_text(out, "secret", secret);
        out.EndObject();
        return json_response(201, {buffer.GetString(), buffer.GetSize()});
    });
}

void end_key(const call& c, responder answer) {
    const auto id = id_in_path<key_id>(c.path[0], "key");
    if (!id)
        return answer(problem(id.error()));
    revoke_key asked;
    asked.who = c.who;
    asked.key = *id;
    ask(c, asked, std::move(answer),
        [](result<westerly::answer> given) { return given ? empty_response(204) : problem(given.error()); });
}

response get_whoami(const call& c) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_id(out, "tenant", c.who.tenant);
    put_text(out, "tenant_name", c.who.tenant_name);
    put_text(out, "role", to_string(c.who.as));
    put_id(out, "key", c.who.key);
    out.EndObject();
    return json_response(200, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace westerly
