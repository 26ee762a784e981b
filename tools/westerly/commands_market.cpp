#include "broker/domain/wording.hpp"
#include "broker/support/time.hpp"
#include "tools/westerly/commands.hpp"

#include <cmath>
#include <cstdio>

namespace westerly {

namespace {

std::string query(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string text;
    for (const auto& [name, value] : pairs)
        if (!value.empty())
            text += (text.empty() ? "?" : "&") + name + "=" + url_encode(value);
    return text;
}

std::string rounded_seconds(const json_value& charge) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f s", number_at(charge, "billed_ms", 0) / 1000);
    return text;
}

int print(const cli& with, const json_value& items, const text_table& table, const char* nothing) {
    if (with.json)
        print_json(items);
    else if (table.empty())
        std::printf("%s\n", nothing);
    else
        std::printf("%s", table.render(with.colour).c_str());
    return 0;
}

/// Messages may hold what an adapter wrote before it died: the table shows its first line.
std::string first_line(const std::string& text) {
    const auto end = text.find('\n');
    return end == std::string::npos ? text : text.substr(0, end) + " …";
}

/// "4 min", and "3 d, stale" of what nobody has confirmed for too long.
std::string age_at(const json_value& offer) {
    if (value_at(offer, "age_s") == nullptr)
        return "-";
    const double s = number_at(offer, "age_s", 0);
    char text[32];
    if (s < 120)
        std::snprintf(text, sizeof text, "%.0f s", s);
    else if (s < 7200)
        std::snprintf(text, sizeof text, "%.0f min", s / 60);
    else if (s < 172'800)
        std::snprintf(text, sizeof text, "%.0f h", s / 3600);
    else
        std::snprintf(text, sizeof text, "%.0f d", s / 86'400);
    return text + std::string(text_at(offer, "stale") == "yes" ? ", stale" : "");
}

/// What keeps the offer from being used, or soon will.
std::string remarks_on(const json_value& offer) {
    std::vector<std::string> said;
    if (text_at(offer, "launchable") == "no")
        said.emplace_back("plan only");
    if (text_at(offer, "owned") == "yes")
        said.emplace_back("owned");
    else if (text_at(offer, "billing_mode") == "reserved")
        said.emplace_back("to be bought");
    const instant now = system_wall_clock().now();
    if (const auto from = parse_rfc3339(text_at(offer, "available_from")); from && now < *from)
        said.push_back("from " + text_at(offer, "available_from").substr(0, 16) + "Z");
    if (const auto until = parse_rfc3339(text_at(offer, "valid_until")))
        said.push_back((now < *until ? "quote until " : "quote ended ") + text_at(offer, "valid_until").substr(0, 16) +
                       "Z");
    return joined(said, ", ", ", ");
}

}  // namespace

int offers(cli& with, const std::string& provider, const std::string& region) {
    const auto items =
        get_all(with, "/v1/offers" + query({{"limit", "500"}, {"provider", provider}, {"region", region}}));
    if (!items)
        return complain(items.error());
    text_table table({"OFFER", "REGION", "UNIT", "VCPUS", "MEMORY", "ACCELERATOR", "FREE", "PRICE/UNIT-H", "GREEN",
                      "gCO2/kWh", "PUE", "AGE", ""});
    for (const auto& o : items->GetArray()) {
        const auto model = text_at(o, "accelerators.model");
        const auto free = text_at(o, "units_free");
        table.add({text_at(o, "id"), text_at(o, "site_facts.region"), text_at(o, "unit"), text_at(o, "vcpus"),
                   text_at(o, "memory_mib") + " MiB",
                   model.empty() ? "-" : text_at(o, "accelerators.count") + " x " + model, free.empty() ? "-" : free,
                   unit_price_of(o), percent_at(o, "site_facts.green_power_share.value"),
                   rounded_at(o, "site_facts.carbon_g_per_kwh.value"), rounded_at(o, "site_facts.pue.value"), age_at(o),
                   remarks_on(o)});
    }
    return print(with, *items, table, "no offers");
}

int signals(cli& with, const std::string& zone) {
    const auto items = get_all(with, "/v1/signals" + query({{"limit", "500"}, {"zone", zone}}));
    if (!items)
        return complain(items.error());
    text_table table({"ZONE", "KIND", "NOW", "UNIT", "QUALITY", "SOURCE", "AGE", "KNOWN UNTIL", ""});
    for (const auto& s : items->GetArray()) {
        const auto now = rounded_at(s, "now.value");
        const std::string kind = text_at(s, "kind") == "carbon_intensity"
                                     ? text_at(s, "method") + " " + text_at(s, "scope") + " carbon"
                                     : text_at(s, "kind");
        table.add({text_at(s, "zone"), kind, now + (text_at(s, "now.forecast") == "yes" ? " (forecast)" : ""),
                   text_at(s, "unit"), text_at(s, "quality"), text_at(s, "source"), text_at(s, "age_s") + " s",
                   text_at(s, "known_until"), text_at(s, "in_use") == "yes" ? "in use" : text_at(s, "why_not")});
    }
    return print(with, *items, table,
                 "no signals: sites' own factors hold; put files into CONFIG/signals and send SIGHUP");
}

int certificates(cli& with) {
    const auto items = get_all(with, "/v1/certificates" + query({{"limit", "500"}}));
    if (!items)
        return complain(items.error());
    text_table table({"ID", "GRID", "GENERATED", "EXPIRES", "BENEFICIARY", "COUNTS IN THE", "MWH", "GIVEN"});
    for (const auto& c : items->GetArray())
        table.add({text_at(c, "id"), text_at(c, "grid_zone"), text_at(c, "generated_from").substr(0, 7),
                   text_at(c, "expires_at"), text_at(c, "beneficiary"), text_at(c, "period"), text_at(c, "mwh"),
                   energy_at(c, "given_kwh")});
    return print(with, *items, table, "no certificates: put files into CONFIG/certificates and send SIGHUP");
}

int providers(cli& with) {
    const auto items = get_all(with, "/v1/providers");
    if (!items)
        return complain(items.error());
    text_table table({"PROVIDER", "KIND", "STATE", "SITES", "MESSAGE"});
    for (const auto& p : items->GetArray()) {
        std::string sites;
        if (const auto* list = value_at(p, "sites"); list != nullptr && list->IsArray())
            for (const auto& s : list->GetArray())
                sites += (sites.empty() ? "" : ", ") + text_at(s, "site");
        const auto distrust = text_at(p, "quarantine.kind");
        const bool doubted = !distrust.empty() && text_at(p, "health.state") == "ready";
        const auto state =
            doubted ? (distrust == "unauthorised" ? distrust : "quarantined") : text_at(p, "health.state");
        std::string message = text_at(p, "health.message");
        if (doubted)
            message = "until " + text_at(p, "quarantine.until") + ": " + text_at(p, "quarantine.reason");
        table.add({text_at(p, "id"), text_at(p, "kind"), text_at(p, "cordoned") == "yes" ? "cordoned" : state, sites,
                   first_line(message)});
    }
    return print(with, *items, table, "no providers; put provider files into CONFIG/providers and send SIGHUP");
}

int cordon(cli& with, const std::string& provider, bool cordoned) {
    const auto done = post(with, "/v1/providers/" + url_encode(provider) + (cordoned ? "/cordon" : "/uncordon"));
    if (!done)
        return complain(done.error());
    tell(with, {{"provider", provider}, {"cordoned", cordoned ? "yes" : "no"}},
         provider + (cordoned ? " takes no new work until `westerly providers uncordon " + provider + "`"
                              : " takes new work"));
    return 0;
}

int probe(cli& with, const std::string& provider) {
    const auto done = post(with, "/v1/providers/" + url_encode(provider) + "/probe");
    if (!done)
        return complain(done.error());
    if (with.json)
        print_json(*done);
    else
        std::printf("%s%s%s\n", text_at(*done, "ok") == "yes" ? "ok" : "not ok",
                    text_at(*done, "message").empty() ? "" : ": ", text_at(*done, "message").c_str());
    return text_at(*done, "ok") == "yes" ? 0 : static_cast<int>(ours);
}

int charges(cli& with, const account_options& options) {
    auto workload = options.workload;
    if (!workload.empty()) {
        auto id = find_workload_id(with, workload);
        if (!id)
            return complain(id.error());
        workload = *id;
    }
    const auto target = "/v1/charges" + query({{"limit", "500"},
                                               {"workload", workload},
                                               {"project", options.project},
                                               {"from", options.from},
                                               {"until", options.until}});
    const auto page = get(with, target);
    if (!page)
        return complain(page.error());
    if (with.json) {
        print_json(*page);
        return 0;
    }
    const auto items = get_all(with, target);
    if (!items)
        return complain(items.error());
    text_table table({"WORKLOAD", "OFFER", "START", "END", "UNITS", "BILLED", "PRICE/UNIT-H", "COST"});
    for (const auto& c : items->GetArray())
        table.add({text_at(c, "workload"), text_at(c, "offer"), text_at(c, "start_at"), text_at(c, "end_at"),
                   text_at(c, "units"), rounded_seconds(c), money_at(c, "price"), money_at(c, "billed_cost")});
    print(with, *items, table, "no charges");
    if (const auto* totals = value_at(*page, "totals"); totals != nullptr && totals->IsArray())
        for (const auto& t : totals->GetArray())
            std::printf("total: %s\n", money_at(t, "billed_cost").c_str());
    return 0;
}

int usage(cli& with, const account_options& options) {
    auto workload = options.workload;
    if (!workload.empty()) {
        auto id = find_workload_id(with, workload);
        if (!id)
            return complain(id.error());
        workload = *id;
    }
    const auto target = "/v1/usage" + query({{"limit", "500"},
                                             {"workload", workload},
                                             {"project", options.project},
                                             {"from", options.from},
                                             {"until", options.until}});
    const auto page = get(with, target);
    if (!page)
        return complain(page.error());
    if (with.json) {
        print_json(*page);
        return 0;
    }
    const auto items = get_all(with, target);
    if (!items)
        return complain(items.error());
    text_table table(
        {"WORKLOAD", "SITE", "START", "END", "UNITS", "ENERGY", "NON-GREEN", "CO2e", "CO2e MARKET", "GREEN"});
    for (const auto& u : items->GetArray())
        table.add({text_at(u, "workload"), text_at(u, "provider") + "/" + text_at(u, "site"), text_at(u, "start_at"),
                   text_at(u, "end_at"), value_at(u, "correction") != nullptr ? "correction" : text_at(u, "units"),
                   energy_at(u, "energy_kwh"), energy_at(u, "non_green_kwh"), carbon_at(u, "carbon_kg"),
                   carbon_at(u, "carbon_market_kg"), percent_at(u, "green_power_share")});
    const int code = print(with, *items, table, "no usage");
    if (number_at(*page, "totals.corrections", 0) > 0)
        std::printf("total, corrections included: %s, %s CO2e (market-based: %s)\n",
                    energy_at(*page, "totals.energy_kwh").c_str(), carbon_at(*page, "totals.carbon_kg").c_str(),
                    carbon_at(*page, "totals.carbon_market_kg").c_str());
    if (value_at(*page, "items.0") != nullptr)
        std::printf("CO2e is the provider's Scope 2, allocated: Scope 3 category 1 of the tenant (GHG Protocol)\n");
    return code;
}

}  // namespace westerly
