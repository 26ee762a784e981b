#include "tools/catalogue/facts.hpp"

#include "broker/codec/reader.hpp"
#include "broker/codec/shapes.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::size_t facts_json_max = 4 << 20;
constexpr std::size_t facts_max = 16'384;
constexpr text_rule sentence_rule{1, 1000};

template <class Read>
result<void> read_facts(std::string_view json, std::string_view list, Read read) {
    const auto document = parse_json(json, facts_json_max);
    if (!document)
        return document.error();
    fault_list faults;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) {
        std::string text;
        o.require({"description", "source"});
        if (!o.has(list))
            o.faults().invalid(o.at(list), "is missing", "list the facts there");
        o.text("description", text, sentence_rule);
        o.text("source", text, sentence_rule);
        o.objects(list, 1, facts_max, [&](object_reader& r, std::size_t /*index*/) { read(r); });
    });
    if (!faults.empty())
        return faults.to_error("the facts");
    return {};
}

struct country_word {
    std::string_view word, code;
};
constexpr country_word country_words[] = {
    {"australia", "AU"}, {"brazil", "BR"},  {"canada", "CA"}, {"finland", "FI"},     {"france", "FR"},
    {"germany", "DE"},   {"iceland", "IS"}, {"india", "IN"},  {"ireland", "IE"},     {"israel", "IL"},
    {"italy", "IT"},     {"japan", "JP"},   {"korea", "KR"},  {"netherlands", "NL"}, {"norway", "NO"},
    {"poland", "PL"},    {"spain", "ES"},   {"sweden", "SE"}, {"singapore", "SG"},   {"switzerland", "CH"},
    {"uk", "GB"},        {"us", "US"},      {"usa", "US"},
};

/// "…, TW, AS": the country's code stands before the continent's.
std::string country_before_continent(std::string_view region) {
    const auto last = region.rfind(", ");
    if (last == std::string_view::npos || region.size() != last + 4)
        return {};
    const auto before = region.substr(0, last);
    const auto from = before.rfind(", ");
    const auto code = from == std::string_view::npos ? before : before.substr(from + 2);
    return is_country_code(code) ? std::string(code) : std::string();
}

}  // namespace

result<std::vector<cloud_region>> decode_cloud_regions(std::string_view json) {
    std::vector<cloud_region> regions;
    const auto done = read_facts(json, "regions", [&](object_reader& o) {
        cloud_region read;
        o.require({"provider", "region", "jurisdiction"});
        o.text("provider", read.provider, provider_rule);
        o.text("region", read.region, note_rule);
        o.text("place", read.place, sentence_rule);
        o.text("jurisdiction", read.jurisdiction, country_rule);
        read_place(o, read.latitude_longitude);
        regions.push_back(std::move(read));
    });
    if (!done)
        return done.error();
    return regions;
}

result<std::vector<known_accelerator>> decode_known_accelerators(std::string_view json) {
    std::vector<known_accelerator> all;
    const auto done = read_facts(json, "accelerators", [&](object_reader& o) {
        known_accelerator read;
        o.require({"model", "memory_gib", "stack"});
        o.text("model", read.model, model_rule);
        o.text("stack", read.stack, stack_rule);
        o.items("memory_gib", 1, 8, [&](const json_value& v, const json_path& at, std::size_t /*index*/) {
            const auto gib = read_whole(v, at, 1, 4096, o.faults());
            if (gib)
                read.memory_gib.push_back(static_cast<std::uint32_t>(*gib));
            return gib.has_value();
        });
        o.flag("training", read.training);
        o.flag("inference", read.inference);
        o.texts("names", read.names, 1, 32, note_rule, true);
        all.push_back(std::move(read));
    });
    if (!done)
        return done.error();
    return all;
}

std::string country_in(std::string_view region) {
    if (auto code = country_before_continent(region); !code.empty())
        return code;
    for (std::size_t from = 0; from < region.size();) {
        const auto end = std::min(region.find('-', from), region.size());
        const auto word = region.substr(from, end - from);
        if (const auto known = std::ranges::find(country_words, word, &country_word::word);
            known != std::end(country_words))
            return std::string(known->code);
        from = end + 1;
    }
    return {};
}

}  // namespace westerly
