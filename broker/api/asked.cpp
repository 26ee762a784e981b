#include "broker/api/asked.hpp"

namespace westerly {
namespace {

constexpr std::size_t slug_bytes_max = 63;
constexpr std::size_t text_bytes_max = 255;

bool is_slug(std::string_view text) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && text.size() <= slug_bytes_max && letter(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return letter(c) || c == '-'; });
}

}  // namespace

std::optional<std::string_view> call::parameter(std::string_view name) const {
    for (const auto& [known, value] : query)
        if (known == name)
            return value;
    return std::nullopt;
}

result<std::uint32_t> limit_of(const call& c) {
    const auto text = c.parameter("limit");
    if (!text)
        return page_size_default;
    const auto value = parse_unsigned(*text);
    if (!value || *value < 1 || *value > page_size_max)
        return parameter_error("?limit", "is not a whole number from 1 to " + std::to_string(page_size_max),
                               "leave it out for " + std::to_string(page_size_default));
    return static_cast<std::uint32_t>(*value);
}

std::string cursor_of(const call& c) {
    return std::string(c.parameter("cursor").value_or(""));
}

response list_problem(const error& why) {
    return problem(why.code == errc::invalid && why.faults.empty() ? parameter_error("?cursor", why.detail, why.remedy)
                                                                   : why);
}

result<std::optional<tenant_id>> tenant_filter(const call& c) {
    auto asked = id_parameter<tenant_id>(c, "tenant");
    if (!asked)
        return asked.error();
    if (c.operator_asks())
        return *asked;
    if (*asked && **asked != c.who.tenant)
        return fail(errc::forbidden, "only operators may look at another tenant's things", "leave ?tenant out");
    return std::optional<tenant_id>(c.who.tenant);
}

result<std::optional<instant>> time_parameter(const call& c, std::string_view name) {
    const auto text = c.parameter(name);
    if (!text)
        return std::optional<instant>();
    const auto at = parse_rfc3339(*text);
    if (!at)
        return parameter_error("?" + std::string(name), "is not a time",
                               "give RFC 3339, for example 2026-01-31T08:00:00Z, with '+' escaped as %2B");
    return std::optional<instant>(*at);
}

result<language> language_of(const call& c) {
    const auto text = c.parameter("language");
    if (!text)
        return language::en;
    if (const auto spoken = parse_language(*text))
        return *spoken;
    return parameter_error("?language", "is no language that decisions are told in", "use en or zh");
}

result<workload> workload_in_path(const call& c) {
    const auto id = id_in_path<workload_id>(c.path[0], "workload");
    if (!id)
        return id.error();
    auto found = c.house.services.read->find_workload(c.bound(), *id);
    if (!found && found.error().code == errc::not_found)
        return fail(errc::not_found, "there is no such workload", "check the id");
    return found;
}

result<std::optional<attempt>> attempt_asked(const call& c, const workload& w) {
    const auto text = c.parameter("attempt");
    if (!text) {
        if (!w.current)
            return std::optional<attempt>();
        auto found = c.house.services.read->find_attempt(*w.current);
        if (!found)
            return found.error();
        return std::optional<attempt>(std::move(*found));
    }
    const auto number = parse_unsigned(*text);
    if (!number || *number == 0)
        return parameter_error("?attempt", "is not a number of an attempt", "count from 1");
    auto all = c.house.services.read->attempts_of(w.id);
    if (!all)
        return all.error();
    for (auto& one : *all)
        if (one.number == *number)
            return std::optional<attempt>(std::move(one));
    return fail(errc::not_found, "the workload has no attempt with that number", "see …/attempts");
}

result<body_fields> body_fields::parse(std::string_view body, std::size_t bytes_max) {
    auto document = parse_json(body, bytes_max);
    if (!document)
        return document.error();
    if (!document->IsObject())
        return field_error("", "is not an object", "send a JSON object");
    return body_fields(std::move(*document));
}

result<std::string> body_fields::text(const char* name) {
    asked_.push_back(name);
    const auto at = document_.FindMember(name);
    if (at == document_.MemberEnd())
        return std::string();
    const std::string pointer = std::string("/") + name;
    if (!at->value.IsString() || at->value.GetStringLength() > text_bytes_max)
        return field_error(pointer, "is not a text of at most 255 bytes", "give a shorter text");
    return std::string(at->value.GetString(), at->value.GetStringLength());
}

result<std::string> body_fields::slug(const char* name, bool optional) {
    const bool given = document_.HasMember(name);
    auto value = text(name);
    if (!value || (!given && optional))
        return value;
    const std::string pointer = std::string("/") + name;
    if (!given)
        return field_error(pointer, "is missing", std::string("give a ") + name);
    if (!is_slug(*value))
        return field_error(pointer, "is not a name", "use 1 to 63 of a-z, 0-9 and '-', not beginning with '-'");
    return value;
}

bool body_fields::is_true(const char* name) {
    asked_.push_back(name);
    const auto at = document_.FindMember(name);
    return at != document_.MemberEnd() && at->value.IsTrue();
}

result<void> body_fields::done() const {
    for (const auto& member : document_.GetObject()) {
        const std::string_view name(member.name.GetString(), member.name.GetStringLength());
        if (std::ranges::find(asked_, name) == asked_.end())
            return field_error("/" + std::string(name), "is not a known field", "leave it out");
    }
    return {};
}

}  // namespace westerly
