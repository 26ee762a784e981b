#include "tools/catalogue/provider_file.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/writer.hpp"

#include <rapidjson/prettywriter.h>

#include <algorithm>
#include <set>

namespace westerly {
namespace {

std::string short_amount(std::int64_t nanos) {
    auto text = format_nanos(nanos);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

template <class Write>
void put_object_line(std::string& into, bool& first, Write write) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    write(out);
    out.EndObject();
    into += first ? "\n    " : ",\n    ";
    into.append(buffer.GetString(), buffer.GetSize());
    first = false;
}

void put_price(json_writer& out, unit_price price) {
    put_key(out, "price");
    out.StartObject();
    put_text(out, "amount", short_amount(price.nanos));
    put_text(out, "currency", to_string(price.unit));
    out.EndObject();
}

void put_site(json_writer& out, const site_facts& site) {
    put_text(out, "site", site.site);
    put_text(out, "region", site.region);
    put_text(out, "zone", site.zone);
    put_text(out, "jurisdiction", site.jurisdiction);
    if (site.latitude_longitude) {
        put_number(out, "latitude", site.latitude_longitude->first);
        put_number(out, "longitude", site.latitude_longitude->second);
    }
}

void put_accelerators(json_writer& out, const accelerator_facts& cards) {
    put_key(out, "accelerators");
    out.StartObject();
    put_text(out, "model", cards.model);
    put_whole(out, "count", cards.count);
    put_whole(out, "memory_gib", cards.memory_gib);
    put_text(out, "stack", cards.stack);
    if (cards.training)
        put_flag(out, "training", true);
    if (cards.inference)
        put_flag(out, "inference", true);
    out.EndObject();
}

/// `id` of an imported offer is its name; what is the schema's default is left out.
void put_offer(json_writer& out, const offer& o) {
    put_text(out, "site", o.site.site);
    put_text(out, "name", o.id);
    put_text(out, "billing_mode", name_of(o.mode));
    put_text(out, "unit", name_of(o.unit));
    if (o.compute != compute_class::general)
        put_text(out, "compute_class", name_of(o.compute));
    put_whole(out, "vcpus", o.vcpus);
    put_whole(out, "memory_mib", o.memory_mib);
    if (o.accelerators)
        put_accelerators(out, *o.accelerators);
    if (o.architecture != "x86_64")
        put_text(out, "architecture", o.architecture);
    if (o.stacks != std::vector<std::string>{"none"})
        put_texts(out, "stacks", o.stacks);
    if (o.price)
        put_price(out, *o.price);
    put_text(out, "price_source", o.price_source);
    if (o.as_of != instant{})
        put_time(out, "as_of", o.as_of);
}

std::string pretty(const rapidjson::Document& document) {
    rapidjson::StringBuffer buffer;
    rapidjson::PrettyWriter<rapidjson::StringBuffer> out(buffer);
    out.SetIndent(' ', 2);
    document.Accept(out);
    return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

using place_and_name = std::pair<std::string, std::string>;

}  // namespace

std::string catalogue_file(const imported_provider& from) {
    std::string text = "{\n  \"kind\": \"catalogue\",\n  \"sites\": [";
    bool first = true;
    for (const auto& site : from.sites)
        put_object_line(text, first, [&](json_writer& out) { put_site(out, site); });
    text += "\n  ],\n  \"offers\": [";
    first = true;
    for (const auto& each : from.offers)
        put_object_line(text, first, [&](json_writer& out) { put_offer(out, each); });
    return text + "\n  ]\n}\n";
}

result<overlay_result> overlay_prices(std::string_view id, std::string_view provider_file,
                                      const imported_provider& from) {
    const auto checked = decode_provider(id, provider_file);
    if (!checked)
        return checked.error();
    if (checked->kind == "catalogue")
        return fail(errc::invalid, "prices are laid over what an adapter offers, and " + std::string(id) + " has none",
                    "leave out --launchable-through to write a catalogue's file");
    auto document = parse_json(provider_file, provider_json_max);
    if (!document)
        return document.error();
    overlay_result done;
    auto& memory = document->GetAllocator();
    rapidjson::Value prices(rapidjson::kArrayType);
    std::set<place_and_name> laid;
    for (const offer& each : from.offers) {
        const bool known = std::ranges::find(checked->sites, each.site.site, &site_facts::site) != checked->sites.end();
        if (!known || each.mode != billing_mode::on_demand) {
            done.missed.emplace_back(known ? finding_kind::spot_not_overlaid : finding_kind::no_such_site,
                                     each.site.site + '/' + each.id);
            continue;
        }
        rapidjson::Value amount(rapidjson::kObjectType);
        amount.AddMember("amount", rapidjson::Value(short_amount(each.price->nanos), memory), memory);
        amount.AddMember("currency", rapidjson::Value(std::string(to_string(each.price->unit)), memory), memory);
        rapidjson::Value one(rapidjson::kObjectType);
        one.AddMember("site", rapidjson::Value(each.site.site, memory), memory);
        one.AddMember("offer", rapidjson::Value(each.id, memory), memory);
        one.AddMember("price", amount, memory);
        one.AddMember("source", rapidjson::Value(each.price_source, memory), memory);
        prices.PushBack(one, memory);
        laid.emplace(each.site.site, each.id);
        ++done.prices;
    }
    if (document->HasMember("prices")) {
        for (auto& one : (*document)["prices"].GetArray()) {
            const auto text = [&](const char* name) {
                return one.HasMember(name) ? std::string(one[name].GetString()) : std::string();
            };
            if (!laid.contains({text("site"), text("offer")}))
                prices.PushBack(one, memory);
        }
        document->RemoveMember("prices");
    }
    if (!prices.Empty())
        document->AddMember("prices", prices, memory);
    done.file = pretty(*document);
    if (const auto sound = decode_provider(id, done.file); !sound)
        return sound.error();
    return done;
}

}  // namespace westerly
