#pragma once

#include "broker/api/house.hpp"
#include "broker/api/problem.hpp"
#include "broker/api/target.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"

#include <algorithm>

namespace westerly {

// What handlers share: reading ids, parameters and small bodies, writing lists, and asking the engine.

inline constexpr std::uint32_t page_size_default = 100;

/// limit= (1..page_size_max, else page_size_default).
result<std::uint32_t> limit_of(const call& c);
/// cursor=, as given.
std::string cursor_of(const call& c);
/// A list that could not be read. What a reader finds invalid is the cursor: all else was looked at before.
response list_problem(const error& why);

/// tenant= for operators; the caller's own tenant for members. Errors: forbidden for a member who names a tenant.
result<std::optional<tenant_id>> tenant_filter(const call& c);

/// A UUID in the path. What is no UUID is not found, exactly like an unknown one.
template <class Id>
result<Id> id_in_path(std::string_view text, std::string_view kind) {
    if (const auto id = Id::parse(text))
        return *id;
    return fail(errc::not_found, "there is no such " + std::string(kind), "check the id");
}

template <class Id>
result<std::optional<Id>> id_parameter(const call& c, std::string_view name) {
    const auto text = c.parameter(name);
    if (!text)
        return std::optional<Id>();
    if (const auto id = Id::parse(*text))
        return std::optional<Id>(*id);
    return parameter_error("?" + std::string(name), "is not an id", "give the lower-case UUID");
}

/// An RFC 3339 time. Errors: invalid for what is none.
result<std::optional<instant>> time_parameter(const call& c, std::string_view name);

/// language=, in which decisions and waiting reasons are told; English when absent. Errors: invalid for one that is not
/// known.
result<language> language_of(const call& c);

/// The workload of the path, if the caller may see it. Errors: not_found, and the readers'.
result<workload> workload_in_path(const call& c);
/// The decision of the path, if the caller may see it. Errors: not_found, and the readers'.
result<decision> decision_in_path(const call& c);
/// Its attempt number `attempt=`, or the current one; nullopt: it has none yet. Errors: not_found for a number that it
/// has not, invalid for what is no number.
result<std::optional<attempt>> attempt_asked(const call& c, const workload& w);

/// {"items": […], "next_cursor"?: "…"}, each written by `each(out, item)`, with further fields written by `more(out)`.
template <class T, class Each, class More>
response list_response(const std::vector<T>& items, std::string_view next_cursor, Each each, More more) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_key(out, "items");
    out.StartArray();
    for (const auto& item : items)
        each(out, item);
    out.EndArray();
    put_text(out, "next_cursor", next_cursor);
    more(out);
    out.EndObject();
    return json_response(200, {buffer.GetString(), buffer.GetSize()});
}
template <class T, class More>
response list_response(const std::vector<T>& items, std::string_view next_cursor, More more) {
    return list_response(
        items, next_cursor, [](json_writer& out, const T& item) { encode(out, item); }, std::move(more));
}
template <class T>
response list_response(const std::vector<T>& items, std::string_view next_cursor) {
    return list_response(items, next_cursor, [](json_writer&) {});
}

/// One page of what is whole in memory, sorted by `key` ascending; the cursor is the last key in hex.
template <class T, class Key, class Encode>
response page_response(const call& c, std::vector<const T*> all, Key key, Encode encode_one) {
    const auto limit = limit_of(c);
    if (!limit)
        return problem(limit.error());
    std::ranges::sort(all, [&](const T* a, const T* b) { return key(*a) < key(*b); });
    auto from = all.begin();
    if (const auto cursor = cursor_of(c); !cursor.empty()) {
        const auto after = from_hex(cursor);
        if (!after)
            return problem(parameter_error("?cursor", "is not a cursor of this list", "use next_cursor as it came"));
        from = std::ranges::find_if(all, [&](const T* one) { return key(*one) > *after; });
    }
    const auto count = std::min<std::size_t>(*limit, static_cast<std::size_t>(all.end() - from));
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_key(out, "items");
    out.StartArray();
    for (auto at = from; at != from + static_cast<std::ptrdiff_t>(count); ++at)
        encode_one(out, **at);
    out.EndArray();
    if (const auto end = from + static_cast<std::ptrdiff_t>(count); count != 0 && end != all.end()) {
        const std::string last = key(**(end - 1));
        put_text(out, "next_cursor", to_hex({reinterpret_cast<const std::uint8_t*>(last.data()), last.size()}));
    }
    out.EndObject();
    return json_response(200, {buffer.GetString(), buffer.GetSize()});
}

/// The alternative that an input is answered with. Errors: the engine's; internal when it answers with another kind.
template <class T>
result<T> answer_of(result<answer> given) {
    if (!given)
        return given.error();
    if (auto* value = std::get_if<T>(&*given))
        return std::move(*value);
    return fail(errc::internal, "the engine answered with another kind of value than was asked for");
}

/// Puts an input to the engine; `view` turns what comes back into the answer, on the session's thread.
template <class View>
void ask(const call& c, input in, responder answer, View view) {
    c.house.services.ask(std::move(in), [answer = std::move(answer), view](result<westerly::answer> given) {
        answer.later([given = std::move(given), view]() mutable { return view(std::move(given)); });
    });
}

/// A strict reader of a small JSON object: every field is asked for by name, unknown ones are refused.
class body_fields {
public:
    static result<body_fields> parse(std::string_view body, std::size_t bytes_max);
    /// Errors: invalid when it is missing (unless `optional`), no text, longer than 63 bytes, or no slug
    /// (^[a-z0-9][a-z0-9-]*$). An optional missing one is "".
    result<std::string> slug(const char* name, bool optional = false);
    /// Text of at most 255 bytes; "" when missing.
    result<std::string> text(const char* name);
    /// Whether it is there and is true.
    bool is_true(const char* name);
    /// Errors: invalid for the first field that was not asked for.
    result<void> done() const;

private:
    explicit body_fields(rapidjson::Document document) : document_(std::move(document)) {}
    rapidjson::Document document_;
    std::vector<std::string_view> asked_;
};

}  // namespace westerly
