#include "broker/codec/workload_parts.hpp"

#include "broker/codec/shapes.hpp"
#include "broker/codec/unsupported.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::int64_t ten_years_s = 315'360'000;
constexpr std::size_t expression_parts_max = 16;
constexpr unsigned expression_depth_max = 4;
/// Of speeds and bandwidths.
constexpr number_range speed_range{.low = 0, .high = 1e6, .above_low = true};

/// A number, or {"value", "low", "high"}.
void read_speed(object_reader& speeds, std::string_view model, interval& speed) {
    const auto* v = speeds.take(model);
    if (v != nullptr && v->IsObject()) {
        speeds.object(model, [&](object_reader& o) {
            o.require({"value", "low", "high"});
            o.number("value", speed.value, speed_range);
            o.number("low", speed.low, speed_range);
            o.number("high", speed.high, speed_range);
            if (o.has("value") && o.has("low") && o.has("high") &&
                !(speed.low <= speed.value && speed.value <= speed.high))
                o.faults().invalid(o.path(), "is not in order", "give low <= value <= high");
        });
        return;
    }
    if (speeds.number(model, speed.value, speed_range))
        speed.low = speed.high = speed.value;
}

void read_speeds(object_reader& o, std::vector<relative_speed>& into) {
    const auto* map = o.take("relative_throughput");
    o.object("relative_throughput", [&](object_reader& speeds) {
        if (map->MemberCount() > 64)
            speeds.faults().invalid(speeds.path(), "has more than 64 entries", "give at most 64");
        for (const auto& member : map->GetObject()) {
            const auto model = text_of(member.name);
            const json_path at = speeds.at(model);
            check_text(member.name, at, model_rule, speeds.faults());
            relative_speed& read = into.emplace_back(relative_speed{std::string(model), {}});
            read_speed(speeds, model, read.speed);
        }
    });
    std::ranges::sort(into, {}, &relative_speed::model);
}

/// Fields that speak of the reference have no meaning without one.
void check_reference(object_reader& o, const workload_spec& spec) {
    for (const std::string_view name :
         {"accelerator_hours", "class", "communication_fraction", "batch_exponent", "relative_throughput"})
        if (o.has(name) && !o.has("reference"))
            o.faults().invalid(o.at("reference"), "is missing, and " + std::string(name) + " speaks of it",
                               "name the accelerator and how many of them");
    if (o.has("accelerator_hours") && o.has("runtime_s"))
        o.faults().invalid(o.at("runtime_s"), "stands beside accelerator_hours", "keep one of the two");
    if (o.has("reference") && !o.has("accelerator_hours") && !o.has("runtime_s"))
        o.faults().invalid(o.at("accelerator_hours"), "is missing: a reference alone tells no work",
                           "give accelerator_hours, or runtime_s on the reference");
    if (o.has("reference") && spec.resources.accelerators.empty())
        o.faults().invalid(o.at("reference"), "has no accelerators to be compared with",
                           "ask for some under resources.accelerators, or give runtime_s alone");
}

void read_expression(object_reader& o, fact_expression& into, unsigned depth);

/// What a fact is compared with: words are in a list, and figures on one side of another.
void read_compared(object_reader& o, std::string_view name, fact_expression& into) {
    const bool lists = into.comparison == fact_comparison::in;
    if (lists != is_word(into.fact)) {
        o.take(name);
        o.faults().invalid(o.at(name),
                           lists ? "lists words, and " + std::string(name_of(into.fact)) + " is a figure"
                                 : "compares figures, and " + std::string(name_of(into.fact)) + " is a word",
                           lists ? "give one of at_least, above, at_most and below" : "give in, a list of words");
        return;
    }
    if (lists)
        o.texts(name, into.words, 1, 256, into.fact == offer_fact::jurisdiction ? country_rule : architecture_rule,
                true);
    else
        o.number(name, into.value, {0, 1e9});
}

/// {"fact", and one of "at_least", "above", "at_most", "below", "in"}.
void read_comparison(object_reader& o, fact_expression& into) {
    o.require({"fact"});
    const bool known = o.choice("fact", into.fact);
    std::size_t given = 0;
    for (std::size_t i = 0; i < std::size(enum_names<fact_comparison>::list); ++i) {
        const auto name = enum_names<fact_comparison>::list[i];
        if (!o.has(name))
            continue;
        ++given;
        into.comparison = static_cast<fact_comparison>(i);
        if (known)
            read_compared(o, name, into);
        else
            o.take(name);
    }
    if (given != 1)
        o.faults().invalid(o.path(), "has " + std::to_string(given) + " comparisons",
                           "give one of at_least, above, at_most, below, and in for words");
}

void read_parts(object_reader& o, std::string_view name, fact_expression& into, unsigned depth) {
    if (depth >= expression_depth_max) {
        o.take(name);
        o.faults().invalid(o.at(name), "is nested deeper than " + std::to_string(expression_depth_max),
                           "write the rule flatter, or as several rules");
        return;
    }
    o.objects(name, 1, expression_parts_max, [&](object_reader& part, std::size_t /*index*/) {
        fact_expression read;
        read_expression(part, read, depth + 1);
        into.parts.push_back(std::move(read));
    });
}

void read_expression(object_reader& o, fact_expression& into, unsigned depth) {
    constexpr std::pair<std::string_view, fact_expression::form> forms[] = {{"all", fact_expression::form::all},
                                                                            {"any", fact_expression::form::any},
                                                                            {"none", fact_expression::form::none}};
    std::size_t given = 0;
    for (const auto& [name, form] : forms) {
        if (!o.has(name))
            continue;
        ++given;
        into.is = form;
        read_parts(o, name, into, depth);
    }
    if (given == 0)
        return read_comparison(o, into);
    if (given > 1)
        o.faults().invalid(o.path(), "joins its parts in several ways", "keep one of all, any and none");
}

fact_expression above(offer_fact fact, double value) {
    fact_expression made;
    made.fact = fact;
    made.comparison = fact_comparison::above;
    made.value = value;
    return made;
}

/// The short form: each cap forbids what is above it.
void read_caps(object_reader& o, compliance_rule& rule) {
    constexpr std::pair<std::string_view, offer_fact> caps[] = {
        {"max_fp16_tflops", offer_fact::fp16_tflops}, {"max_interconnect_gb_s", offer_fact::interconnect_gb_s}};
    fact_expression any;
    any.is = fact_expression::form::any;
    double value = 0;
    for (const auto& [name, fact] : caps)
        if (o.number(name, value, {0, 1e6}))
            any.parts.push_back(above(fact, value));
    const bool capped = o.has("max_fp16_tflops") || o.has("max_interconnect_gb_s");
    if (capped == o.has("forbid"))
        o.faults().invalid(o.at("forbid"), capped ? "stands beside caps" : "is missing, and there are no caps",
                           "give forbid, or max_fp16_tflops and max_interconnect_gb_s");
    if (capped)
        rule.forbid = std::move(any);
}

void put_expression(json_writer& out, const fact_expression& by) {
    out.StartObject();
    if (by.is == fact_expression::form::compare) {
        put_text(out, "fact", name_of(by.fact));
        if (by.comparison == fact_comparison::in)
            put_texts(out, name_of(by.comparison), by.words);
        else
            put_number(out, name_of(by.comparison), by.value);
    } else {
        put_key(out, by.is == fact_expression::form::all   ? "all"
                     : by.is == fact_expression::form::any ? "any"
                                                           : "none");
        out.StartArray();
        for (const auto& part : by.parts)
            put_expression(out, part);
        out.EndArray();
    }
    out.EndObject();
}

}  // namespace

void read_work(object_reader& o, workload_spec& spec) {
    work_estimate& work = spec.work;
    o.whole("runtime_s", work.runtime_s, 1, ten_years_s);
    o.whole("runtime_p90_s", work.runtime_p90_s, 1, ten_years_s);
    if (o.has("runtime_p90_s") && !o.has("runtime_s"))
        o.faults().invalid(o.at("runtime_s"), "is missing, and runtime_p90_s is its 90th percentile",
                           "give runtime_s, the median");
    if (work.runtime_s && work.runtime_p90_s && *work.runtime_p90_s < *work.runtime_s)
        o.faults().invalid(o.at("runtime_p90_s"), "is below runtime_s, the median", "give the 90th percentile");
    o.number("accelerator_hours", work.accelerator_hours, {.low = 0, .high = 1e9, .above_low = true});
    o.object("reference", [&](object_reader& r) {
        reference_cards& read = work.reference.emplace();
        r.require({"model", "count"});
        r.text("model", read.model, model_rule);
        r.whole("count", read.count, 1, 1'000'000);
        r.whole("scale_up_cards", read.scale_up_cards, 1, 1'000'000);
        r.number("interconnect_gb_s", read.interconnect_gb_s, speed_range);
        r.number("scale_out_gb_s", read.scale_out_gb_s, speed_range);
    });
    o.choice("class", work.kind);
    o.number("communication_fraction", work.communication, {0, 0.99});
    o.number("batch_exponent", work.batch_exponent, {0, 1});
    o.number("utilisation", work.utilisation, {0, 1});
    read_speeds(o, work.speeds);
    check_reference(o, spec);
}

void check_communication(object_reader& o, const work_estimate& work) {
    if (work.reference && work.reference->count == 1 && work.communication > 0)
        o.faults().invalid(o.at("communication_fraction"), "is above 0, and one reference card exchanges with no other",
                           "give 0, or the reference.count on which it was measured");
}

void read_checkpoint(object_reader& o, checkpoint_rule& saves) {
    o.require({"interval_s"});
    o.whole("interval_s", saves.interval_s, 1, ten_years_s);
    o.number("write_s", saves.write_s, {0, 86'400});
    o.number("restore_s", saves.restore_s, {0, 86'400});
    o.flag("portable", saves.portable);
    o.text("region", saves.region, slug_rule);
    o.number("size_gib", saves.size_gib, {0, 1e9});
    read_money(o, "egress_per_gib", saves.egress_per_gib);
    if ((o.has("region") || o.has("egress_per_gib")) && !o.has("size_gib"))
        o.faults().invalid(o.at("size_gib"), "is missing, and says how much there is to fetch",
                           "give both, or neither");
    if (o.has("size_gib") && !o.has("region"))
        o.faults().invalid(o.at("region"), "is missing, and says where the checkpoint lies", "give both, or neither");
}

void read_compliance(object_reader& o, std::vector<compliance_rule>& rules) {
    o.objects("compliance", 1, 16, [&](object_reader& r, std::size_t /*index*/) {
        compliance_rule& rule = rules.emplace_back();
        r.require({"name"});
        r.text("name", rule.name, slug_rule);
        r.time("from_at", rule.from_at);
        r.time("until_at", rule.until_at);
        if (rule.from_at && rule.until_at && *rule.until_at <= *rule.from_at)
            r.faults().invalid(r.at("until_at"), "is not after from_at", "give a later end");
        r.object("forbid", [&](object_reader& f) { read_expression(f, rule.forbid, 0); });
        read_caps(r, rule);
    });
}

void put_work(json_writer& out, const work_estimate& work) {
    if (work == work_estimate{})
        return;
    put_key(out, "work");
    out.StartObject();
    if (work.runtime_s)
        put_whole(out, "runtime_s", *work.runtime_s);
    if (work.runtime_p90_s)
        put_whole(out, "runtime_p90_s", *work.runtime_p90_s);
    put_number(out, "accelerator_hours", work.accelerator_hours);
    if (work.reference) {
        put_key(out, "reference");
        out.StartObject();
        put_text(out, "model", work.reference->model);
        put_whole(out, "count", work.reference->count);
        if (work.reference->scale_up_cards > 0)
            put_whole(out, "scale_up_cards", work.reference->scale_up_cards);
        if (work.reference->interconnect_gb_s > 0)
            put_number(out, "interconnect_gb_s", work.reference->interconnect_gb_s);
        if (work.reference->scale_out_gb_s > 0)
            put_number(out, "scale_out_gb_s", work.reference->scale_out_gb_s);
        out.EndObject();
        if (work.kind)
            put_text(out, "class", name_of(*work.kind));
        put_number(out, "communication_fraction", work.communication);
        put_number(out, "batch_exponent", work.batch_exponent);
    }
    put_number(out, "utilisation", work.utilisation);
    if (!work.speeds.empty()) {
        put_key(out, "relative_throughput");
        out.StartObject();
        for (const auto& [model, speed] : work.speeds) {
            if (speed.exact()) {
                put_number(out, model, speed.value);
                continue;
            }
            put_key(out, model);
            out.StartObject();
            put_number(out, "value", speed.value);
            put_number(out, "low", speed.low);
            put_number(out, "high", speed.high);
            out.EndObject();
        }
        out.EndObject();
    }
    out.EndObject();
}

void put_checkpoint(json_writer& out, const std::optional<checkpoint_rule>& saves) {
    if (!saves)
        return;
    put_key(out, "checkpoint");
    out.StartObject();
    put_whole(out, "interval_s", saves->interval_s);
    put_number(out, "write_s", saves->write_s);
    put_number(out, "restore_s", saves->restore_s);
    if (saves->portable)
        put_flag(out, "portable", true);
    if (!saves->region.empty()) {
        put_text(out, "region", saves->region);
        put_number(out, "size_gib", saves->size_gib);
    }
    if (saves->egress_per_gib)
        put_money(out, "egress_per_gib", *saves->egress_per_gib);
    out.EndObject();
}

void put_compliance(json_writer& out, const std::vector<compliance_rule>& rules) {
    if (rules.empty())
        return;
    put_objects(out, "compliance", rules, [&](const compliance_rule& rule) {
        put_text(out, "name", rule.name);
        put_time(out, "from_at", rule.from_at);
        put_time(out, "until_at", rule.until_at);
        put_key(out, "forbid");
        put_expression(out, rule.forbid);
    });
}

}  // namespace westerly
