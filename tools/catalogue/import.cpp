#include "tools/catalogue/import.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/support/embedded.hpp"
#include "tools/catalogue/arm.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr nanos one = 1'000'000'000;
constexpr nanos vcpus_max = 1'000'000 * one;
constexpr nanos price_nanos_max = 999'999'999'999'999'999;  // as many digits as a provider file takes
constexpr std::size_t name_max = 128;

/// Small letters, digits and '-' only, none at either end: what sites, regions and providers may be called.
std::string slug_of(std::string_view text) {
    std::string slug;
    for (const char c : text) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool keeps = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (upper || keeps)
            slug += upper ? static_cast<char>(c - 'A' + 'a') : c;
        else if (!slug.empty() && slug.back() != '-')
            slug += '-';
    }
    slug.resize(std::min<std::size_t>(slug.size(), slug_rule.length_max));
    while (slug.ends_with('-'))
        slug.pop_back();
    return slug;
}

std::string offer_name_of(std::string_view text) {
    std::string name(text.substr(0, name_max));
    for (char& c : name)
        if (!is_slug(std::string(1, static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c))) && c != '.' &&
            c != '_' && c != '-')
            c = '_';
    return name;
}

/// Everything that a row says of its site and type, to tell a repeat from a contradiction.
std::string facts_of(const price_row& row) {
    std::string all = row.accelerator;
    for (const auto& value : {row.vcpus, row.memory_gib, row.cards, row.card_memory_gib, row.price, row.spot_price})
        all += '|' + (value ? std::to_string(*value) : std::string());
    return all;
}

}  // namespace

result<import_facts> shipped_import_facts(std::vector<cloud_region> own) {
    auto regions = decode_cloud_regions(embedded_file("schema/facts/cloud_regions.json").value_or(""));
    if (!regions)
        return regions.error();
    auto accelerators =
        decode_known_accelerators(embedded_file("schema/facts/catalogue_accelerators.json").value_or(""));
    if (!accelerators)
        return accelerators.error();
    own.insert(own.end(), regions->begin(), regions->end());
    return import_facts{.regions = std::move(own), .accelerators = std::move(*accelerators)};
}

catalogue_import::catalogue_import(import_facts facts, import_options options)
    : facts_(std::move(facts)), cards_(facts_.accelerators), options_(std::move(options)) {}

void catalogue_import::note(finding_kind kind, std::uint32_t file, const price_row& row, std::string detail) {
    findings_.add({kind, file, row.line, std::move(detail)});
}

result<void> catalogue_import::add(std::string_view csv, std::uint32_t file, const std::string& file_name) {
    csv_reader lines(csv);
    csv_row line;
    if (!lines.next(line))
        return fail(errc::invalid, file_name + " is empty",
                    "give a catalogue with a first line that names its columns");
    const auto header = price_header::read(line, !options_.provider.empty());
    if (!header)
        return fail(errc::invalid, file_name + ": " + header.error().detail, header.error().remedy);
    ignored_.insert(ignored_.end(), header->ignored().begin(), header->ignored().end());
    const std::string source = options_.source.empty() ? file_name : options_.source;
    while (lines.next(line)) {
        ++rows_;
        finding_kind why{};
        bool joined = false;
        auto row = header->row_of(line, why, joined);
        if (!row) {
            findings_.add({why, file, line.line, row.error().detail});
            continue;
        }
        if (joined)
            note(finding_kind::comma_joined, file, *row, row->region + " " + row->instance_type);
        add_row(std::move(*row), file, source);
    }
    return {};
}

/// The same place and type again: said the same, or otherwise. The first one holds.
bool catalogue_import::is_repeat(const std::string& provider, const std::string& place, const price_row& row,
                                 std::uint32_t file) {
    const auto [at, fresh] = known_rows_.try_emplace(provider + '/' + place, known_row{facts_of(row)});
    if (fresh)
        return false;
    const bool same = at->second.facts == facts_of(row);
    note(same ? finding_kind::duplicate : finding_kind::contradiction, file, row, place);
    return true;
}

void catalogue_import::add_row(price_row row, std::uint32_t file, const std::string& source) {
    if (row.provider.empty())
        row.provider = options_.provider;
    std::string provider = slug_of(row.provider);
    if (!options_.provider.empty() && provider != options_.provider) {
        ++rows_of_others_;
        return;
    }
    const std::string name = offer_name_of(row.instance_type);
    if (provider.empty() || slug_of(row.region).empty() || name.empty())
        return note(finding_kind::name_missing, file, row, row.provider + " " + row.region + " " + row.instance_type);
    if (!is_provider_id(provider))
        provider = slug_of("p-" + provider);

    offer made;
    if (!shape_of(row, made, file))
        return;
    imported_provider& into = providers_[provider];
    into.id = provider;
    const auto* site = site_of(into, row, file);
    if (!site || is_repeat(provider, site->site + '/' + name, row, file))
        return;
    const bool both = row.spot_price && row.price && *row.price > 0 && *row.spot_price > 0;
    if (into.offers.size() + (both ? 2 : 1) > catalogue_offers_max)
        return note(finding_kind::past_limits, file, row, provider + " has " + std::to_string(into.offers.size()));
    if (name != row.instance_type)
        note(finding_kind::name_changed, file, row, row.instance_type + " is " + name);
    if (both && *row.spot_price > *row.price)
        note(finding_kind::spot_dearer, file, row, format_nanos(*row.spot_price) + " over " + format_nanos(*row.price));
    if ((row.price && *row.price == 0) || (row.spot_price && *row.spot_price == 0))
        note(finding_kind::zero_price, file, row, name);
    made.provider = provider;
    made.site.site = site->site;
    made.site.region = site->region;
    made.price_source = source.substr(0, note_rule.length_max);
    made.as_of = options_.as_of.value_or(instant{});
    for (const auto& [mode, price] :
         {std::pair(billing_mode::on_demand, row.price), std::pair(billing_mode::spot, row.spot_price)}) {
        if (!price || *price == 0)
            continue;
        made.mode = mode;
        made.price = unit_price{*price, currency::usd};
        made.id = name;
        into.offers.push_back(made);
    }
    ++rows_used_;
}

bool catalogue_import::shape_of(const price_row& row, offer& made, std::uint32_t file) {
    if (row.vcpus.value_or(0) < one || row.memory_gib.value_or(0) == 0)
        return note(finding_kind::no_host, file, row, row.instance_type + " " + row.accelerator), false;
    if (row.price.value_or(0) == 0 && row.spot_price.value_or(0) == 0)
        return note(finding_kind::no_price, file, row, row.instance_type), false;
    const auto mib = static_cast<wide>(*row.memory_gib) * 1024 / one;
    if (*row.vcpus > vcpus_max || *row.vcpus % one != 0 || mib < 1)
        return note(finding_kind::bad_number, file, row,
                    format_nanos(*row.vcpus) + " vcpus, " + format_nanos(*row.memory_gib) + " GiB"),
               false;
    for (const auto& price : {row.price, row.spot_price})
        if (price && *price > price_nanos_max)
            return note(finding_kind::bad_number, file, row, "a price of " + format_nanos(*price)), false;
    made.vcpus = static_cast<std::uint32_t>(*row.vcpus / one);
    made.memory_mib = static_cast<std::uint64_t>(mib);
    if (is_arm(slug_of(row.provider), row.instance_type)) {
        made.architecture = "arm64";
        note(finding_kind::arm_by_name, file, row, row.instance_type);
    }
    if (row.accelerator.empty() || (row.cards && *row.cards == 0))
        return true;
    row_cards cards;
    if (!cards_.read(row, cards,
                     [&](finding_kind kind, std::string detail) { note(kind, file, row, std::move(detail)); }))
        return false;
    made.compute = compute_class::intelligent;
    made.accelerators = accelerator_facts{.model = cards.model,
                                          .count = cards.count,
                                          .memory_gib = cards.memory_gib,
                                          .stack = cards.stack,
                                          .training = cards.training,
                                          .inference = cards.inference};
    if (cards.stack != "unknown")
        made.stacks = {cards.stack, "none"};
    return true;
}

/// A zone, or a region whose prices hold for all its zones, is one site.
const site_facts* catalogue_import::site_of(imported_provider& at, const price_row& row, std::uint32_t file) {
    const std::string region = slug_of(row.region), zone = slug_of(row.zone);
    const std::string name = slug_of(zone.empty() ? region : zone.starts_with(region) ? zone : region + '-' + zone);
    const auto [known, fresh] = sites_.try_emplace(at.id + '/' + name, at.sites.size());
    if (fresh && at.sites.size() == provider_sites_max) {
        sites_.erase(known);
        note(finding_kind::past_limits, file, row, "site " + name);
        return nullptr;
    }
    if (fresh) {
        site_facts& site = at.sites.emplace_back();
        site.site = name;
        site.region = slug_of(at.id + '-' + region);
        site.zone = zone;
        const auto facts = std::ranges::find_if(facts_.regions, [&](const cloud_region& r) {
            return r.provider == at.id && (r.region == row.region || r.region == region);
        });
        const bool is_known = facts != facts_.regions.end();
        site.jurisdiction = is_known ? facts->jurisdiction : country_in(row.region);
        if (is_known)
            site.latitude_longitude = facts->latitude_longitude;
    }
    site_facts& site = at.sites[known->second];
    if (!site.latitude_longitude)
        note(finding_kind::region_without_place, file, row, at.id + " " + row.region);
    if (site.jurisdiction.empty() || site.jurisdiction == jurisdiction_untold) {
        site.jurisdiction = jurisdiction_untold;
        note(finding_kind::jurisdiction_unknown, file, row, at.id + " " + row.region);
    }
    return &site;
}

}  // namespace westerly
