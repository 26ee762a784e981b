#include "broker/codec/facts_json.hpp"

#include "broker/codec/reader.hpp"
#include "broker/codec/shapes.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::size_t facts_json_max = 1 << 20;
constexpr std::size_t regions_max = 4096;
constexpr text_rule sentence_rule{1, 1000};

void read_region(object_reader& o, std::vector<region_place>& into) {
    region_place read;
    std::string place;
    o.require({"region", "place", "latitude", "longitude"});
    o.text("place", place, sentence_rule);
    o.number("latitude", read.latitude, {-90, 90});
    o.number("longitude", read.longitude, {-180, 180});
    if (o.text("region", read.region, slug_rule) &&
        std::ranges::find(into, read.region, &region_place::region) != into.end())
        o.faults().invalid(o.at("region"), '"' + read.region + "\" stands twice", "keep one");
    into.push_back(std::move(read));
}

}  // namespace

result<std::vector<region_place>> decode_regions(std::string_view json) {
    const auto document = parse_json(json, facts_json_max);
    if (!document)
        return document.error();
    std::vector<region_place> regions;
    fault_list faults;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) {
        std::string text;
        o.require({"description", "source", "regions"});
        o.text("description", text, sentence_rule);
        o.text("source", text, sentence_rule);
        o.objects("regions", 1, regions_max, [&](object_reader& r, std::size_t /*index*/) { read_region(r, regions); });
    });
    if (!faults.empty())
        return faults.to_error("the region facts");
    std::ranges::sort(regions, {}, &region_place::region);
    return regions;
}

}  // namespace westerly
