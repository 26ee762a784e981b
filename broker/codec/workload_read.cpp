#include "broker/codec/policy_parts.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/codec/unsupported.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/codec/workload_parts.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::int64_t ten_years_s = 315'360'000;
constexpr std::int64_t tasks_max = 10'000;
constexpr std::size_t licences_max = 64;

constexpr text_rule name_rule{1, 63, is_workload_name, "lower-case letters, digits and '-'"};
constexpr text_rule label_key_rule{1, 63, is_label_key,
                                   "letters, digits and . _ / -, with a letter or digit at both ends"};
constexpr text_rule label_value_rule{0, 255};
constexpr text_rule variable_rule{1, 128, is_variable_name,
                                  "letters, digits and _; names that begin with WESTERLY_ are the broker's own"};
constexpr text_rule argument_rule{0, 32'768};
constexpr text_rule digest_rule{71, 71, is_bundle_digest,
                                "sha256: and 64 lower-case hex digits, as the upload answers"};

void read_policy(object_reader& o, workload_spec& spec) {
    const auto* v = o.take("policy");
    if (v == nullptr)
        return;
    if (!v->IsObject()) {
        o.text("policy", spec.policy, policy_name_rule);
        return;
    }
    o.object("policy", [&](object_reader& p) {
        p.require({"name"});
        p.text("name", spec.policy, policy_name_rule);
        read_overrides(p, spec.overrides);
    });
}

void read_need(object_reader& o, accelerator_need& need) {
    o.text("model", need.model, model_rule);
    o.whole("count", need.count, 1, 1024);
    o.whole("min_memory_gib", need.min_memory_gib, 0, 4096);
    o.number("min_fp16_tflops", need.min_fp16_tflops, {0, 1e6});
    o.number("min_interconnect_gb_s", need.min_interconnect_gb_s, {0, 1e6});
    o.text("stack", need.stack, stack_rule);
    o.choice("fit", need.fit);
}

void read_resources(object_reader& o, task_resources& r) {
    o.whole("vcpus", r.vcpus, 1, 4096);
    o.whole("memory_mib", r.memory_mib, 1, std::int64_t{1} << 26);
    o.whole("disk_mib", r.disk_mib, 0, std::int64_t{1} << 30);
    o.text("architecture", r.architecture, architecture_rule);
    o.objects("accelerators", 1, 16,
              [&](object_reader& a, std::size_t /*index*/) { read_need(a, r.accelerators.emplace_back()); });
    o.choice("precision", r.precision);
    if (o.has("precision") && !o.has("accelerators"))
        o.faults().invalid(o.at("accelerators"), "is missing, and precision speaks of them",
                           "ask for accelerators, or leave precision out");
}

void read_variant(object_reader& o, variant& v) {
    o.text("stack", v.stack, stack_rule);
    if (!o.has("image"))
        o.require({"command"});
    if (o.texts("command", v.command, 1, 256, argument_rule) && v.command.front().empty())
        o.faults().invalid(json_path(o.at("command"), std::size_t{0}), "must not be empty", "name the program to run");
    o.text_map("env", v.env, 256, variable_rule, argument_rule);
    o.text("files", v.files, digest_rule);
    o.text("stack_version", v.stack_version, version_range_rule);
    o.text("driver_version", v.driver_version, version_range_rule);
    refuse_unsupported(o, "/variants/*");
}

void read_variants(object_reader& o, workload_spec& spec) {
    o.objects("variants", 1, 16, [&](object_reader& inner, std::size_t /*index*/) {
        auto& read = spec.variants.emplace_back();
        read_variant(inner, read);
        const auto last = spec.variants.end() - 1;
        if (std::any_of(spec.variants.begin(), last, [&](const variant& v) { return v.stack == read.stack; }))
            inner.faults().invalid(inner.at("stack"), "the stack \"" + read.stack + "\" has an earlier variant",
                                   "give each stack one variant");
    });
}

void read_data(object_reader& o, workload_spec& spec) {
    o.text("class", spec.data_class, slug_rule);
    o.objects("inputs", 1, 64, [&](object_reader& in, std::size_t /*index*/) {
        auto& read = spec.inputs.emplace_back();
        in.require({"size_gib", "region"});
        in.number("size_gib", read.size_gib, {0, 1e9});
        in.text("region", read.region, slug_rule);
        read_money(in, "egress_per_gib", read.egress_per_gib);
        refuse_unsupported(in, "/data/inputs/*");
    });
    refuse_unsupported(o, "/data");
}

void read_origin(object_reader& o, origin& from) {
    o.text("region", from.region, slug_rule);
    read_place(o, from.latitude_longitude);
    const bool coordinates = o.has("latitude") || o.has("longitude");
    if (o.has("region") == coordinates)
        o.faults().invalid(o.path(), coordinates ? "has a region and coordinates" : "has no place",
                           "give either region, or latitude and longitude");
}

void read_origins(object_reader& o, constraints& c) {
    o.object("origin", [&](object_reader& from) { read_origin(from, c.from.emplace()); });
    o.objects("origins", 1, 64, [&](object_reader& each, std::size_t /*index*/) {
        weighted_origin& read = c.origins.emplace_back();
        each.number("weight", read.weight, {.low = 0, .high = 1e9, .above_low = true});
        read_origin(each, read.from);
    });
    if (o.has("origin") && o.has("origins"))
        o.faults().invalid(o.at("origins"), "stands beside \"origin\"", "put all places into origins");
    if (o.has("max_rtt_ms") && !o.has("origin") && !o.has("origins"))
        o.faults().invalid(o.at("origin"), "is missing, and max_rtt_ms is measured from it",
                           "add the field \"origin\", or leave max_rtt_ms out");
}

void read_providers(object_reader& o, constraints& c) {
    o.texts("allow", c.providers_allow, 1, 256, provider_rule, true);
    o.texts("deny", c.providers_deny, 1, 256, provider_rule, true);
    for (std::size_t i = 0; i < c.providers_deny.size(); ++i)
        if (std::ranges::find(c.providers_allow, c.providers_deny[i]) != c.providers_allow.end())
            o.faults().invalid(json_path(o.at("deny"), i), "\"" + c.providers_deny[i] + "\" is allowed and denied",
                               "name it in one of the two lists");
}

void read_constraints(object_reader& o, constraints& c) {
    o.texts("regions", c.regions, 1, 256, slug_rule, true);
    o.texts("jurisdictions", c.jurisdictions, 1, 256, country_rule, true);
    o.object("providers", [&](object_reader& p) { read_providers(p, c); });
    read_origins(o, c);
    o.number("max_rtt_ms", c.max_rtt_ms, {.low = 0, .high = 60'000, .above_low = true});
    o.number("max_pue", c.max_pue, {1, 10});
    o.number("min_green_power_share", c.min_green_power_share, {0, 1});
    o.number("max_carbon_kg", c.max_carbon_kg, {0, 1e9});
    read_money(o, "max_price_per_hour", c.max_price_per_hour);
    read_compliance(o, c.compliance);
    refuse_unsupported(o, "/constraints");
}

/// It sets the policy's price of time, and must not stand against another word on that.
void read_value_of_time(object_reader& o, workload_spec& spec) {
    if (!o.object("value_of_time",
                  [&](object_reader& price) { read_term_price(price, spec.when.value_of_time.emplace()); }))
        return;
    if (spec.kind == workload_kind::service)
        o.faults().invalid(o.at("value_of_time"), "is of batch only: a service has no finish", "leave it out");
    if (std::ranges::any_of(spec.overrides.prices, [](const auto& price) { return price.first == "time"; }))
        o.faults().invalid(o.at("value_of_time"), "stands beside policy.overrides.prices.time", "keep one of the two");
}

void read_timing(object_reader& o, workload_spec& spec) {
    timing& t = spec.when;
    o.time("earliest_start_at", t.earliest_start_at);
    o.time("deadline_at", t.deadline_at);
    o.time("target_at", t.target_at);
    o.whole("max_wait_s", t.max_wait_s, 0, ten_years_s);
    o.whole("max_runtime_s", t.max_runtime_s, 1, ten_years_s);
    o.whole("max_delay_s", t.max_delay_s, 0, ten_years_s);
    o.number("deadline_probability", t.deadline_probability, {0.5, 0.999});
    read_value_of_time(o, spec);
    if (o.has("deadline_probability") && !o.has("deadline_at"))
        o.faults().invalid(o.at("deadline_at"), "is missing, and deadline_probability speaks of it",
                           "give the deadline, or leave deadline_probability out");
    if (t.earliest_start_at && t.deadline_at && *t.deadline_at <= *t.earliest_start_at)
        o.faults().invalid(o.at("deadline_at"), "is not after earliest_start_at", "give a later deadline");
}

void read_retry(object_reader& o, retry_rule& r) {
    o.whole("attempts_max", r.attempts_max, 1, 100);
    o.whole("backoff_s", r.backoff_s, 0, 3600);
    if (o.whole("second_copy_after_s", r.second_copy_after_s, 30, ten_years_s) && r.attempts_max < 2)
        o.faults().invalid(o.at("attempts_max"),
                           "leaves no attempt for the second copy that second_copy_after_s asks for",
                           "allow 2 attempts, or leave second_copy_after_s out");
    std::vector<std::string> names;
    constexpr text_rule cause_rule{1, 32,
                                   [](std::string_view text) { return value_named<retry_cause>(text).has_value(); },
                                   "failed, provider_lost or preempted"};
    if (!o.texts("on", names, 0, 3, cause_rule, true))
        return;
    r.on.clear();
    for (const auto& name : names)
        r.on.push_back(*value_named<retry_cause>(name));
}

/// A number, or {"min", "max"}.
void read_tasks(object_reader& o, workload_spec& spec) {
    const auto* v = o.take("tasks");
    if (v == nullptr || !v->IsObject()) {
        o.whole("tasks", spec.tasks, 1, tasks_max);
        return;
    }
    o.object("tasks", [&](object_reader& range) {
        range.require({"min", "max"});
        range.whole("min", spec.tasks, 1, tasks_max);
        range.whole("max", spec.tasks_max, 1, tasks_max);
        if (range.has("min") && range.has("max") && spec.tasks_max > 0 && spec.tasks_max < spec.tasks)
            range.faults().invalid(range.at("max"), "is below min", "give a range from the least to the most");
    });
}

void read_spread(object_reader& o, workload_spec& spec) {
    if (!o.object("spread", [&](object_reader& in) {
            constexpr text_rule near_users{.length_min = 1,
                                           .length_max = 63,
                                           .allowed = [](std::string_view text) { return text == "near_users"; },
                                           .shape = "\"near_users\""};
            std::string rule;
            in.require({"rule"});
            in.text("rule", rule, near_users);
            in.whole("max_sites", spec.spread.emplace().max_sites, 1, spread_sites_max);
            refuse_unsupported(in, "/spread");
        }))
        return;
    const auto refuse = [&](std::string message, std::string remedy) {
        o.faults().invalid(o.at("spread"), std::move(message), std::move(remedy));
    };
    if (spec.kind != workload_kind::service)
        refuse("is of services only", "leave it out: a batch workload's tasks run at one site");
    else if (!spec.limits.origin_stated())
        refuse("needs users to be near to", "state constraints.origins");
    else if (spec.tasks_max > 0)
        refuse("is of one number of tasks, not of a range", "state tasks as a number, or leave it out");
    else if (spec.tasks > spread_tasks_max)
        refuse("is of at most 256 tasks", "state fewer tasks");
}

void read_workload(object_reader& o, workload_spec& spec, workload_use use) {
    o.require({"kind", "name", "variants"});
    if (o.choice("kind", spec.kind) && spec.kind == workload_kind::service && use != workload_use::plan)
        o.faults().unsupported(o.at("kind"), "\"service\" is not supported yet",
                               "use \"batch\", or ask for a plan only");
    o.choice("compute_class", spec.compute);
    o.text("name", spec.name, name_rule);
    o.text_map("labels", spec.labels, 64, label_key_rule, label_value_rule);
    o.text("project", spec.project, slug_rule);
    o.whole("priority", spec.priority, -1000, 1000);
    o.flag("preemptible", spec.preemptible);
    o.flag("interactive", spec.interactive);
    read_policy(o, spec);
    read_tasks(o, spec);
    o.object("resources", [&](object_reader& r) { read_resources(r, spec.resources); });
    read_variants(o, spec);
    o.object("work", [&](object_reader& w) {
        read_work(w, spec);
        if (use != workload_use::stored)
            check_communication(w, spec.work);
    });
    if (spec.tasks_max > 0 && !spec.work.reference)
        o.faults().invalid(o.at("tasks"), "is a range, and nothing tells what more tasks would gain",
                           "state work.reference with accelerator_hours, or one number of tasks");
    o.object("checkpoint", [&](object_reader& c) { read_checkpoint(c, spec.checkpoint.emplace()); });
    o.object("data", [&](object_reader& d) { read_data(d, spec); });
    o.object("constraints", [&](object_reader& c) { read_constraints(c, spec.limits); });
    o.object("timing", [&](object_reader& t) { read_timing(t, spec); });
    read_money(o, "budget", spec.budget);
    o.object("retry", [&](object_reader& r) { read_retry(r, spec.retry); });
    o.whole("grace_s", spec.grace_s, 0, 3600);
    o.flag("movable", spec.movable);
    read_spread(o, spec);
    o.texts("licences", spec.licences, 1, licences_max, slug_rule, true);
    std::ranges::sort(spec.licences);
    refuse_unsupported(o, "");
}

}  // namespace

void refuse_unsupported(object_reader& o, std::string_view parent) {
    for (const auto& field : unsupported_workload_fields)
        if (field.parent == parent)
            o.not_yet(field.name, field.remedy);
}

result<workload_spec> decode_workload(std::string_view json, workload_use use) {
    const auto document = parse_json(json, workload_json_max);
    if (!document)
        return document.error();
    fault_list faults;
    workload_spec spec;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) { read_workload(o, spec, use); });
    if (!faults.empty())
        return faults.to_error("the workload is not acceptable");
    return spec;
}

}  // namespace westerly
