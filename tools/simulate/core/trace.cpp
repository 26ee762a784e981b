#include "tools/simulate/core/trace.hpp"

#include "broker/codec/json.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/support/files.hpp"
#include "broker/support/time.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace westerly {

namespace {

constexpr std::size_t pages_bytes_max = 1u << 30;  // a tenant's own history is read whole, to sort it
constexpr double node_cards = 8;
constexpr double default_gib_per_cpu = 2;  // where the trace says nothing of memory

/// "V100M16" and the like of a cluster's own list, as catalogues write it; "a|b": either.
std::vector<std::string> models_of(std::string_view text) {
    std::vector<std::string> models;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t to = std::min(text.find('|', from), text.size());
        const std::string_view name = text.substr(from, to - from);
        models.emplace_back(name.starts_with("V100") ? "V100" : name);
        from = to + 1;
    }
    return models;
}

}  // namespace

double traced_job::ready_s() const noexcept {
    const auto& earliest = spec.when.earliest_start_at;
    return earliest ? std::max(submit_s, std::chrono::duration<double>(earliest->time_since_epoch()).count())
                    : submit_s;
}

void begin_at(instant begin, workload_spec& spec) {
    for (auto* at : {&spec.when.earliest_start_at, &spec.when.deadline_at})
        if (*at)
            **at += begin.time_since_epoch();
}

workload_spec traced_spec(double gpus, double cpus, double memory_gib, std::string_view model, double duration_s,
                          const trace_rules& rules) {
    workload_spec spec;
    spec.name = "traced";
    spec.work.runtime_s = static_cast<std::uint64_t>(std::ceil(duration_s));
    spec.interactive = duration_s < rules.interactive_below_s;
    spec.limits.from = rules.from;
    if (rules.input_gib > 0)
        spec.inputs = {{rules.input_gib, rules.input_region}};
    const double cards = std::ceil(gpus);
    if (cards > 0) {
        spec.compute = compute_class::intelligent;
        spec.tasks = static_cast<std::uint32_t>(std::ceil(cards / node_cards));
        const auto each = static_cast<std::uint32_t>(std::ceil(cards / spec.tasks));
        accelerator_need need;
        need.count = each;
        for (const std::string& name : models_of(model.empty() ? std::string_view(rules.accelerator) : model)) {
            need.model = name;
            spec.resources.accelerators.push_back(need);
        }
        if (spec.resources.accelerators.empty())
            spec.resources.accelerators.push_back(need);
        spec.variants = {{.stack = "cuda", .command = {"true"}, .env = {}, .files = {}}};
    } else {
        spec.variants = {{.stack = "none", .command = {"true"}, .env = {}, .files = {}}};
    }
    spec.resources.vcpus = static_cast<std::uint32_t>(std::clamp(std::ceil(cpus / spec.tasks), 1.0, 4096.0));
    const double gib = memory_gib > 0 ? memory_gib / spec.tasks : default_gib_per_cpu * spec.resources.vcpus;
    spec.resources.memory_mib = static_cast<std::uint64_t>(std::clamp(gib * 1024, 1.0, 67'108'864.0));
    return spec;
}

result<trace_reader> trace_reader::open(const std::string& path, trace_rules rules) {
    trace_reader made(std::move(rules));
    const std::string_view name = std::string_view(path).ends_with(".gz")
                                      ? std::string_view(path).substr(0, path.size() - 3)
                                      : std::string_view(path);
    if (name.ends_with(".swf")) {
        auto lines = line_reader::open(path);
        if (!lines)
            return lines.error();
        made.swf_ = std::move(*lines);
    } else if (name.ends_with(".json") || name.ends_with(".jsonl")) {
        if (auto read = made.read_pages(path); !read)
            return read.error();
    } else {
        auto csv = csv_reader::open(path, {"submit_time_s", "duration_s"});
        if (!csv)
            return csv.error();
        made.csv_ = std::move(*csv);
    }
    return made;
}

result<std::optional<traced_job>> trace_reader::next() {
    auto found = csv_ ? from_csv() : swf_ ? from_swf() : from_pages();
    if (found && *found) {
        if ((*found)->submit_s < before_s_) {
            const std::string_view why = "submitted before the workload above it: sort the trace by time of submission";
            return csv_ ? csv_->fault(why) : swf_->fault(why);
        }
        before_s_ = (*found)->submit_s;
    }
    return found;
}

bool trace_reader::usable(double duration_s, double cpus, double gpus) {
    const char* const why = duration_s <= 0                      ? "no duration"
                            : duration_s > rules_.duration_max_s ? "longer than --duration-max-days"
                            : cpus <= 0 && gpus <= 0             ? "no processors"
                                                                 : nullptr;
    if (why != nullptr)
        ++left_out_[why];
    return why == nullptr;
}

result<std::optional<traced_job>> trace_reader::from_csv() {
    for (;;) {
        const auto more = csv_->next();
        if (!more)
            return more.error();
        if (!*more)
            return std::optional<traced_job>{};
        double values[5] = {};
        constexpr std::string_view columns[] = {"submit_time_s", "duration_s", "gpus", "cpus", "memory_gib"};
        for (std::size_t i = 0; i < 5; ++i) {
            const auto value = csv_->number(columns[i], 0);
            if (!value)
                return value.error();
            if (i == 0 && !*value)
                return csv_->fault("no submit_time_s");
            values[i] = value->value_or(0);
        }
        const auto [submit, duration, gpus, cpus, memory] = values;
        if (!usable(duration, cpus, gpus))
            continue;
        return std::optional(traced_job{submit, duration, std::string(csv_->text("user")),
                                        traced_spec(gpus, cpus, memory, csv_->text("gpu_type"), duration, rules_)});
    }
}

result<std::optional<traced_job>> trace_reader::from_swf() {
    // 18 fields: number, submit, wait, run time, processors, average cpu, memory (KiB a processor), requested
    // processors, requested time, requested memory, status, user, …; -1: not known; ';' begins a comment.
    std::string line;
    for (;;) {
        const auto more = swf_->next(line);
        if (!more)
            return more.error();
        if (!*more)
            return std::optional<traced_job>{};
        std::istringstream words(line);
        std::string word;
        std::vector<std::string> fields;
        while (words >> word)
            fields.push_back(word);
        if (fields.empty() || fields[0].starts_with(';'))
            continue;
        if (fields.size() < 12)
            return swf_->fault(std::to_string(fields.size()) + " fields; the standard workload format has 18");
        double values[12];
        for (std::size_t i = 0; i < 12; ++i) {
            const auto value = parse_number(fields[i]);
            if (!value)
                return swf_->fault("\"" + fields[i].substr(0, 64) + "\" is no number");
            values[i] = *value;
        }
        const double cpus = values[4] > 0 ? values[4] : values[7];
        const double kib = values[6] > 0 ? values[6] : std::max(values[9], 0.0);
        if (values[1] < 0)
            return swf_->fault("no time of submission");
        if (!usable(values[3], cpus, 0))
            continue;
        return std::optional(traced_job{values[1], values[3], fields[11],
                                        traced_spec(0, cpus, kib * cpus / 1048576, {}, values[3], rules_)});
    }
}

result<void> trace_reader::read_pages(const std::string& path) {
    auto lines = line_reader::open(path);
    if (!lines)
        return lines.error();
    std::string text, line;
    std::vector<std::pair<std::size_t, std::string>> documents;
    std::size_t first = 1;
    // A page is one object; where each stands on a line of its own there may be several.
    for (;;) {
        const auto more = lines->next(line);
        if (!more)
            return more.error();
        if (!*more)
            break;
        text += line + "\n";
        if (text.size() > pages_bytes_max)
            return lines->fault("more than 1 GiB of history");
        if (line.starts_with('{') && line.ends_with('}') && text.size() == line.size() + 1)
            documents.emplace_back(std::exchange(first, lines->number() + 1), std::exchange(text, {}));
    }
    if (!text.empty())
        documents.emplace_back(first, std::move(text));
    struct dated {
        instant at;
        traced_job job;
    };
    std::vector<dated> all;
    for (const auto& [number, page] : documents) {
        const auto fault = [&path, at = number](const std::string& what) {
            return fail(errc::invalid, path + ":" + std::to_string(at) + ": " + what);
        };
        const auto read = parse_json(page, pages_bytes_max);
        if (!read)
            return fault(read.error().detail);
        if (!read->IsObject() || !read->HasMember("items") || !(*read)["items"].IsArray())
            return fault("no \"items\": this is not a list of workloads");
        for (const json_value& item : (*read)["items"].GetArray()) {
            const auto time_of = [](const json_value& of, const char* name) -> std::optional<instant> {
                if (!of.IsObject() || !of.HasMember(name) || !of[name].IsString())
                    return std::nullopt;
                const auto at = parse_rfc3339(of[name].GetString());
                return at ? std::optional(*at) : std::nullopt;
            };
            const auto created = time_of(item, "created_at");
            if (!created || !item.HasMember("spec") || !item["spec"].IsObject())
                return fault("item " + std::to_string(all.size() + 1) + " has no created_at or no spec");
            rapidjson::StringBuffer buffer;
            json_writer out(buffer);
            item["spec"].Accept(out);
            auto spec = decode_workload({buffer.GetString(), buffer.GetSize()});
            if (!spec)
                return fault("item " + std::to_string(all.size() + 1) + ": " + spec.error().detail);
            std::optional<instant> from = time_of(item, "started_at"), to = time_of(item, "ended_at");
            double duration = static_cast<double>(spec->work.runtime_s.value_or(0));
            if (from && to && *to > *from)
                duration = std::chrono::duration<double>(*to - *from).count();
            if (spec->when.max_runtime_s)
                duration = std::min(duration, static_cast<double>(*spec->when.max_runtime_s));
            if (!usable(duration, spec->resources.vcpus, 0))
                continue;
            spec->work.runtime_s = static_cast<std::uint64_t>(std::ceil(duration));
            std::string project = spec->project;
            all.push_back({*created, {0, duration, std::move(project), std::move(*spec)}});
        }
    }
    std::ranges::stable_sort(all, {}, &dated::at);
    if (!all.empty())
        begin_ = all.front().at;
    for (dated& d : all) {
        d.job.submit_s = std::chrono::duration<double>(d.at - *begin_).count();
        begin_at(instant(-begin_->time_since_epoch()), d.job.spec);
        pages_.push_back(std::move(d.job));
    }
    return {};
}

result<std::optional<traced_job>> trace_reader::from_pages() {
    if (pages_.empty())
        return std::optional<traced_job>{};
    std::optional<traced_job> job = std::move(pages_.front());
    pages_.pop_front();
    return job;
}

}  // namespace westerly
