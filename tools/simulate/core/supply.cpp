#include "tools/simulate/core/supply.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/files.hpp"
#include "tools/simulate/core/lines.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

namespace westerly {

namespace {

// IT power where a catalogue states none: what a card may draw (the makers' data sheets) and a host's share, which with
// 96 processors beside eight A100 gives 4.2 kW; such servers are built for up to 6.5.
constexpr double watts_per_vcpu = 10;
constexpr double idle_share = 0.3;
constexpr std::pair<std::string_view, double> card_watts[] = {
    {"A100", 400}, {"A10", 150}, {"B200", 1000}, {"H100", 700}, {"H200", 700}, {"K80", 300},
    {"L40", 300},  {"L4", 72},   {"P100", 250},  {"T4", 70},    {"V100", 300}, {"P4", 75}};
constexpr double other_card_watts = 300;

double watts_of(std::string_view model) {
    const std::pair<std::string_view, double>* best = nullptr;
    for (const auto& known : card_watts)
        if (model.starts_with(known.first) && (best == nullptr || known.first.size() > best->first.size()))
            best = &known;
    return best == nullptr ? other_card_watts : best->second;
}

/// Places of schema/facts/cloud_grids.json by provider and region.
const std::map<std::pair<std::string, std::string>, site_facts>& known_places() {
    static const auto places = [] {
        std::map<std::pair<std::string, std::string>, site_facts> made;
        const auto read = parse_json(embedded_file("schema/facts/cloud_grids.json").value(), 1 << 20);
        const json_value& file = read.value();
        for (const json_value& r : file["regions"].GetArray()) {
            site_facts site;
            const std::string provider = r["provider"].GetString();
            site.region = r["region"].GetString();
            site.site = site.region;
            site.jurisdiction = r["jurisdiction"].GetString();
            site.latitude_longitude = {r["latitude"].GetDouble(), r["longitude"].GetDouble()};
            site.grid_zone = r["grid_zone"].GetString();
            if (r.HasMember("pue"))
                site.pue = sourced{r["pue"].GetDouble(), file["sources"][r["pue_source"].GetString()].GetString(),
                                   quality_class::declared};
            made[{provider, site.region}] = site;
        }
        return made;
    }();
    return places;
}

bool begins_with_one_of(std::string_view text, const std::vector<std::string>& starts) {
    return starts.empty() || std::ranges::any_of(starts, [&](const auto& s) { return text.starts_with(s); });
}

bool cards_fit(const catalogue_rules& rules, std::string_view model) {
    return rules.accelerator == "none" ? model.empty() : model.starts_with(rules.accelerator);
}

bool provider_fits(const catalogue_rules& rules, const std::string& provider) {
    return rules.providers.empty() || std::ranges::find(rules.providers, provider) != rules.providers.end();
}

/// "name" of "provider/site/name/mode".
std::string_view name_in(std::string_view id) {
    id.remove_suffix(id.size() - std::min(id.rfind('/'), id.size()));
    return id.substr(id.rfind('/') + 1);
}

/// Why an offer of a provider file is not taken; nullptr: it is.
const char* left_out_for(const offer& told, const catalogue_rules& rules) {
    const std::string_view model = told.accelerators ? std::string_view(told.accelerators->model) : "";
    return !told.price                            ? "no price"
           : !provider_fits(rules, told.provider) ? "other provider"
           : !begins_with_one_of(name_in(told.id), rules.instance_prefixes) || !cards_fit(rules, model) ? "other shape"
                                                                                                        : nullptr;
}

/// Names of offers and models are slugs of a kind: everything else becomes '-'.
std::string tidy(std::string_view text) {
    std::string made;
    for (const char c : text)
        made += std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-' ? c : '-';
    return made;
}

}  // namespace

offer_book supply::book() const {
    std::map<provider_id, std::vector<offer>> by_provider;
    for (const offer& o : offers)
        by_provider[o.provider].push_back(o);
    offer_book made;
    for (auto& [provider, list] : by_provider)
        made.replace_provider(provider, std::move(list));
    return made;
}

result<void> read_providers(const std::string& path, const catalogue_rules& rules, supply& into) {
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(path)) {
        for (const auto& entry : std::filesystem::directory_iterator(path))
            if (entry.path().extension() == ".json")
                files.push_back(entry.path());
        std::ranges::sort(files);
    } else {
        files.emplace_back(path);
    }
    const auto regions = decode_regions(embedded_file("schema/facts/regions.json").value()).value();
    for (const auto& file : files) {
        const auto text = read_file(file, config_json_max);
        if (!text)
            return fail(text.error().code, file.string() + ": " + text.error().detail);
        auto read = decode_provider(file.stem().string(), *text, regions);
        if (!read) {
            const auto& faults = read.error().faults;
            return fail(errc::invalid,
                        file.string() + ": " +
                            (faults.empty() ? read.error().detail : faults[0].pointer + " " + faults[0].message));
        }
        if (read->kind != "catalogue")
            ++into.left_out["a provider file of kind " + read->kind + ", whose offers its adapter tells"];
        for (const offer& told : read->offers) {
            if (const char* const why = left_out_for(told, rules)) {
                ++into.left_out[why];
                continue;
            }
            into.offers.push_back(told);
            into.offers.back().launchable = true;  // here everything runs
        }
    }
    return {};
}

result<void> read_catalogue(const std::string& path, const catalogue_rules& rules, supply& into) {
    auto csv = csv_reader::open(path, {"provider", "region", "instance_type", "vcpus", "memory_gib", "accelerator_name",
                                       "accelerator_count", "price_usd_per_hour"});
    if (!csv)
        return csv.error();
    std::set<offer_id> seen;
    for (;;) {
        const auto more = csv->next();
        if (!more)
            return more.error();
        if (!*more)
            return {};
        double values[6] = {};
        constexpr std::string_view columns[] = {"vcpus",
                                                "memory_gib",
                                                "accelerator_count",
                                                "accelerator_memory_gib",
                                                "price_usd_per_hour",
                                                "spot_price_usd_per_hour"};
        for (std::size_t i = 0; i < 6; ++i) {
            const auto value = csv->number(columns[i], 0);
            if (!value)
                return value.error();
            values[i] = value->value_or(0);
        }
        const auto [vcpus, gib, cards, card_gib, price, spot] = values;
        const std::string provider(csv->text("provider")), type(csv->text("instance_type")),
            model(csv->text("accelerator_name"));
        const auto place = known_places().find({provider, std::string(csv->text("region"))});
        const char* const why = place == known_places().end()     ? "region without an hourly grid zone"
                                : !provider_fits(rules, provider) ? "other provider"
                                : !begins_with_one_of(type, rules.instance_prefixes) || !cards_fit(rules, model)
                                    ? "other shape"
                                : vcpus < 1 || gib <= 0 ? "an add-on's price, without a host"
                                : price <= 0            ? "no price, or 0"
                                : cards != std::floor(cards) || (cards == 0) != model.empty() ? "a part of a card"
                                                                                              : nullptr;
        if (why != nullptr) {
            ++into.left_out[why];
            continue;
        }
        offer o;
        o.provider = provider;
        o.site = place->second;
        o.compute = cards > 0 ? compute_class::intelligent : compute_class::general;
        o.vcpus = static_cast<std::uint32_t>(vcpus);
        o.memory_mib = static_cast<std::uint64_t>(gib * 1024);
        double watts = watts_per_vcpu * vcpus;
        if (cards > 0) {
            accelerator_facts a;
            // "A100-80GB" is an A100 to whoever asks for one.
            a.model = model.substr(0, model.find('-'));
            a.count = static_cast<std::uint32_t>(cards);
            a.memory_gib = static_cast<std::uint32_t>(card_gib);
            a.stack = "cuda";
            a.training = a.inference = true;
            o.accelerators = a;
            o.stacks = {"cuda", "none"};
            watts += cards * watts_of(model);
        }
        o.max_w = watts;
        o.idle_w = watts * idle_share;
        o.price_source = "catalogue";
        o.units_free = rules.units_per_offer;
        const auto add = [&](billing_mode mode, std::string_view word, double usd) {
            o.mode = mode;
            o.price = unit_price{static_cast<std::int64_t>(std::llround(usd * 1e9)), currency::usd};
            const std::string zone(csv->text("zone"));
            o.id = provider + "/" + o.site.region + "/" + (zone.empty() ? "" : tidy(zone) + ".") + tidy(type) +
                   (cards > 0 ? "." + tidy(model) : "") + "/" + std::string(word);
            if (seen.insert(o.id).second)
                into.offers.push_back(o);
            else
                ++into.left_out["twice in the file"];
        };
        add(billing_mode::on_demand, "on_demand", price);
        if (rules.spot && spot > 0)
            add(billing_mode::spot, "spot", spot);
    }
}

result<void> read_rtts(const std::string& path, supply& into) {
    auto csv = csv_reader::open(path, {"provider", "src", "dst"});
    if (!csv)
        return csv.error();
    // Measured tables name the quantile.
    const std::string_view column = csv->has("rtt_ms") ? "rtt_ms" : "rtt_ms_p50";
    if (!csv->has(column))
        return csv->fault("neither a column \"rtt_ms\" nor one \"rtt_ms_p50\"");
    std::map<std::pair<std::string, std::string>, std::vector<std::pair<std::string, double>>> from;
    for (;;) {
        const auto more = csv->next();
        if (!more)
            return more.error();
        if (!*more)
            break;
        const auto rtt = csv->number(column, 0);
        if (!rtt)
            return rtt.error();
        if (*rtt)
            from[{std::string(csv->text("provider")), std::string(csv->text("src"))}].emplace_back(csv->text("dst"),
                                                                                                   **rtt);
    }
    for (auto& [key, list] : from)
        std::ranges::sort(list);
    for (offer& o : into.offers)
        if (const auto found = from.find({o.provider, o.site.region}); found != from.end())
            o.site.rtt_ms = found->second;
    return {};
}

}  // namespace westerly
