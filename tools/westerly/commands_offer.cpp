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

std::string names_at(const json_value& o, const std::string& path, const char* none) {
    const auto* names = value_at(o, path);
    if (names == nullptr || !names->IsArray())
        return none;
    std::string text;
    for (const auto& each : names->GetArray())
        text += (text.empty() ? "" : ", ") + std::string(each.GetString());
    return text;
}

/// "cuda 12.4, none; driver 550.54"
std::string software_of(const json_value& o) {
    std::string text;
    if (const auto* stacks = value_at(o, "stacks"); stacks != nullptr && stacks->IsArray())
        for (const auto& stack : stacks->GetArray()) {
            const auto version = text_at(o, std::string("stack_versions.") + stack.GetString());
            text +=
                (text.empty() ? "" : ", ") + std::string(stack.GetString()) + (version.empty() ? "" : " " + version);
        }
    const auto driver = text_at(o, "driver_version");
    return text + (driver.empty() ? "" : "; driver " + driver);
}

/// "0.1 an hour taken back, with 30 s of notice; 0.0001 an hour of each card failing"
std::string hazard_of(const json_value& o) {
    std::string text;
    for (const auto& [name, what] : {std::pair{"spot_per_h", "taken back"},
                                     {"hardware_per_card_h", "failing, each card"},
                                     {"provider_per_h", "failing, the whole site"}})
        if (const auto rate = text_at(o, std::string("hazard.") + name); !rate.empty())
            text += (text.empty() ? "" : "; ") + rate + " times an hour " + what;
    const auto notice = text_at(o, "hazard.notice_s");
    return text + (notice.empty() ? "" : "; " + notice + " s of notice");
}

/// "312 fp16, 312 bf16 TFLOPS; 624 int8 TOPS; memory 2039 GB/s; …": what is known of one card.
std::string card_of(const json_value& o) {
    std::string peaks, rest;
    const auto tell = [&](std::string& into, const char* between, const char* field, const std::string& before,
                          const std::string& after) {
        if (const auto value = text_at(o, std::string("accelerators.") + field); !value.empty() && value != "0")
            into += (into.empty() ? "" : between) + before + value + after;
    };
    for (const std::string name : {"fp64", "fp32", "fp16", "bf16", "fp8"})
        tell(peaks, ", ", (name + "_tflops").c_str(), "", " " + name);
    if (!peaks.empty())
        rest = peaks + " TFLOPS";
    tell(rest, "; ", "int8_tops", "", " int8 TOPS");
    tell(rest, "; ", "memory_gb_s", "memory ", " GB/s");
    tell(rest, "; ", "interconnect_gb_s", "to other cards ", " GB/s");
    tell(rest, "; ", "scale_up_cards", "of ", " cards at most");
    tell(rest, "; ", "host_link_gb_s", "to the host ", " GB/s");
    tell(rest, "; ", "scale_out_gb_s", "between servers ", " GB/s");
    return rest;
}

std::string power_of(const json_value& o) {
    const auto idle = text_at(o, "idle_w"), most = text_at(o, "max_w");
    if (idle.empty() && most.empty())
        return "";
    return (idle.empty() ? "idle not told, " : idle + " W idle, ") +
           (most.empty() ? "the most not told, so that energy is unknown" : most + " W at most, a unit");
}

void print_shape(const json_value& o) {
    std::string unit = text_at(o, "unit") + ": " + text_at(o, "vcpus") + " vCPU, " + text_at(o, "memory_mib") + " MiB";
    if (const auto model = text_at(o, "accelerators.model"); !model.empty())
        unit += ", " + text_at(o, "accelerators.count") + " x " + model + " of " +
                text_at(o, "accelerators.memory_gib") + " GiB";
    line("unit", unit);
    line("a card", card_of(o));
    line("architecture", text_at(o, "architecture"));
    line("stacks", software_of(o));
    const auto free = text_at(o, "units_free");
    line("free", free.empty() ? "no known limit" : free + " units");
    line("sold", text_at(o, "billing_mode") + (text_at(o, "owned") == "yes" ? ", owned" : "") +
                     (text_at(o, "firm") == "no" ? ", best effort" : "") +
                     (text_at(o, "launchable") == "no" ? ", plan only" : ""));
    line("from", text_at(o, "available_from"));
    line("quote until", text_at(o, "valid_until"));
    line("power", power_of(o));
    line("interruptions", hazard_of(o));
    line("queue", text_at(o, "queue_wait_s") == "0" ? "" : text_at(o, "queue_wait_s") + " s expected");
}

/// What is billed beside the price by the hour.
void print_terms(const json_value& o) {
    std::string text = "begun " + text_at(o, "increment_s") + " s";
    if (const auto least = text_at(o, "minimum_s"); least != "0" && !least.empty())
        text += ", at least " + least + " s";
    if (const auto units = text_at(o, "minimum_units"); !units.empty())
        text += ", at least " + units + " units";
    if (text_at(o, "billing_starts") == "allocation")
        text += ", from when the machines are given";
    line("billed by", text);
    if (const auto term = text_at(o, "term"); !term.empty())
        line("fee", money_at(o, "term_price") + " a " + term + " and unit");
    if (value_at(o, "shadow_price") != nullptr)
        line("shadow price", money_at(o, "shadow_price") + " per unit-hour");
    if (const auto host = text_at(o, "host"), units = text_at(o, "host_units"); !host.empty())
        line("host", host + (units.empty() ? "" : ", " + units + " units in all"));
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
    print_terms(*found);
    print_site(*found);
    const auto as_of = text_at(*found, "as_of");
    line("as of", as_of + (text_at(*found, "stale") == "yes" ? ", stale" : ""));
    return 0;
}

}  // namespace westerly
