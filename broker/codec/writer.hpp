#pragma once

#include "broker/codec/json.hpp"
#include "broker/codec/names.hpp"
#include "broker/support/time.hpp"

#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

namespace westerly {

// One field of the object being written. What is absent (an empty text, nullopt, a zero id, a number that is not
// finite) is left out, never null.

inline void put_key(json_writer& out, std::string_view name) {
    out.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
inline void put_string(json_writer& out, std::string_view text) {
    out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}
inline void put_text(json_writer& out, std::string_view name, std::string_view text) {
    if (text.empty())
        return;
    put_key(out, name);
    put_string(out, text);
}
inline void put_flag(json_writer& out, std::string_view name, bool value) {
    put_key(out, name);
    out.Bool(value);
}
inline void put_whole(json_writer& out, std::string_view name, std::uint64_t value) {
    put_key(out, name);
    out.Uint64(value);
}
inline void put_signed(json_writer& out, std::string_view name, std::int64_t value) {
    put_key(out, name);
    out.Int64(value);
}
inline void put_number(json_writer& out, std::string_view name, double value) {
    if (!std::isfinite(value))
        return;
    put_key(out, name);
    out.Double(value);
}
inline void put_number(json_writer& out, std::string_view name, const std::optional<double>& value) {
    if (value)
        put_number(out, name, *value);
}
inline void put_time(json_writer& out, std::string_view name, const std::optional<instant>& at) {
    if (at)
        put_text(out, name, format_rfc3339(*at));
}
template <class Tag>
void put_id(json_writer& out, std::string_view name, const typed_id<Tag>& id) {
    if (!id.none())
        put_text(out, name, to_string(id));
}
inline void put_texts(json_writer& out, std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty())
        return;
    put_key(out, name);
    out.StartArray();
    for (const auto& text : texts)
        put_string(out, text);
    out.EndArray();
}
inline void put_text_map(json_writer& out, std::string_view name,
                         const std::vector<std::pair<std::string, std::string>>& map) {
    if (map.empty())
        return;
    put_key(out, name);
    out.StartObject();
    for (const auto& [key, value] : map) {
        put_key(out, key);
        put_string(out, value);
    }
    out.EndObject();
}
inline void put_money(json_writer& out, std::string_view name, money amount) {
    put_key(out, name);
    out.StartObject();
    put_text(out, "amount", format_micros(amount.micros));
    put_text(out, "currency", to_string(amount.unit));
    out.EndObject();
}
inline void put_price(json_writer& out, std::string_view name, unit_price price) {
    put_key(out, name);
    out.StartObject();
    put_text(out, "amount", format_nanos(price.nanos));
    put_text(out, "currency", to_string(price.unit));
    out.EndObject();
}
/// An array of objects, each written by `each(item)` between its braces.
template <class List, class Each>
void put_objects(json_writer& out, std::string_view name, const List& list, Each each) {
    put_key(out, name);
    out.StartArray();
    for (const auto& item : list) {
        out.StartObject();
        each(item);
        out.EndObject();
    }
    out.EndArray();
}

/// Fields that several records share; defined in supply_json.cpp.
void put_sourced(json_writer& out, std::string_view name, const std::optional<sourced>& value);
void put_site_facts(json_writer& out, const site_facts& site);  // between the caller's braces
void put_offer_shape(json_writer& out, const offer& o);         // what one unit is and costs; between braces

}  // namespace westerly
