#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/effects.hpp"
#include "broker/domain/language.hpp"
#include "broker/domain/queries.hpp"

namespace westerly {

/// How records look on the wire (schema/openapi.json). Ids are UUID text, times RFC 3339, money
/// {"amount", "currency"}; what is absent is left out, never null.
/// With why it waits in that language.
void encode(json_writer& out, const workload& w, language spoken = language::en);
void encode(json_writer& out, const attempt& a);
/// With "notes" and "explanation" in that language.
void encode(json_writer& out, const decision& d, language spoken = language::en);
void encode(json_writer& out, const plan_result& p, language spoken = language::en);
/// `base`: the currency that its sums are in.
void encode(json_writer& out, const spread_plan& s, currency base, language spoken = language::en);
void encode(json_writer& out, const event& e);
void encode(json_writer& out, const usage& u);
void encode(json_writer& out, const charge& c);
/// With its age at `now`, and whether it is stale.
void encode(json_writer& out, const offer& o, instant now);
void encode(json_writer& out, const offer_past& told);
/// `distrust` may be nullptr, as `health` may.
void encode(json_writer& out, const provider_config& c, const provider_health* health, const quarantine* distrust);
void encode(json_writer& out, const tenant& t);
void encode(json_writer& out, const api_key& k);  // never the hash
void encode(json_writer& out, const orphan& o);
void encode(json_writer& out, const money& m);

/// RFC 9457: {"type", "title", "status", "detail", "remedy"?, "errors"?: [{"pointer", "detail", "remedy"?}]}.
std::string encode_problem(const error& e, int status);

template <class T, class... More>
std::string to_json(const T& value, More... more) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode(out, value, more...);
    return {buffer.GetString(), buffer.GetSize()};
}

/// Compact forms in which the store keeps values; decode(encode(x)) == x. Errors: internal (a damaged row).
std::string pack_decision(const decision& d);
result<decision> unpack_decision(std::string_view packed);
std::string pack_lease(const lease& l);
result<lease> unpack_lease(std::string_view packed);

}  // namespace westerly
