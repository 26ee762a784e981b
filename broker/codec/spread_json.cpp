#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"
#include "broker/domain/explain.hpp"

namespace westerly {
namespace {

void put_part(json_writer& out, const spread_part& part) {
    put_text(out, "offer", part.offer);
    put_text(out, "provider", part.provider);
    put_text(out, "site", part.site);
    put_text(out, "region", part.region);
    put_flag(out, "launchable", part.launchable);
    put_whole(out, "replicas", part.replicas);
    put_whole(out, "units", part.units);
    put_price(out, "price", part.price);
    put_money(out, "cost", part.cost);
    put_number(out, "cost_base", part.cost_base);
    if (part.egress_base > 0)
        put_number(out, "egress_base", part.egress_base);
    put_number(out, "rtt_ms", part.rtt_ms);
    put_number(out, "energy_kwh", part.energy_kwh);
    put_number(out, "carbon_kg", part.carbon_kg);
    put_objects(out, "serves", part.serves, [&](const served_origin& from) {
        put_text(out, "origin", from.origin);
        put_number(out, "share", from.share);
        put_number(out, "rtt_ms", from.rtt_ms);
        put_text(out, "rtt_method", from.rtt_method);
        if (from.overflow)
            put_flag(out, "overflow", true);
    });
}

void put_sums(json_writer& out, const spread_plan& s) {
    put_number(out, "cost_base", s.cost_base);
    put_objects(out, "terms", s.terms, [&](const auto& priced) {
        put_text(out, "term", priced.first);
        put_number(out, "amount", priced.second);
    });
    put_number(out, "j", s.j);
    if (!s.keys.empty()) {
        put_key(out, "keys");
        out.StartArray();
        for (const double key : s.keys)
            out.Double(key);
        out.EndArray();
    }
    put_number(out, "rtt_ms", s.rtt_ms);
    put_number(out, "rtt_p95_ms", s.rtt_p95_ms);
    put_number(out, "j_bound", s.j_bound);
    if (!s.alone)
        return;
    put_key(out, "alone");
    out.StartObject();
    put_text(out, "offer", s.alone->offer);
    put_number(out, "cost_base", s.alone->cost_base);
    put_number(out, "j", s.alone->j);
    put_number(out, "rtt_ms", s.alone->rtt_ms);
    out.EndObject();
}

}  // namespace

void encode(json_writer& out, const spread_plan& s, currency base, language spoken) {
    out.StartObject();
    put_whole(out, "max_sites", s.max_sites);
    put_objects(out, "parts", s.parts, [&](const spread_part& part) { put_part(out, part); });
    if (!s.parts.empty())
        put_sums(out, s);
    put_whole(out, "offers_fit", s.offers_fit);
    put_whole(out, "offers_weighed", s.offers_weighed);
    put_whole(out, "sets_tried", s.sets_tried);
    put_flag(out, "every_set", s.every_set);
    std::vector<std::string> notes;
    for (const note& told : s.notes)
        notes.push_back(in_words(told, base, spoken));
    put_texts(out, "notes", notes);
    put_text(out, "explanation", explain(s, base, spoken));
    out.EndObject();
}

}  // namespace westerly
