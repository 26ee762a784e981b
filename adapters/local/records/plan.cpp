#include "adapters/local/records/plan.hpp"

#include <charconv>

namespace westerly {
namespace {

void put(std::string& out, std::string_view key, std::string_view value) {
    out.append(key).push_back('\0');
    out.append(value).push_back('\0');
}
void put(std::string& out, std::string_view key, std::uint64_t value) {
    put(out, key, std::string_view(std::to_string(value)));
}

std::optional<std::string_view> take(std::string_view& rest) {
    const auto end = rest.find('\0');
    if (end == std::string_view::npos)
        return std::nullopt;
    const auto text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return text;
}

template <class Number>
bool read(std::string_view text, Number& number) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc() && end == text.data() + text.size();
}

/// False: unknown key or bad value.
bool assign(task_plan& plan, std::string_view key, std::string_view value) {
    const struct {
        std::string_view key;
        std::string task_plan::*text;
    } texts[] = {{"token", &task_plan::token},   {"attempt_dir", &task_plan::attempt_dir},
                 {"events", &task_plan::events}, {"checkpoint_dir", &task_plan::checkpoint_dir},
                 {"shim", &task_plan::shim},     {"bwrap", &task_plan::bwrap}};
    for (const auto& known : texts)
        if (known.key == key) {
            plan.*known.text = value;
            return true;
        }
    const struct {
        std::string_view key;
        std::uint64_t task_plan::*number;
    } numbers[] = {{"memory_mib", &task_plan::memory_mib},
                   {"disk_mib", &task_plan::disk_mib},
                   {"processes_max", &task_plan::processes_max},
                   {"log_bytes_max", &task_plan::log_bytes_max}};
    for (const auto& known : numbers)
        if (known.key == key)
            return read(value, plan.*known.number);
    if (key == "arg")
        plan.command.emplace_back(value);
    else if (key == "env")
        plan.env.emplace_back(value);
    else if (key == "max_runtime_s")
        return read(value, plan.max_runtime_s.emplace());
    else if (key == "uid")
        return read(value, plan.uid);
    else if (key == "tasks")
        return read(value, plan.tasks);
    else if (key == "grace_s")
        return read(value, plan.grace_s);
    else if (key == "bundle")
        plan.bundle = value == "1";
    else if (key == "isolation") {
        unsigned kind = 0;
        if (!read(value, kind) || kind > static_cast<unsigned>(isolation_kind::same_user))
            return false;
        plan.isolation = static_cast<isolation_kind>(kind);
    } else
        return false;
    return true;
}

}  // namespace

std::string pack_plan(const task_plan& plan) {
    std::string out;
    put(out, "isolation", static_cast<std::uint64_t>(plan.isolation));
    put(out, "uid", plan.uid);
    put(out, "token", std::string_view(plan.token));
    put(out, "attempt_dir", std::string_view(plan.attempt_dir));
    put(out, "checkpoint_dir", std::string_view(plan.checkpoint_dir));
    put(out, "events", std::string_view(plan.events));
    put(out, "shim", std::string_view(plan.shim));
    put(out, "bwrap", std::string_view(plan.bwrap));
    for (const auto& argument : plan.command)
        put(out, "arg", std::string_view(argument));
    for (const auto& variable : plan.env)
        put(out, "env", std::string_view(variable));
    put(out, "tasks", plan.tasks);
    put(out, "memory_mib", plan.memory_mib);
    put(out, "disk_mib", plan.disk_mib);
    put(out, "processes_max", plan.processes_max);
    put(out, "log_bytes_max", plan.log_bytes_max);
    if (plan.max_runtime_s)
        put(out, "max_runtime_s", *plan.max_runtime_s);
    put(out, "grace_s", plan.grace_s);
    put(out, "bundle", plan.bundle ? 1 : 0);
    return out;
}

result<task_plan> unpack_plan(std::string_view packed) {
    task_plan plan;
    while (!packed.empty()) {
        const auto key = take(packed);
        const auto value = take(packed);
        if (!key || !value || !assign(plan, *key, *value))
            return fail(errc::internal, "the plan of a task is damaged");
    }
    if (plan.command.empty() || plan.attempt_dir.empty())
        return fail(errc::internal, "the plan of a task is not whole");
    return plan;
}

}  // namespace westerly
