#include "broker/codec/facts_json.hpp"

#include "broker/codec/reader.hpp"
#include "broker/codec/shapes.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::size_t facts_json_max = 1 << 20;
constexpr std::size_t regions_max = 4096;
constexpr std::size_t accelerators_max = 4096;
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

void read_speed(object_reader& o, interval& speed) {
    std::string source;
    o.require({"value", "low", "high", "source"});
    o.number("value", speed.value, {.low = 0, .high = 1e6, .above_low = true});
    o.number("low", speed.low, {.low = 0, .high = speed.value, .above_low = true});
    o.number("high", speed.high, {.low = speed.value, .high = 1e6});
    o.text("source", source, sentence_rule);
}

void read_model(object_reader& o, std::vector<accelerator_model>& into) {
    accelerator_model read;
    accelerator_facts& facts = read.facts;
    std::string text;
    std::vector<std::string> unverified;
    constexpr number_range figure{.low = 0, .high = 1e6, .above_low = true};
    o.require({"model", "vendor", "stack", "confidence"});
    if (o.text("model", read.model, model_rule) &&
        std::ranges::find(into, read.model, &accelerator_model::model) != into.end())
        o.faults().invalid(o.at("model"), '"' + read.model + "\" stands twice", "keep one");
    o.text("vendor", text, sentence_rule);
    o.text("family", read.family, model_rule);
    o.texts("aliases", read.aliases, 1, 64, model_rule, true);
    o.whole("memory_gib", facts.memory_gib, 1, 4096);
    o.number("fp16_tflops", facts.fp16_tflops, figure);
    o.number("fp64_tflops", facts.fp64_tflops, figure);
    o.number("fp32_tflops", facts.fp32_tflops, figure);
    o.number("bf16_tflops", facts.bf16_tflops, figure);
    o.number("fp8_tflops", facts.fp8_tflops, figure);
    o.number("int8_tops", facts.int8_tops, figure);
    o.number("memory_gb_s", facts.memory_gb_s, figure);
    read.pcie_only =
        o.number("interconnect_gb_s", facts.interconnect_gb_s, {.low = 0, .high = 1e6}) && facts.interconnect_gb_s == 0;
    o.number("host_link_gb_s", facts.host_link_gb_s, figure);
    o.whole("scale_up_cards", facts.scale_up_cards, 1, 1'000'000);
    o.number("scale_out_gb_s", facts.scale_out_gb_s, figure);
    o.number("max_w", read.max_w, figure);
    o.text("stack", facts.stack, stack_rule);
    o.flag("training", facts.training);
    o.flag("inference", facts.inference);
    o.object("training_speed", [&](object_reader& speed) { read_speed(speed, facts.training_speed); });
    o.text("confidence", text, sentence_rule);
    o.texts("unverified", unverified, 1, 32, sentence_rule, true);
    facts.model = read.model;
    into.push_back(std::move(read));
}

}  // namespace

result<std::vector<accelerator_model>> decode_accelerators(std::string_view json) {
    const auto document = parse_json(json, facts_json_max);
    if (!document)
        return document.error();
    std::vector<accelerator_model> models;
    fault_list faults;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) {
        std::string text;
        o.require({"description", "source", "reference", "accelerators"});
        o.text("description", text, sentence_rule);
        o.text("source", text, sentence_rule);
        o.text("reference", text, model_rule);
        o.objects("accelerators", 1, accelerators_max,
                  [&](object_reader& m, std::size_t /*index*/) { read_model(m, models); });
    });
    if (!faults.empty())
        return faults.to_error("the accelerator facts");
    return models;
}

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
