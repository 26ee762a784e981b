#include "broker/codec/config_json.hpp"
#include "broker/codec/positions.hpp"
#include "broker/codec/price_schedule_json.hpp"
#include "broker/codec/shapes.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace westerly {
namespace {

constexpr std::size_t prices_max = 10'000;
constexpr std::size_t config_bytes_max = 256 * 1024;
constexpr std::int64_t year_s = 31'536'000;
constexpr std::size_t site_names_max = 256;
constexpr number_range watts{0, 1e6};

bool is_offer_name(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}
constexpr text_rule offer_name_rule{1, 128, is_offer_name, "letters, digits and . _ -"};
constexpr text_rule argument_rule{0, 4096};

/// What is being read, with an index: a catalogue has a hundred thousand offers.
struct reading {
    provider_config& p;
    std::span<const region_place> regions;
    std::unordered_map<std::string, std::size_t> sites = {};  // by name, into p.sites
    std::unordered_set<std::string> offers = {};              // ids
};

/// Site, offer and price, wherever they stand, must name a site of the file.
void check_site(object_reader& o, const std::string& site, const reading& file) {
    if (!site.empty() && !file.sites.contains(site))
        o.faults().invalid(o.at("site"), '"' + site + "\" is not among this file's sites",
                           "name one of \"sites\", or describe the site there");
}

void read_measured_rtts(object_reader& o, site_facts& site) {
    o.objects("rtt_measured", 1, 256, [&](object_reader& in, std::size_t /*index*/) {
        measured_rtt read;
        in.require({"region", "ms", "measured_at"});
        in.text("region", read.region, slug_rule);
        in.number("ms", read.ms, {0, 60'000});
        in.time("measured_at", read.measured_at);
        in.whole("samples", read.samples, 1, 1'000'000);
        if (std::ranges::find(site.rtt_measured, read.region, &measured_rtt::region) != site.rtt_measured.end())
            in.faults().invalid(in.at("region"), '"' + read.region + "\" has an earlier entry",
                                "give each region what was measured last");
        site.rtt_measured.push_back(std::move(read));
    });
    std::ranges::sort(site.rtt_measured, {}, &measured_rtt::region);
    o.whole("rtt_max_age_s", site.rtt_max_age_s, 60, year_s);
}

/// Coordinates, or else those of the region, so that an RTT can be estimated.
void read_place_of(object_reader& o, site_facts& site, std::span<const region_place> regions) {
    read_place(o, site.latitude_longitude);
    if (site.latitude_longitude)
        return;
    const auto known = std::ranges::lower_bound(regions, site.region, {}, &region_place::region);
    if (known != regions.end() && known->region == site.region)
        site.latitude_longitude = std::pair(known->latitude, known->longitude);
}

void read_site(object_reader& o, reading& file) {
    site_facts& site = file.p.sites.emplace_back();
    o.require({"site", "region", "jurisdiction"});
    if (o.text("site", site.site, slug_rule) && !file.sites.emplace(site.site, file.p.sites.size() - 1).second)
        o.faults().invalid(o.at("site"), '"' + site.site + "\" has an earlier entry", "give each site one entry");
    o.text("region", site.region, slug_rule);
    o.text("zone", site.zone, slug_rule);
    o.text("jurisdiction", site.jurisdiction, country_rule);
    read_place_of(o, site, file.regions);
    o.number_map("rtt_ms", site.rtt_ms, 256, slug_rule, {0, 60'000});
    read_measured_rtts(o, site);
    read_sourced(o, "pue", site.pue, {1, 10});
    read_sourced(o, "green_power_share", site.green_power_share, {0, 1});
    read_sourced(o, "carbon_g_per_kwh", site.carbon_g_per_kwh, {0, 5000});
    read_sourced(o, "residual_g_per_kwh", site.residual_g_per_kwh, {0, 5000});
    o.text("grid_zone", site.grid_zone, note_rule);
    o.number("ingress_gbps", site.ingress_gbps, {.low = 0, .high = 1e6, .above_low = true});
    read_money(o, "staging_per_gib", site.staging_per_gib);
    o.texts("data_classes", site.data_classes, 1, site_names_max, slug_rule, true);
    std::ranges::sort(site.data_classes);
    o.texts("licences", site.licences, 1, site_names_max, slug_rule, true);
    std::ranges::sort(site.licences);
}

constexpr number_range hazard_range{0, 1000};

/// "term" and "term_price": both or neither.
void read_fee(object_reader& o, std::optional<reservation_fee>& fee) {
    if (!o.has("term") && !o.has("term_price"))
        return;
    o.require({"term", "term_price"});
    reservation_fee read;
    std::optional<money> price;
    o.choice("term", read.term);
    if (read_money(o, "term_price", price))
        read.per_unit = *price;
    fee = read;
}

void read_supply(object_reader& o, supply_terms& supply) {
    o.object("hazard", [&](object_reader& h) {
        h.number("spot_per_h", supply.hazard.spot_per_h, hazard_range);
        h.number("hardware_per_card_h", supply.hazard.hardware_per_card_h, hazard_range);
        h.number("provider_per_h", supply.hazard.provider_per_h, hazard_range);
        h.whole("notice_s", supply.hazard.notice_s, 0, year_s);
    });
    o.whole("minimum_units", supply.minimum_units, 1, 1'000'000);
    o.whole("latency_headroom", supply.latency_headroom, 0, latency_headroom_max);
    o.time("available_from", supply.available_from);
    o.number("tax_rate", supply.tax_rate, {0, 1});
    o.flag("firm", supply.firm);
    o.text("host", supply.host, note_rule);
    o.whole("host_units", supply.host_units, 1, whole_max);
    if (o.has("host_units") && !o.has("host"))
        o.faults().invalid(o.at("host"), "is missing, and host_units counts its units", "name the host");
    o.time("valid_until", supply.price_until);
    if (supply.available_from && supply.price_until && *supply.price_until <= *supply.available_from)
        o.faults().invalid(o.at("valid_until"), "is not after available_from: there is no time at which it may be used",
                           "correct one of the two");
    read_fee(o, supply.fee);
    o.flag("owned", supply.owned);
    read_price(o, "shadow_price", supply.shadow_price);
    if (supply.shadow_price && !supply.owned)
        o.faults().invalid(o.at("shadow_price"), "is of owned reservations only", "state owned, or remove it");
    if (supply.shadow_price && supply.fee && supply.shadow_price->unit != supply.fee->per_unit.unit)
        o.faults().invalid(o.at("shadow_price"), "is in another currency than term_price", "give both in one");
}

std::int64_t without_tax(std::int64_t amount, double rate) {
    return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(amount) / (1 + rate)));
}

/// What is owned counts at figures of its own; a price by the hour would say nothing.
void read_hours(object_reader& o, price_schedule& hours, bool owned) {
    read_price_schedule(o, hours);
    if (owned && o.has("price_schedule"))
        o.faults().invalid(o.at("price_schedule"), "is not of owned reservations", "remove one of both");
}

/// Prices are kept ex tax: half-even at their last decimal, as sums of money are.
void take_tax_out(object_reader& o, unit_price& price, price_schedule& hours, supply_terms& supply) {
    bool included = false;
    o.flag("tax_included", included);
    if (!included)
        return;
    o.require({"tax_rate"});
    const double rate = supply.tax_rate.value_or(0);
    price.nanos = without_tax(price.nanos, rate);
    for (price_window& window : hours.windows)
        window.nanos = without_tax(window.nanos, rate);
    if (supply.fee)
        supply.fee->per_unit.micros = without_tax(supply.fee->per_unit.micros, rate);
}

/// Power and billing, which overrides and catalogue offers tell alike.
template <class Priced>
void read_terms(object_reader& o, Priced& terms) {
    read_supply(o, terms.supply);
    o.whole("increment_s", terms.increment_s, 1, year_s);
    o.whole("minimum_s", terms.minimum_s, 0, year_s);
    o.choice("billing_starts", terms.billing_starts);
    o.number("idle_w", terms.idle_w, watts);
    o.number("max_w", terms.max_w, watts);
    if (terms.idle_w && terms.max_w && *terms.idle_w > *terms.max_w)
        o.faults().invalid(o.at("idle_w"), "is above max_w", "give the idle power of the same unit");
}

/// Rates and links of one card; 0: not known.
void read_card_figures(object_reader& o, accelerator_facts& a) {
    o.number("fp16_tflops", a.fp16_tflops, {0, 1e6});
    o.number("interconnect_gb_s", a.interconnect_gb_s, {0, 1e6});
    o.number("fp64_tflops", a.fp64_tflops, {0, 1e6});
    o.number("memory_gb_s", a.memory_gb_s, {0, 1e6});
    o.number("host_link_gb_s", a.host_link_gb_s, {0, 1e6});
    o.whole("scale_up_cards", a.scale_up_cards, 0, 1'000'000);
    o.number("scale_out_gb_s", a.scale_out_gb_s, {0, 1e6});
}

void read_override(object_reader& o, price_override& price, const reading& file) {
    std::optional<unit_price> amount;
    o.require({"price", "source"});
    if (o.text("site", price.site, slug_rule))
        check_site(o, price.site, file);
    o.text("offer", price.offer, offer_name_rule);
    if (read_price(o, "price", amount))
        price.price = *amount;
    o.text("source", price.source, note_rule);
    read_terms(o, price);
    o.object("accelerators", [&](object_reader& cards) { read_card_figures(cards, price.cards); });
    read_software(o, price.software);
    read_hours(o, price.schedule, price.supply.owned);
    take_tax_out(o, price.price, price.schedule, price.supply);
}

void read_accelerators(object_reader& o, accelerator_facts& a) {
    o.require({"model", "count", "memory_gib", "stack"});
    o.text("model", a.model, model_rule);
    o.whole("count", a.count, 1, 1024);
    o.whole("memory_gib", a.memory_gib, 1, 4096);
    read_card_figures(o, a);
    o.number("fp32_tflops", a.fp32_tflops, {0, 1e6});
    o.number("bf16_tflops", a.bf16_tflops, {0, 1e6});
    o.number("fp8_tflops", a.fp8_tflops, {0, 1e6});
    o.number("int8_tops", a.int8_tops, {0, 1e6});
    o.text("stack", a.stack, stack_rule);
    o.flag("training", a.training);
    o.flag("inference", a.inference);
}

void read_shape(object_reader& o, offer& made) {
    o.choice("compute_class", made.compute);
    o.choice("billing_mode", made.mode);
    o.choice("unit", made.unit);
    o.flag("divisible", made.divisible);
    o.whole("vcpus", made.vcpus, 1, 1'000'000);
    o.whole("memory_mib", made.memory_mib, 1, std::int64_t{1} << 40);
    o.whole("disk_mib", made.disk_mib, 0, std::int64_t{1} << 50);
    o.object("accelerators", [&](object_reader& a) { read_accelerators(a, made.accelerators.emplace()); });
    o.text("architecture", made.architecture, architecture_rule);
    if (made.accelerators && made.accelerators->stack != "none")
        made.stacks = {made.accelerators->stack, "none"};
    o.texts("stacks", made.stacks, 1, 16, stack_rule, true);
    o.whole("units_free", made.units_free, 0, whole_max);
    o.whole("queue_wait_s", made.queue_wait_s, 0, year_s);
    o.whole("queue_wait_p90_s", made.queue_wait_p90_s, 0, year_s);
    if (o.has("queue_wait_p90_s") && made.queue_wait_p90_s < made.queue_wait_s)
        o.faults().invalid(o.at("queue_wait_p90_s"), "is below queue_wait_s, the median", "give the 90th percentile");
    read_software(o, made.software);
    if (made.supply.owned && made.mode != billing_mode::reserved)
        o.faults().invalid(o.at("owned"), "is of reserved offers only", "give billing_mode reserved, or remove it");
}

void read_offer(object_reader& o, offer& made, reading& file) {
    std::string site;
    std::string name;
    o.require({"site", "name", "billing_mode", "unit", "vcpus", "memory_mib"});
    if (o.text("site", site, slug_rule))
        check_site(o, site, file);
    o.text("name", name, offer_name_rule);
    read_terms(o, made);
    read_shape(o, made);
    read_price(o, "price", made.price);
    o.text("price_source", made.price_source, note_rule);
    if (o.has("price") || o.has("term_price"))
        o.require({"price_source"});
    unit_price untaxed = made.price.value_or(unit_price{});
    read_hours(o, made.schedule, made.supply.owned);
    if (o.has("price_schedule"))
        o.require({"price"});
    take_tax_out(o, untaxed, made.schedule, made.supply);
    if (made.price)
        made.price = untaxed;
    o.time("as_of", made.as_of);
    made.provider = file.p.id;
    made.launchable = false;
    if (const auto known = file.sites.find(site); known != file.sites.end())
        made.site = file.p.sites[known->second];
    made.id = file.p.id + '/' + site + '/' + name + '/' + std::string(name_of(made.mode));
    if (!file.offers.insert(made.id).second)
        o.faults().invalid(o.at("name"), "this site has an earlier offer of the same name and billing mode",
                           "give each its own name");
}

/// Fields of "config" whose names end so hold credentials.
bool names_credential(std::string_view name) noexcept {
    constexpr std::string_view ends[] = {"password", "secret", "token", "private_key", "api_key", "access_key"};
    return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
}

/// Credentials stand in files or variables of their own, {"file": path} or {"env": name}: this file is shown, copied
/// and kept in version control.
void read_credential(object_reader& config, std::string_view name) {
    config.object(name, [&](object_reader& reference) {
        std::string place;
        reference.text("file", place, {1, 4096});
        reference.text("env", place, {1, 255});
        if (reference.has("file") == reference.has("env"))
            reference.faults().invalid(reference.path(), "must refer to one place", "give either file or env");
    });
}

void read_config(object_reader& o, provider_config& p) {
    p.config_json = "{}";
    const auto* config = o.take("config");
    const bool is_object = o.object("config", [&](object_reader& inner) {
        for (const auto& member : config->GetObject())
            if (names_credential(text_of(member.name)))
                read_credential(inner, text_of(member.name));
        inner.accept_rest();
    });
    if (!is_object)
        return;
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    config->Accept(out);
    if (buffer.GetSize() > config_bytes_max)
        o.faults().invalid(o.at("config"), "has more than 262144 bytes", "keep large data in files of its own");
    p.config_json.assign(buffer.GetString(), buffer.GetSize());
}

void check_kind(object_reader& o, const provider_config& p) {
    const bool catalogue = p.kind == "catalogue";
    if (catalogue)
        o.require({"offers"});
    for (const std::string_view name : {"config", "adapter_command", "prices"})
        if (catalogue && o.has(name))
            o.faults().invalid(o.at(name), "has no meaning for kind \"catalogue\", which has no adapter", "remove it");
    if (!catalogue && !p.kind.empty() && o.has("offers"))
        o.faults().invalid(o.at("offers"), "is for kind \"catalogue\": the offers of other kinds come from the adapter",
                           "remove it, and give prices under \"prices\"");
}

void read_provider(object_reader& o, provider_config& p, std::span<const region_place> regions) {
    reading file{p, regions};
    std::vector<offer> offers;
    o.require({"kind", "sites"});
    o.text("kind", p.kind, provider_rule);
    o.text("display_name", p.display_name, note_rule);
    o.objects("sites", 1, provider_sites_max,
              [&](object_reader& site, std::size_t /*index*/) { read_site(site, file); });
    read_config(o, p);
    if (o.texts("adapter_command", p.adapter_command, 1, 64, argument_rule) && p.adapter_command.front().empty())
        o.faults().invalid(json_path(o.at("adapter_command"), std::size_t{0}), "must not be empty",
                           "name the adapter's program");
    o.objects("prices", 1, prices_max, [&](object_reader& price, std::size_t /*index*/) {
        read_override(price, p.prices.emplace_back(), file);
    });
    o.whole("stale_after_s", p.stale_after_s, 1, 10 * year_s);
    if (o.objects("offers", 1, catalogue_offers_max,
                  [&](object_reader& made, std::size_t /*index*/) { read_offer(made, offers.emplace_back(), file); })) {
        for (offer& made : offers)
            made.stale_after_s = stale_after_s(p);
        p.offers = offer_list(std::move(offers)).sorted();
    }
    o.flag("cordoned", p.cordoned);
    o.object("limits", [&](object_reader& limits) {
        limits.whole("calls_max", p.calls_max, 1, 1024);
        limits.whole("call_timeout_s", p.call_timeout_s, 1, 3600);
    });
    o.whole("offers_refresh_s", p.offers_refresh_s, 1, 86'400);
    o.whole("poll_s", p.poll_s, 1, 3600);
    o.whole("lost_after_s", p.lost_after_s, 1, 86'400);
    check_kind(o, p);
}

}  // namespace

result<provider_config> decode_provider(std::string_view id, std::string_view json,
                                        std::span<const region_place> regions) {
    const auto document = parse_json(json, provider_json_max);
    if (!document)
        return document.error();
    provider_config p;
    p.id = id;
    fault_list faults;
    if (!is_provider_id(id) || id.size() > provider_rule.length_max)
        faults.invalid({}, "the file's name \"" + p.id + "\" is not a provider id",
                       "name it with " + std::string(provider_rule.shape));
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) { read_provider(o, p, regions); });
    if (!faults.empty())
        return with_places(faults.to_error("the provider " + p.id + " is not acceptable"), json);
    return p;
}

}  // namespace westerly
