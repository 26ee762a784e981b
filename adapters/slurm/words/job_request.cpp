#include "adapters/slurm/words/job_request.hpp"

#include "broker/codec/writer.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::uint64_t margin_s = 60;  // Slurm looks at limits once a minute or so

std::uint32_t rounded_up(std::uint64_t need, std::uint64_t per) {
    return static_cast<std::uint32_t>((need + per - 1) / per);
}

error never(std::string why) {
    return fail(errc::invalid, std::move(why));
}

/// Gangs on cards fill their nodes evenly, because Slurm counts GRES by the node.
std::uint32_t tasks_on_a_node(std::uint32_t tasks, std::uint64_t most) {
    for (auto each = static_cast<std::uint32_t>(std::min<std::uint64_t>(tasks, most)); each > 1; --each)
        if (tasks % each == 0)
            return each;
    return 1;
}

result<void> limit_time(const launch_request& request, const supply_item& on, job_shape& shape) {
    if (!request.max_runtime_s) {
        shape.minutes = on.max_minutes;
        return {};
    }
    // The job ends itself in time, by SIGTERM and grace; Slurm's coarser limit stands behind it.
    const auto minutes = rounded_up(*request.max_runtime_s + request.grace_s + margin_s, 60);
    if (on.max_minutes && *request.max_runtime_s > std::uint64_t{60} * *on.max_minutes)
        return never("partition " + on.partition + " ends work after " + std::to_string(*on.max_minutes) +
                     " minutes; ask for a shorter max_runtime_s");
    shape.minutes = std::min(minutes, on.max_minutes.value_or(minutes));
    return {};
}

void put_environment(json_writer& out, int version) {
    // Small on purpose: the task's own variables travel in a file, since one of 200 kB ends a job before it begins.
    constexpr std::pair<std::string_view, std::string_view> values[] = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                                                        {"LANG", "C.UTF-8"}};
    put_key(out, "environment");
    if (version >= 39) {
        out.StartArray();
        for (const auto& [name, value] : values)
            put_string(out, std::string(name) + '=' + std::string(value));
        out.EndArray();
        return;
    }
    out.StartObject();
    for (const auto& [name, value] : values)
        put_text(out, name, value);
    out.EndObject();
}

void put_gres(json_writer& out, int version, const std::string& gres) {
    if (gres.empty())
        return;
    if (version == 38)
        put_text(out, "gres", gres);
    else
        put_text(out, "tres_per_node", (version == 39 ? "gres:" : "gres/") + gres);
}

/// v0.0.38 takes a number where the later ones state {set, number}; these take both.
void put_count(json_writer& out, std::string_view name, std::uint64_t value) {
    if (value > 0)
        put_whole(out, name, value);
}

}  // namespace

result<job_shape> shape_of(const launch_request& request, const supply_item& on) {
    job_shape shape;
    shape.tasks = std::max<std::uint32_t>(request.tasks, 1);
    const std::uint64_t each = std::max<std::uint64_t>(request.units / shape.tasks, 1);
    if (request.vcpus > on.node_cpus || request.memory_mib > on.node_memory_mib)
        return never("a task of " + std::to_string(request.vcpus) + " vcpus and " + std::to_string(request.memory_mib) +
                     " MiB does not fit a node of " + std::to_string(on.node_cpus) + " and " +
                     std::to_string(on.node_memory_mib));
    switch (on.shown.shape.unit) {
        case offer_unit::core:
            if (each > on.node_cpus)
                return never("a task of " + std::to_string(each) + " cores does not fit a node of " +
                             std::to_string(on.node_cpus));
            shape.cpus_per_task = static_cast<std::uint32_t>(std::max<std::uint64_t>(each, request.vcpus));
            shape.memory_per_cpu_mib = rounded_up(request.memory_mib, shape.cpus_per_task);
            break;
        case offer_unit::card: {
            if (each > on.node_cards)
                return never("a task of " + std::to_string(each) + " cards does not fit a node of " +
                             std::to_string(on.node_cards));
            shape.cpus_per_task = request.vcpus;
            shape.tasks_per_node = tasks_on_a_node(
                shape.tasks, std::min({on.node_cards / each, std::uint64_t{on.node_cpus} / request.vcpus,
                                       on.node_memory_mib / std::max<std::uint64_t>(request.memory_mib, 1)}));
            shape.nodes = shape.tasks / shape.tasks_per_node;
            shape.memory_per_node_mib = request.memory_mib * shape.tasks_per_node;
            shape.gres = on.gres + ':' + std::to_string(each * shape.tasks_per_node);
            break;
        }
        default:
            shape.nodes = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.units, shape.tasks));
            shape.tasks_per_node = rounded_up(shape.tasks, shape.nodes);
            if (shape.tasks_per_node > on.node_cpus)
                return never("more tasks than cores on a node");
            shape.cpus_per_task = on.node_cpus / shape.tasks_per_node;
            shape.memory_per_node_mib = on.node_memory_mib;
            if (on.node_cards > 0)
                shape.gres = on.gres + ':' + std::to_string(on.node_cards);
    }
    if (auto limited = limit_time(request, on, shape); !limited)
        return limited.error();
    return shape;
}

std::string comment_of(const launch_request& request, const std::string& provider) {
    return std::string(comment_word) + " owner=" + request.owner + " provider=" + provider +
           " attempt=" + request.attempt + " workload=" + request.workload + " name=" + request.name;
}

bool comment_is_of(std::string_view comment, std::string_view owner, std::string_view provider) {
    return comment.starts_with(comment_word) && comment_field(comment, "owner") == owner &&
           comment_field(comment, "provider") == provider;
}

std::string comment_field(std::string_view comment, std::string_view name) {
    const std::string key = ' ' + std::string(name) + '=';
    const auto at = comment.find(key);
    if (at == std::string_view::npos)
        return {};
    const auto value = comment.substr(at + key.size());
    return std::string(value.substr(0, value.find(' ')));
}

std::string submit_body(const api_dialect& api, const slurm_config& config, const launch_request& request,
                        const std::string& provider, const supply_item& on, const job_shape& shape,
                        const job_paths& paths) {
    rapidjson::StringBuffer text;
    json_writer out(text);
    out.StartObject();
    put_key(out, "job");
    out.StartObject();
    put_text(out, "name", request.token);
    put_text(out, "comment", comment_of(request, provider));
    put_text(out, "partition", on.partition);
    put_text(out, "account", config.account);
    put_text(out, "qos", config.qos);
    if (api.has_hold)
        put_flag(out, "hold", true);
    else
        put_whole(out, "priority", 0);
    // "requeue": false is ignored by v0.0.38, and "no_requeue" is unknown to the later ones.
    if (api.version == 38)
        put_flag(out, "no_requeue", true);
    else
        put_flag(out, "requeue", false);
    put_whole(out, "tasks", shape.tasks);
    put_whole(out, "cpus_per_task", shape.cpus_per_task);
    if (shape.nodes > 0)  // as text: a list of two numbers is accepted and ignored
        put_text(out, "nodes", std::to_string(shape.nodes) + '-' + std::to_string(shape.nodes));
    put_count(out, "tasks_per_node", shape.tasks_per_node);
    put_count(out, "memory_per_cpu", shape.memory_per_cpu_mib);
    put_count(out, "memory_per_node", shape.memory_per_node_mib);
    if (shape.minutes)
        put_whole(out, "time_limit", *shape.minutes);
    put_gres(out, api.version, shape.gres);
    put_environment(out, api.version);
    // Without it slurmrestd's own directory is used, which the user may not enter.
    put_text(out, "current_working_directory", paths.folder);
    put_text(out, "standard_output", paths.folder + "/slurm.log");
    put_text(out, "standard_error", paths.folder + "/slurm.log");
    out.EndObject();
    put_text(out, "script", paths.script);
    out.EndObject();
    return {text.GetString(), text.GetSize()};
}

std::string release_body(const api_dialect& api) {
    return api.has_hold ? R"({"hold":false})" : R"({"priority":4294967295})";  // "as Slurm computes it"
}

}  // namespace westerly
