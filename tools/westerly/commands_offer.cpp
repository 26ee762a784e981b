#include "tools/westerly/commands.hpp"

#include <algorithm>
#include <cstdio>

namespace westerly {
namespace {

void line(const char* name, const std::string& value) {
    if (!value.empty() && value != "-")
        std::printf("%-14s %s\n", name, value.c_str());
}

/// "1.2 (source, quality)"
std::string sourced_at(const json_value& v, const std::string& path, const char* unit) {
    const auto value = rounded_at(v, path + ".value", unit);
    return value == "-" ? "" : value + " (" + text_at(v, path + ".source") + ", " + text_at(v, path + ".quality") + ")";
}

void print_shape(const json_value& o) {
    std::string unit = text_at(o, "unit") + ": " + text_at(o, "vcpus") + " vCPU, " + text_at(o, "memory_mib") + " MiB";
    if (const auto model = text_at(o, "accelerators.model"); !model.empty())
        unit += ", " + text_at(o, "accelerators.count") + " x " + model;
    line("unit", unit);
    const auto free = text_at(o, "units_free");
    line("free", free.empty() ? "no known limit" : free + " units");
    line("sold", text_at(o, "billing_mode") + (text_at(o, "launchable") == "no" ? ", plan only" : ""));
}

void print_prices(const json_value& o) {
    const auto plain = money_at(o, "price"), source = text_at(o, "price_source");
    const auto windows = windows_of(o);
    line("price", plain.empty() ? "none: it is never chosen"
                                : plain + " per unit-hour" + (windows.empty() ? "" : ", outside of the hours below") +
                                      (source.empty() ? "" : " (" + source + ")"));
    if (windows.empty())
        return;
    const auto until = text_at(o, "hourly_price.until");
    line("now", money_at(o, "hourly_price.now") + (until.empty() ? "" : " until " + until));
    line("in a week", price_range_of(o) + ", " + money_at(o, "hourly_price.mean") + " in the mean");
    line("hours", "of the clock " + text_at(o, "price_schedule.utc_offset") + ", every week:");
    for (const auto& window : windows)
        std::printf("%-14s %s\n", "", window.c_str());
}

std::string names_at(const json_value& o, const std::string& path, const char* none) {
    const auto* names = value_at(o, path);
    if (names == nullptr || !names->IsArray())
        return none;
    std::string text;
    for (const auto& each : names->GetArray())
        text += (text.empty() ? "" : ", ") + std::string(each.GetString());
    return text;
}

void print_site(const json_value& o) {
    line("site", text_at(o, "provider") + "/" + text_at(o, "site") + " in " + text_at(o, "site_facts.region") + ", " +
                     text_at(o, "site_facts.jurisdiction"));
    line("PUE", sourced_at(o, "site_facts.pue", ""));
    line("green share", sourced_at(o, "site_facts.green_power_share", ""));
    line("carbon", sourced_at(o, "site_facts.carbon_g_per_kwh", "g/kWh"));
    line("cleared for", names_at(o, "site_facts.data_classes", "public") + " data");
    line("licences", names_at(o, "site_facts.licences", ""));
    if (const auto* declared = value_at(o, "site_facts.rtt_ms"); declared != nullptr && declared->IsObject())
        for (const auto& each : declared->GetObject())
            line("RTT declared", std::string(each.name.GetString()) + ": " + rounded_at(each.value, "", "ms"));
    if (const auto* measured = value_at(o, "site_facts.rtt_measured"); measured != nullptr && measured->IsArray())
        for (const auto& each : measured->GetArray())
            line("RTT measured",
                 text_at(each, "region") + ": " + rounded_at(each, "ms", "ms") + " at " + text_at(each, "measured_at"));
}

}  // namespace

int show_offer(cli& with, const std::string& offer) {
    const auto items = get_all(with, "/v1/offers?limit=500&provider=" + url_encode(offer.substr(0, offer.find('/'))));
    if (!items)
        return complain(items.error());
    const auto all = items->GetArray();
    const auto* found = std::ranges::find_if(all, [&](const json_value& o) { return text_at(o, "id") == offer; });
    if (found == all.end())
        return complain(fail(errc::not_found, "there is no offer \"" + offer + "\"",
                             "`westerly offers` lists them; `westerly offers history` knows those that are gone"));
    if (with.json) {
        print_json(*found);
        return 0;
    }
    std::printf("%s\n", offer.c_str());
    print_shape(*found);
    print_prices(*found);
    print_site(*found);
    const auto as_of = text_at(*found, "as_of");
    line("as of", as_of + (text_at(*found, "stale") == "yes" ? ", stale" : ""));
    return 0;
}

}  // namespace westerly
