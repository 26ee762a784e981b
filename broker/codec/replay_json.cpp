#include "broker/codec/replay_json.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"

namespace westerly {
namespace {

constexpr std::size_t request_bytes_max = 2 * config_json_max + 4096;
constexpr text_rule text_of_a_file{1, config_json_max};

void put_choice(json_writer& out, std::string_view name, const std::optional<appraisal>& choice) {
    if (!choice)
        return;
    put_key(out, name);
    out.StartObject();
    put_text(out, "offer", choice->offer);
    put_key(out, "cost");
    encode(out, choice->cost);
    put_number(out, "cost_base", choice->cost_base);
    put_number(out, "carbon_kg", choice->carbon_kg);
    put_number(out, "non_green_kwh", choice->non_green_kwh);
    put_time(out, "start_at", choice->start_at);
    put_time(out, "finish_at", choice->finish_at);
    out.EndObject();
}

void put_policy(json_writer& out, std::string_view name, const policy_choice& choice) {
    put_key(out, name);
    out.StartObject();
    put_text(out, "name", choice.name);
    put_text(out, "version", choice.version);
    out.EndObject();
}

/// After minus before, where both are known.
std::optional<double> more(const std::optional<double>& before, const std::optional<double>& after) {
    if (!before || !after)
        return std::nullopt;
    return *after - *before;
}

void put_difference(json_writer& out, const compared_decision& one) {
    if (!one.before || !one.after)
        return;
    put_key(out, "difference");
    out.StartObject();
    put_number(out, "cost_base", one.after->cost_base - one.before->cost_base);
    put_number(out, "carbon_kg", more(one.before->carbon_kg, one.after->carbon_kg));
    put_number(out, "non_green_kwh", more(one.before->non_green_kwh, one.after->non_green_kwh));
    put_number(out, "finish_s", static_cast<double>((one.after->finish_at - one.before->finish_at).count()) / 1000.0);
    out.EndObject();
}

void read_choice(object_reader& o, policy_choice& into) {
    o.require({"name"});
    o.text("name", into.name, policy_name_rule);
    o.text("version", into.version, note_rule);
    o.text("text", into.text, text_of_a_file);
    if (o.has("version") && o.has("text"))
        o.faults().invalid(o.at("version"), "is made from the text", "give one of the two");
}

}  // namespace

void encode(json_writer& out, const replay_report& r) {
    out.StartObject();
    put_id(out, "decision", r.decision);
    put_flag(out, "identical", r.identical);
    if (!r.identical) {
        put_key(out, "first_difference");
        out.StartObject();
        put_key(out, "pointer");
        put_string(out, r.pointer);
        put_text(out, "recorded", r.recorded);
        put_text(out, "replayed", r.replayed);
        out.EndObject();
    }
    out.EndObject();
}

void encode(json_writer& out, const policy_comparison& c) {
    out.StartObject();
    put_policy(out, "before", c.before);
    put_policy(out, "after", c.after);
    put_text(out, "currency", to_string(c.base));
    put_whole(out, "compared", c.compared);
    put_whole(out, "not_comparable", c.not_comparable);
    put_flag(out, "complete", c.complete);
    put_key(out, "differ");
    out.StartArray();
    for (const auto& one : c.differ) {
        out.StartObject();
        put_id(out, "decision", one.decision);
        put_id(out, "workload", one.workload);
        put_time(out, "decided_at", one.at);
        put_choice(out, "before", one.before);
        put_choice(out, "after", one.after);
        put_difference(out, one);
        out.EndObject();
    }
    out.EndArray();
    out.EndObject();
}

result<policy_comparison_request> decode_comparison_request(std::string_view json) {
    const auto document = parse_json(json, request_bytes_max);
    if (!document)
        return document.error();
    policy_comparison_request asked;
    fault_list faults;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) {
        o.require({"before", "after"});
        o.object("before", [&](object_reader& choice) { read_choice(choice, asked.before); });
        o.object("after", [&](object_reader& choice) { read_choice(choice, asked.after); });
        o.whole("last", asked.last, 1, compared_max);
        o.time("since", asked.since);
    });
    if (!faults.empty())
        return faults.to_error("the comparison");
    return asked;
}

}  // namespace westerly
