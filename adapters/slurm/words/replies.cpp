#include "adapters/slurm/words/replies.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace westerly {
namespace {

/// A member by any of these names; nullptr where there is none, or null.
const json_value* member(const json_value& of, std::initializer_list<const char*> names) {
    if (!of.IsObject())
        return nullptr;
    for (const char* name : names)
        if (const auto found = of.FindMember(name); found != of.MemberEnd() && !found->value.IsNull())
            return &found->value;
    return nullptr;
}

/// 'Not set' is null, -1, 2^32-1, 2^32-2 or {set: false}, by field and version.
std::optional<std::int64_t> number(const json_value* v) {
    constexpr std::int64_t no_val = 0xFFFFFFFE;
    if (v == nullptr)
        return std::nullopt;
    if (v->IsObject()) {
        const auto* set = member(*v, {"set"});
        const auto* infinite = member(*v, {"infinite"});
        if ((set != nullptr && set->IsBool() && !set->GetBool()) ||
            (infinite != nullptr && infinite->IsBool() && infinite->GetBool()))
            return std::nullopt;
        return number(member(*v, {"number"}));
    }
    std::optional<std::int64_t> value;
    if (v->IsInt64())
        value = v->GetInt64();
    else if (v->IsDouble() && v->GetDouble() > -9e15 && v->GetDouble() < 9e15)
        value = static_cast<std::int64_t>(v->GetDouble());
    else if (v->IsString()) {
        std::int64_t read = 0;
        const char* end = v->GetString() + v->GetStringLength();
        if (const auto got = std::from_chars(v->GetString(), end, read); got.ec == std::errc() && got.ptr == end)
            value = read;
    }
    if (value && (*value < 0 || *value == no_val || *value == no_val + 1))
        return std::nullopt;
    return value;
}

std::int64_t number_or(const json_value* v, std::int64_t otherwise) {
    return number(v).value_or(otherwise);
}

std::string text(const json_value* v) {
    return v != nullptr && v->IsString() ? std::string(v->GetString(), v->GetStringLength()) : std::string();
}

std::string upper(std::string word) {
    std::ranges::transform(word, word.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return word;
}

/// A word, a list of words, or words with '+' between them: all in upper case.
void add_words(const json_value* v, std::vector<std::string>& into) {
    if (v == nullptr)
        return;
    if (v->IsArray()) {
        for (const auto& each : v->GetArray())
            add_words(&each, into);
        return;
    }
    std::string word;
    for (const char c : upper(text(v)) + '+')
        if (c != '+' && c != '*')
            word += c;
        else if (!word.empty())
            into.push_back(std::exchange(word, {}));
}

template <class Read>
void each_of(const json_value& of, const char* name, Read read) {
    if (const auto* list = member(of, {name}); list != nullptr && list->IsArray())
        for (const auto& item : list->GetArray())
            if (item.IsObject())
                read(item);
}

/// v0.0.40 and later take the wait status apart.
std::optional<std::int64_t> wait_status(const json_value* v) {
    if (v == nullptr || !v->IsObject() ||
        (v->FindMember("return_code") == v->MemberEnd() && v->FindMember("signal") == v->MemberEnd()))
        return number(v);
    const auto* ended_by = member(*v, {"signal"});
    const auto number_of_signal = ended_by != nullptr ? number(member(*ended_by, {"id", "signal_id"})) : std::nullopt;
    if (number_of_signal && *number_of_signal > 0)
        return *number_of_signal & 0x7F;
    const auto code = number(member(*v, {"return_code"}));
    return code ? std::optional(*code << 8) : std::nullopt;
}

void read_errors(const json_value& of, slurm_reply& reply) {
    each_of(of, "errors", [&](const json_value& item) {
        slurm_error one;
        // -1 tells as much as nothing, but it is an error.
        for (const char* name : {"error_number", "error_code", "errno"})
            if (const auto* v = member(item, {name}); one.number == 0 && v != nullptr && v->IsInt64())
                one.number = v->GetInt64();
        one.text = text(member(item, {"error", "description"}));
        reply.errors.push_back(std::move(one));
    });
}

slurm_job read_job(const json_value& of) {
    slurm_job job;
    job.id = static_cast<std::uint64_t>(number_or(member(of, {"job_id"}), 0));
    job.cluster = text(member(of, {"cluster"}));
    job.name = text(member(of, {"name"}));
    job.comment = text(member(of, {"comment"}));
    job.user = text(member(of, {"user_name"}));
    job.partition = text(member(of, {"partition"}));
    add_words(member(of, {"job_state"}), job.states);
    job.reason = text(member(of, {"state_reason"}));
    job.wait_status = wait_status(member(of, {"exit_code"}));
    job.submit_s = number_or(member(of, {"submit_time"}), 0);
    job.start_s = number_or(member(of, {"start_time"}), 0);
    job.end_s = number_or(member(of, {"end_time"}), 0);
    job.restarts = static_cast<std::uint32_t>(number_or(member(of, {"restart_cnt"}), 0));
    job.tasks = static_cast<std::uint32_t>(number_or(member(of, {"tasks"}), 1));
    return job;
}

slurm_node read_node(const json_value& of) {
    slurm_node node;
    node.name = text(member(of, {"name"}));
    node.architecture = text(member(of, {"architecture"}));
    if (const auto* names = member(of, {"partitions"}); names != nullptr && names->IsArray())
        for (const auto& name : names->GetArray())
            node.partitions.push_back(text(&name));
    add_words(member(of, {"state"}), node.states);
    add_words(member(of, {"state_flags"}), node.states);
    node.cpus = static_cast<std::uint32_t>(number_or(member(of, {"cpus"}), 0));
    node.cpus_used = static_cast<std::uint32_t>(number_or(member(of, {"alloc_cpus"}), 0));
    node.memory_mib = static_cast<std::uint64_t>(number_or(member(of, {"real_memory"}), 0));
    node.memory_used_mib = static_cast<std::uint64_t>(number_or(member(of, {"alloc_memory"}), 0));
    node.gres = text(member(of, {"gres"}));
    node.gres_used = text(member(of, {"gres_used"}));
    return node;
}

slurm_partition read_partition(const json_value& of) {
    slurm_partition partition;
    partition.name = text(member(of, {"name"}));
    std::vector<std::string> states;
    add_words(member(of, {"state"}), states);
    if (const auto* inner = member(of, {"partition"}); inner != nullptr && inner->IsObject())
        add_words(member(*inner, {"state"}), states);
    partition.up = std::ranges::find(states, "UP") != states.end();
    const auto* minutes = member(of, {"max_time_limit"});
    if (const auto* limits = member(of, {"maximums"}); minutes == nullptr && limits != nullptr && limits->IsObject())
        minutes = member(*limits, {"time"});
    if (const auto limit = number(minutes); limit && *limit > 0)
        partition.max_minutes = static_cast<std::uint32_t>(std::min<std::int64_t>(*limit, 1 << 30));
    return partition;
}

std::string cluster_of(const json_value& document) {
    const auto* meta = member(document, {"meta"});
    const auto* slurm = meta != nullptr && meta->IsObject() ? member(*meta, {"slurm", "Slurm"}) : nullptr;
    return slurm != nullptr && slurm->IsObject() ? text(member(*slurm, {"cluster"})) : std::string();
}

/// Duplicate keys and deep nesting are Slurm's business; UTF-8 is not checked either: comments of strangers may hold
/// anything.
result<rapidjson::Document> parse_lenient(std::string_view body) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(body.data(), body.size());
    if (document.HasParseError() || !document.IsObject())
        return fail(errc::invalid, "the reply is not a JSON object");
    return document;
}

/// "/slurm/v0.0.38/job/submit" with this prefix and end: 38.
std::optional<int> version_in(std::string_view path, std::string_view prefix, std::string_view end) {
    if (!path.starts_with(prefix) || !path.ends_with(end) || path.size() <= prefix.size() + end.size())
        return std::nullopt;
    const auto digits = path.substr(prefix.size(), path.size() - prefix.size() - end.size());
    int version = 0;
    const auto got = std::from_chars(digits.data(), digits.data() + digits.size(), version);
    return got.ec == std::errc() && got.ptr == digits.data() + digits.size() ? std::optional(version) : std::nullopt;
}

/// The versions with a schema "v0.0.NN_job…" that has the property "hold".
void read_holds(const json_value& document, std::vector<int>& into) {
    const auto* components = member(document, {"components"});
    const auto* schemas = components != nullptr ? member(*components, {"schemas"}) : nullptr;
    if (schemas == nullptr || !schemas->IsObject())
        return;
    constexpr std::string_view prefix = "v0.0.";
    for (const auto& schema : schemas->GetObject()) {
        const std::string_view name(schema.name.GetString(), schema.name.GetStringLength());
        const auto* fields = member(schema.value, {"properties"});
        const auto end = name.find("_job");
        if (fields == nullptr || member(*fields, {"hold"}) == nullptr || end == std::string_view::npos)
            continue;
        if (const auto version = version_in(name.substr(0, end + 4), prefix, "_job"))
            into.push_back(*version);
    }
}

}  // namespace

std::int64_t slurm_reply::first_error() const noexcept {
    for (const auto& one : errors)
        if (one.number != 0)
            return one.number;
    return 0;
}

std::string slurm_reply::error_text() const {
    std::string words;
    for (const auto& one : errors)
        words += (words.empty() ? "" : "; ") + one.text + " (" + std::to_string(one.number) + ')';
    return words;
}

result<slurm_reply> read_reply(std::string_view body) {
    const auto document = parse_lenient(body);
    if (!document)
        return document.error();
    slurm_reply reply;
    reply.cluster = cluster_of(*document);
    read_errors(*document, reply);
    reply.job_id = static_cast<std::uint64_t>(number_or(member(*document, {"job_id"}), 0));
    each_of(*document, "jobs", [&](const json_value& item) { reply.jobs.push_back(read_job(item)); });
    each_of(*document, "nodes", [&](const json_value& item) { reply.nodes.push_back(read_node(item)); });
    each_of(*document, "partitions", [&](const json_value& item) { reply.partitions.push_back(read_partition(item)); });
    each_of(*document, "pings", [&](const json_value& item) {
        const auto* primary = member(item, {"ping", "pinged"});
        reply.pings.push_back(text(primary));
    });
    return reply;
}

result<slurm_reply> read_accounting(std::string_view body) {
    const auto document = parse_lenient(body);
    if (!document)
        return document.error();
    slurm_reply reply;
    read_errors(*document, reply);
    each_of(*document, "jobs", [&](const json_value& item) {
        slurm_job job;
        job.id = static_cast<std::uint64_t>(number_or(member(item, {"job_id"}), 0));
        job.cluster = text(member(item, {"cluster"}));
        job.name = text(member(item, {"name"}));
        if (const auto* comment = member(item, {"comment"}); comment != nullptr && comment->IsObject())
            job.comment = text(member(*comment, {"job"}));
        job.user = text(member(item, {"user"}));
        if (const auto* association = member(item, {"association"}); job.user.empty() && association != nullptr)
            job.user = text(member(*association, {"user"}));
        if (const auto* state = member(item, {"state"}); state != nullptr && state->IsObject()) {
            add_words(member(*state, {"current"}), job.states);
            job.reason = text(member(*state, {"reason"}));
        }
        // The exit code is left alone: 22.05 shows 0 for every job here.
        if (const auto* time = member(item, {"time"}); time != nullptr && time->IsObject()) {
            job.submit_s = number_or(member(*time, {"submission"}), 0);
            job.start_s = number_or(member(*time, {"start"}), 0);
            job.end_s = number_or(member(*time, {"end"}), 0);
        }
        reply.jobs.push_back(std::move(job));
    });
    return reply;
}

result<offered_versions> read_openapi(std::string_view body) {
    const auto document = parse_lenient(body);
    if (!document)
        return document.error();
    offered_versions offered;
    if (const auto* paths = member(*document, {"paths"}); paths != nullptr && paths->IsObject())
        for (const auto& path : paths->GetObject()) {
            // Some versions end their paths with a slash.
            std::string_view name(path.name.GetString(), path.name.GetStringLength());
            while (name.ends_with('/'))
                name.remove_suffix(1);
            if (const auto version = version_in(name, "/slurm/v0.0.", "/job/submit"))
                offered.slurm.push_back(*version);
            if (const auto version = version_in(name, "/slurmdb/v0.0.", "/jobs"))
                offered.accounting.push_back(*version);
        }
    read_holds(*document, offered.with_hold);
    std::ranges::sort(offered.slurm, std::greater<>());
    std::ranges::sort(offered.accounting, std::greater<>());
    return offered;
}

}  // namespace westerly
