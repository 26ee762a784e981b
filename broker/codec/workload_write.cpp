#include "broker/codec/policy_parts.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/codec/workload_parts.hpp"

namespace westerly {
namespace {

void begin_object(json_writer& out, std::string_view name) {
    put_key(out, name);
    out.StartObject();
}

void put_need(json_writer& out, const accelerator_need& need) {
    put_text(out, "model", need.model);
    put_whole(out, "count", need.count);
    if (need.min_memory_gib > 0)
        put_whole(out, "min_memory_gib", need.min_memory_gib);
    if (need.min_fp16_tflops > 0)
        put_number(out, "min_fp16_tflops", need.min_fp16_tflops);
    if (need.min_interconnect_gb_s > 0)
        put_number(out, "min_interconnect_gb_s", need.min_interconnect_gb_s);
    put_text(out, "stack", need.stack);
    if (need.fit != accelerator_fit::any)
        put_text(out, "fit", name_of(need.fit));
}

void put_resources(json_writer& out, const task_resources& r) {
    begin_object(out, "resources");
    put_whole(out, "vcpus", r.vcpus);
    put_whole(out, "memory_mib", r.memory_mib);
    if (r.disk_mib > 0)
        put_whole(out, "disk_mib", r.disk_mib);
    put_text(out, "architecture", r.architecture);
    if (!r.accelerators.empty())
        put_objects(out, "accelerators", r.accelerators, [&](const auto& need) { put_need(out, need); });
    if (r.precision)
        put_text(out, "precision", name_of(*r.precision));
    out.EndObject();
}

void put_origin(json_writer& out, const origin& from) {
    put_text(out, "region", from.region);
    if (from.latitude_longitude) {
        put_number(out, "latitude", from.latitude_longitude->first);
        put_number(out, "longitude", from.latitude_longitude->second);
    }
}

void put_origins(json_writer& out, const constraints& c) {
    if (c.from) {
        begin_object(out, "origin");
        put_origin(out, *c.from);
        out.EndObject();
    }
    if (!c.origins.empty())
        put_objects(out, "origins", c.origins, [&](const weighted_origin& each) {
            put_origin(out, each.from);
            put_number(out, "weight", each.weight);
        });
}

void put_constraints(json_writer& out, const constraints& c) {
    if (c == constraints{})
        return;
    begin_object(out, "constraints");
    put_texts(out, "regions", c.regions);
    put_texts(out, "jurisdictions", c.jurisdictions);
    if (!c.providers_allow.empty() || !c.providers_deny.empty()) {
        begin_object(out, "providers");
        put_texts(out, "allow", c.providers_allow);
        put_texts(out, "deny", c.providers_deny);
        out.EndObject();
    }
    put_origins(out, c);
    put_number(out, "max_rtt_ms", c.max_rtt_ms);
    put_number(out, "max_pue", c.max_pue);
    put_number(out, "min_green_power_share", c.min_green_power_share);
    put_number(out, "max_carbon_kg", c.max_carbon_kg);
    if (c.max_price_per_hour)
        put_money(out, "max_price_per_hour", *c.max_price_per_hour);
    put_compliance(out, c.compliance);
    out.EndObject();
}

void put_data(json_writer& out, const workload_spec& spec) {
    if (spec.inputs.empty() && spec.data_class.empty())
        return;
    begin_object(out, "data");
    if (!spec.inputs.empty())
        put_objects(out, "inputs", spec.inputs, [&](const data_input& in) {
            put_number(out, "size_gib", in.size_gib);
            put_text(out, "region", in.region);
            if (in.egress_per_gib)
                put_money(out, "egress_per_gib", *in.egress_per_gib);
        });
    put_text(out, "class", spec.data_class);
    out.EndObject();
}

void put_timing(json_writer& out, const timing& t) {
    if (t == timing{})
        return;
    begin_object(out, "timing");
    put_time(out, "earliest_start_at", t.earliest_start_at);
    put_time(out, "deadline_at", t.deadline_at);
    put_time(out, "target_at", t.target_at);
    if (t.max_wait_s)
        put_whole(out, "max_wait_s", *t.max_wait_s);
    if (t.max_runtime_s)
        put_whole(out, "max_runtime_s", *t.max_runtime_s);
    if (t.max_delay_s)
        put_whole(out, "max_delay_s", *t.max_delay_s);
    if (t.deadline_probability != timing{}.deadline_probability)
        put_number(out, "deadline_probability", t.deadline_probability);
    if (t.value_of_time)
        put_price(out, "value_of_time", *t.value_of_time);
    out.EndObject();
}

void put_retry(json_writer& out, const retry_rule& r) {
    begin_object(out, "retry");
    put_whole(out, "attempts_max", r.attempts_max);
    put_whole(out, "backoff_s", r.backoff_s);
    if (r.second_copy_after_s)
        put_whole(out, "second_copy_after_s", *r.second_copy_after_s);
    put_key(out, "on");
    out.StartArray();
    for (const auto cause : r.on)
        put_string(out, name_of(cause));
    out.EndArray();
    out.EndObject();
}

}  // namespace

void encode_workload_spec(json_writer& out, const workload_spec& spec) {
    out.StartObject();
    put_text(out, "kind", name_of(spec.kind));
    put_text(out, "compute_class", name_of(spec.compute));
    put_text(out, "name", spec.name);
    put_text_map(out, "labels", spec.labels);
    put_text(out, "project", spec.project);
    put_signed(out, "priority", spec.priority);
    put_flag(out, "preemptible", spec.preemptible);
    put_flag(out, "interactive", spec.interactive);
    put_policy_choice(out, spec);
    if (spec.tasks_max > 0) {
        begin_object(out, "tasks");
        put_whole(out, "min", spec.tasks);
        put_whole(out, "max", spec.tasks_max);
        out.EndObject();
    } else {
        put_whole(out, "tasks", spec.tasks);
    }
    put_resources(out, spec.resources);
    put_objects(out, "variants", spec.variants, [&](const variant& v) {
        put_text(out, "stack", v.stack);
        put_texts(out, "command", v.command);
        put_text_map(out, "env", v.env);
        put_text(out, "files", v.files);
        put_text(out, "stack_version", v.stack_version);
        put_text(out, "driver_version", v.driver_version);
    });
    put_work(out, spec.work);
    put_checkpoint(out, spec.checkpoint);
    if (spec.movable)
        put_flag(out, "movable", *spec.movable);
    put_data(out, spec);
    put_constraints(out, spec.limits);
    put_timing(out, spec.when);
    if (spec.budget)
        put_money(out, "budget", *spec.budget);
    put_retry(out, spec.retry);
    put_whole(out, "grace_s", spec.grace_s);
    if (spec.spread) {
        begin_object(out, "spread");
        put_text(out, "rule", "near_users");
        put_whole(out, "max_sites", spec.spread->max_sites);
        out.EndObject();
    }
    put_texts(out, "licences", spec.licences);
    out.EndObject();
}

std::string encode_workload_spec(const workload_spec& spec) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode_workload_spec(out, spec);
    return {buffer.GetString(), buffer.GetSize()};
}

result<std::shared_ptr<const workload_spec>> spec_of(const workload& w) {
    if (w.spec || !w.spec_text)
        return w.spec;
    auto spec = decode_workload(*w.spec_text, workload_use::stored);
    if (!spec)
        return spec.error();
    return std::make_shared<const workload_spec>(std::move(*spec));
}

}  // namespace westerly
