#include "tools/westerly/commands.hpp"

#include <cstdio>

namespace westerly {

namespace {

void put(rapidjson::Document& into, const char* name, const std::string& value) {
    if (!value.empty())
        into.AddMember(rapidjson::Value(name, into.GetAllocator()), rapidjson::Value(value, into.GetAllocator()),
                       into.GetAllocator());
}

std::string to_text(const rapidjson::Document& document) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    document.Accept(out);
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

int login(const std::string& url, const std::string& key, std::string fingerprint, const std::string& ca_file,
          bool json) {
    const auto to = parse_endpoint(url);
    if (!to)
        return complain(to.error());
    const bool pinned = !fingerprint.empty();
    if (!pinned && ca_file.empty()) {
        auto shown = fetch_fingerprint(*to);
        if (!shown)
            return complain(shown.error());
        fingerprint = *shown;
    }
    const profile who{url, key, fingerprint, ca_file};
    auto broker = connect(who);
    if (!broker)
        return complain(broker.error());
    cli with{.who = who, .broker = std::move(*broker), .json = json};
    const auto me = get(with, "/v1/whoami");
    if (!me)
        return complain(me.error());
    if (auto saved = save_profile(with.who); !saved)
        return complain(saved.error());
    if (json)
        print_json(*me);
    else
        std::printf("logged in to %s as %s of tenant %s; saved in %s\n", url.c_str(), text_at(*me, "role").c_str(),
                    text_at(*me, "tenant_name").c_str(), profile_file().c_str());
    if (!pinned && ca_file.empty() && !json)
        std::printf("trusted on first use: certificate %s\ncompare it with what westerlyd printed at its start\n",
                    fingerprint.c_str());
    return 0;
}

int whoami(cli& with) {
    const auto me = get(with, "/v1/whoami");
    if (!me)
        return complain(me.error());
    if (with.json)
        print_json(*me);
    else
        std::printf("%s of tenant %s at %s\n", text_at(*me, "role").c_str(), text_at(*me, "tenant_name").c_str(),
                    with.who.url.c_str());
    return 0;
}

int backup(cli& with) {
    const auto made = post(with, "/v1/backup");
    if (!made)
        return complain(made.error());
    if (with.json)
        print_json(*made);
    else
        std::printf("%s\nto restore: stop westerlyd, then westerlyd --restore FILE\n", text_at(*made, "path").c_str());
    return 0;
}

int tenants(cli& with, const std::string& create) {
    if (!create.empty()) {
        rapidjson::Document body(rapidjson::kObjectType);
        put(body, "name", create);
        const auto made = post(with, "/v1/tenants", to_text(body));
        if (!made)
            return complain(made.error());
        if (with.json)
            print_json(*made);
        else
            std::printf("%s %s\n", text_at(*made, "id").c_str(), text_at(*made, "name").c_str());
        return 0;
    }
    const auto items = get_all(with, "/v1/tenants");
    if (!items)
        return complain(items.error());
    if (with.json) {
        print_json(*items);
        return 0;
    }
    text_table table({"TENANT", "NAME", "CREATED"});
    for (const auto& t : items->GetArray())
        table.add({text_at(t, "id"), text_at(t, "name"), text_at(t, "created_at")});
    std::printf("%s", table.render(with.colour).c_str());
    return 0;
}

int keys(cli& with, const key_options& options) {
    if (!options.revoke.empty()) {
        const auto done = post(with, "/v1/keys/" + url_encode(options.revoke) + "/revoke");
        if (!done)
            return complain(done.error());
        tell(with, {{"revoked", options.revoke}}, "revoked " + options.revoke);
        return 0;
    }
    if (!options.create.empty()) {
        rapidjson::Document body(rapidjson::kObjectType);
        put(body, "name", options.create);
        put(body, "tenant", options.tenant);
        put(body, "role", options.role);
        const auto made = post(with, "/v1/keys", to_text(body));
        if (!made)
            return complain(made.error());
        if (with.json)
            print_json(*made);
        else
            std::printf("key (shown once): %s\nid: %s\n", text_at(*made, "secret").c_str(),
                        text_at(*made, "key.id").c_str());
        return 0;
    }
    const auto items = get_all(with, "/v1/keys");
    if (!items)
        return complain(items.error());
    if (with.json) {
        print_json(*items);
        return 0;
    }
    text_table table({"KEY", "TENANT", "ROLE", "NAME", "CREATED", "REVOKED"});
    for (const auto& k : items->GetArray())
        table.add({text_at(k, "id"), text_at(k, "tenant"), text_at(k, "role"), text_at(k, "name"),
                   text_at(k, "created_at"), text_at(k, "revoked_at")});
    std::printf("%s", table.render(with.colour).c_str());
    return 0;
}

int orphans(cli& with) {
    const auto items = get_all(with, "/v1/orphans");
    if (!items)
        return complain(items.error());
    if (with.json) {
        print_json(*items);
        return 0;
    }
    text_table table({"PROVIDER", "LAUNCH TOKEN", "PHASE", "FIRST SEEN"});
    for (const auto& o : items->GetArray())
        table.add({text_at(o, "provider"), text_at(o, "token"), text_at(o, "phase"), text_at(o, "first_seen_at")});
    std::printf("%s",
                table.empty() ? "no unknown things of ours at any provider\n" : table.render(with.colour).c_str());
    return 0;
}

int sweep(cli& with, bool confirm) {
    if (!confirm)
        return complain(fail(errc::invalid, "sweeping ends running work that this database does not know",
                             "look at `westerly orphans`, then `westerly sweep --confirm`"));
    const auto done = post(with, "/v1/sweep/confirm");
    if (!done)
        return complain(done.error());
    tell(with, {{"sweeping", "on"}}, "unknown things of ours are ended from now on, once seen for two minutes");
    return 0;
}

}  // namespace westerly
