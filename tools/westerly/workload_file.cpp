#include "tools/westerly/workload_file.hpp"

#include "broker/codec/workload_json.hpp"
#include "broker/support/files.hpp"

#include <algorithm>

namespace westerly {

namespace {

using document = rapidjson::Document;

json_value text_value(document& of, std::string_view text) {
    return {text.data(), static_cast<rapidjson::SizeType>(text.size()), of.GetAllocator()};
}

void set(document& of, json_value& object, std::string_view name, json_value value) {
    object.RemoveMember(std::string(name));
    object.AddMember(text_value(of, name), value, of.GetAllocator());
}

json_value& child(document& of, json_value& object, std::string_view name, rapidjson::Type type) {
    const std::string key(name);
    if (!object.HasMember(key))
        object.AddMember(text_value(of, name), json_value(type), of.GetAllocator());
    return object[key];
}

/// "k=v" pairs into an object. Errors: invalid.
result<void> set_pairs(document& of, json_value& object, const std::vector<std::string>& pairs, const char* flag) {
    for (const auto& pair : pairs) {
        const auto sign = pair.find('=');
        if (sign == std::string::npos || sign == 0 || !object.IsObject())
            return fail(errc::invalid, std::string(flag) + " takes NAME=VALUE, not \"" + pair + "\"",
                        std::string("write it as ") + flag + " NAME=VALUE");
        set(of, object, pair.substr(0, sign), text_value(of, pair.substr(sign + 1)));
    }
    return {};
}

std::string name_of_command(const std::string& command) {
    std::string name;
    for (const char c : command.substr(command.find_last_of('/') + 1)) {
        const bool usable = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        name += usable ? c : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '-';
    }
    const auto first = name.find_first_not_of('-');
    const auto last = name.find_last_not_of('-');
    return first == std::string::npos ? "job" : name.substr(first, std::min<std::size_t>(last - first + 1, 63));
}

result<document> begin(const run_options& options) {
    if (options.command.empty()) {
        const auto text = read_file(options.file, workload_json_max);
        if (!text)
            return missing_file(text.error());
        const auto json = yaml_to_json(*text);
        if (!json)
            return json.error();
        return parse_json(*json, workload_json_max);
    }
    document made(rapidjson::kObjectType);
    set(made, made, "kind", text_value(made, "batch"));
    set(made, made, "name", text_value(made, name_of_command(options.command.front())));
    json_value command(rapidjson::kArrayType);
    for (const auto& word : options.command)
        command.PushBack(text_value(made, word), made.GetAllocator());
    json_value how(rapidjson::kObjectType);
    set(made, how, "command", std::move(command));
    json_value variants(rapidjson::kArrayType);
    variants.PushBack(how, made.GetAllocator());
    set(made, made, "variants", std::move(variants));
    return made;
}

void set_numbers(document& made, const run_options& options) {
    const auto put = [&](std::string_view group, std::string_view name, const std::optional<std::uint64_t>& value) {
        if (!value)
            return;
        json_value& in =
            group.empty() ? static_cast<json_value&>(made) : child(made, made, group, rapidjson::kObjectType);
        if (in.IsObject())
            set(made, in, name, json_value(*value));
    };
    put("", "tasks", options.tasks);
    put("resources", "vcpus", options.vcpus);
    put("resources", "memory_mib", options.memory_mib);
    put("work", "runtime_s", options.runtime_s);
    put("timing", "max_runtime_s", options.max_runtime_s);
    put("timing", "max_wait_s", options.max_wait_s);
    put("timing", "max_delay_s", options.max_delay_s);
}

}  // namespace

result<std::string> make_workload(const run_options& options, const std::string& files) {
    auto made = begin(options);
    if (!made)
        return made.error();
    if (!made->IsObject())
        return fail(errc::invalid, options.file + " does not hold a workload", "see docs/guides/tenant.md");
    for (const auto& [name, value] :
         {std::pair{"name", &options.name}, {"policy", &options.policy}, {"project", &options.project}})
        if (!value->empty())
            set(*made, *made, name, text_value(*made, *value));
    set_numbers(*made, options);
    if (options.interactive)
        set(*made, *made, "interactive", json_value(true));
    if (!options.origin.empty()) {
        auto& limits = child(*made, *made, "constraints", rapidjson::kObjectType);
        json_value from(rapidjson::kObjectType);
        set(*made, from, "region", text_value(*made, options.origin));
        if (limits.IsObject())
            set(*made, limits, "origin", std::move(from));
    }
    if (!options.labels.empty())
        if (auto done =
                set_pairs(*made, child(*made, *made, "labels", rapidjson::kObjectType), options.labels, "--label");
            !done)
            return done.error();
    auto& variants = child(*made, *made, "variants", rapidjson::kArrayType);
    if (variants.IsArray())
        for (auto& v : variants.GetArray()) {
            if (!v.IsObject())
                continue;
            if (!files.empty())
                set(*made, v, "files", text_value(*made, files));
            if (!options.env.empty())
                if (auto done = set_pairs(*made, child(*made, v, "env", rapidjson::kObjectType), options.env, "--env");
                    !done)
                    return done.error();
        }
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    made->Accept(out);
    return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace westerly
