#include "broker/codec/correction_json.hpp"

#include "broker/codec/shapes.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"

namespace westerly {

template <>
struct enum_names<correction_outcome> {
    static constexpr std::string_view list[] = {"corrected", "unchanged", "repeated", "better_known", "without_number"};
};
static_assert(std::size(enum_names<correction_outcome>::list) == correction_outcomes);

namespace {

constexpr std::size_t request_bytes_max = 1 << 20;
constexpr std::size_t factors_max = 9000;  // a year of hours
constexpr double micros_per_one = 1e6;
constexpr text_rule zone_rule{1, signal_zone_bytes_max};

bool is_site(std::string_view text) noexcept {
    const auto slash = text.find('/');
    return slash != text.npos && is_provider_id(text.substr(0, slash)) && is_slug(text.substr(slash + 1));
}
constexpr text_rule site_rule{3, 127, is_site, "PROVIDER/SITE"};

void read_whom(object_reader& o, carbon_publication& into) {
    o.text("zone", into.zone, zone_rule);
    if (std::string site; o.text("site", site, site_rule)) {
        into.provider = site.substr(0, site.find('/'));
        into.site = site.substr(site.find('/') + 1);
    }
    if (o.has("zone") == o.has("site"))
        o.faults().invalid(o.path(), "names both a zone and a site, or neither", "give one of \"zone\" and \"site\"");
}

void read_factors(object_reader& o, carbon_publication& into) {
    o.objects("factors", 1, factors_max, [&](object_reader& one, std::size_t) {
        signal_interval factor;
        one.require({"start_at", "end_at", "g_per_kwh"});
        const bool begins = one.time("start_at", factor.start_at), ends = one.time("end_at", factor.end_at);
        one.number("g_per_kwh", factor.value, {0, 5000});
        into.factors.push_back(factor);
        if (!begins || !ends)
            return;
        if (factor.start_at >= factor.end_at)
            one.faults().invalid(one.at("end_at"), "is not after start_at", "exchange them");
        if (into.factors.size() > 1 && into.factors.rbegin()[1].end_at != factor.start_at)
            one.faults().invalid(one.at("start_at"), "is not where the factor before it ends",
                                 "give them in order; on the other side of a gap is another request");
    });
}

}  // namespace

result<correction_request> decode_correction_request(std::string_view json) {
    const auto document = parse_json(json, request_bytes_max);
    if (!document)
        return document.error();
    correction_request asked;
    carbon_publication& told = asked.told;
    told.reason = "a later publication";
    fault_list faults;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) {
        o.require({"source", "year", "quality", "factors"});
        read_whom(o, told);
        o.text("source", told.source, note_rule);
        o.whole("year", told.year, 1990, 2262);
        o.choice("quality", told.quality);
        o.text("reason", told.reason, note_rule);
        read_factors(o, told);
        o.flag("dry_run", asked.dry_run);
    });
    if (!faults.empty())
        return faults.to_error("the correction");
    return asked;
}

std::string to_json_text(const corrections_made& made) {
    std::int64_t carbon = 0, market = 0;
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_flag(out, "dry_run", made.dry_run);
    put_key(out, "items");
    out.StartArray();
    for (const usage& row : made.rows) {
        encode(out, row);
        carbon += row.carbon_mg.value_or(0);
        market += row.carbon_market_mg.value_or(0);
    }
    out.EndArray();
    put_key(out, "rows");
    out.StartObject();
    for (std::size_t i = 0; i < correction_outcomes; ++i)
        put_whole(out, name_of(static_cast<correction_outcome>(i)), made.counts[i]);
    out.EndObject();
    put_number(out, "carbon_kg", static_cast<double>(carbon) / micros_per_one);
    put_number(out, "carbon_market_kg", static_cast<double>(market) / micros_per_one);
    put_text(out, "next_cursor", made.next_cursor);
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace westerly
