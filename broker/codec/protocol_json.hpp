#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/protocol.hpp"

#include <variant>

namespace westerly {

/// A JSON-RPC 2.0 message as read from one line. `params`, `result` and `error` stay JSON until a verb's decoder reads
/// them.
struct rpc_message {
    rapidjson::Document document;
    enum class kind : std::uint8_t { request, notification, response, error } what = kind::request;
    std::uint64_t id = 0;  // requests and responses
    std::string method;    // requests and notifications
};
/// Errors: invalid (the line ends the adapter), too_large.
result<rpc_message> decode_rpc(std::string_view line);

/// One line without the newline. `params`/`result` are JSON text.
std::string rpc_request(std::uint64_t id, std::string_view method, std::string_view params);
std::string rpc_notification(std::string_view method, std::string_view params);
std::string rpc_result(std::uint64_t id, std::string_view result);
struct rpc_failure {
    adapter_error kind = adapter_error::internal;
    std::string message;
    std::optional<std::uint32_t> retry_after_s;
};
std::string rpc_error(std::uint64_t id, const rpc_failure& why);
rpc_failure decode_rpc_failure(const rpc_message& message);

/// The member of `message.document` that a decoder reads: params (an empty object when absent) or result.
const json_value& rpc_body(const rpc_message& message);

// Each verb's values, both ways; schema/adapter-protocol.schema.json. Decoders are strict for the broker's side of the
// trust line: types, ranges, lengths and unknown members are checked, errors are `invalid` with pointers. `p` is params
// or result (see rpc_body). decode(encode(x)) == x within the schema's limits.
std::string encode(const initialize_request& v);
std::string encode(const initialize_reply& v);
std::string encode(const offers_reply& v);
std::string encode(const launch_request& v);
std::string encode(const mutation_reply& v);
std::string encode(const observation& v);
std::string encode(const std::vector<observation>& v);  // {"items": […]}
std::string encode(const listing& v);
std::string encode(const log_request& v);
std::string encode(const byte_piece& v);
std::string encode(const fetch_reply& v);
std::string encode(const probe_reply& v);
result<initialize_request> decode_initialize_request(const json_value& p);
result<initialize_reply> decode_initialize_reply(const json_value& p);
result<offers_reply> decode_offers_reply(const json_value& p);
result<launch_request> decode_launch_request(const json_value& p);
result<mutation_reply> decode_mutation_reply(const json_value& p);
result<observation> decode_observation(const json_value& p);
result<std::vector<observation>> decode_observations(const json_value& p);  // {"items": […]}
result<listing> decode_listing(const json_value& p);
result<log_request> decode_log_request(const json_value& p);
result<byte_piece> decode_byte_piece(const json_value& p);
result<fetch_reply> decode_fetch_reply(const json_value& p);
result<probe_reply> decode_probe_reply(const json_value& p);

/// Small params: {"cursor"} of offers, {"token"}, {"tokens": […]}, {"owner", "cursor"}, {"token", "grace_s"},
/// {"token", "path", "from", "base64"}, {"token", "path", "from"}, {"id"} of `$/cancel`, {"token", "at"} of
/// `preemption.notice`.
struct offers_params {
    std::string cursor;
};
struct cancel_call_params {
    std::uint64_t id = 0;
};
struct token_params {
    std::string token;
    std::uint32_t grace_s = 30;
};
struct tokens_params {
    std::vector<std::string> tokens;
};  // at most 256
struct list_params {
    std::string owner;
    std::string cursor;
};
struct put_params {
    std::string token;
    std::string path;
    std::uint64_t from = 0;
    std::string bytes;
};
struct fetch_params {
    std::string token;
    std::string path;
    std::uint64_t from = 0;
};
std::string encode(const offers_params& v);
std::string encode(const cancel_call_params& v);
std::string encode(const preemption_notice& v);
std::string encode(const token_params& v);
std::string encode_find(const std::string& token);
std::string encode(const tokens_params& v);
std::string encode(const list_params& v);
std::string encode(const put_params& v);
std::string encode(const fetch_params& v);
result<offers_params> decode_offers_params(const json_value& p);
result<cancel_call_params> decode_cancel_call_params(const json_value& p);
result<preemption_notice> decode_preemption_notice(const json_value& p);
result<token_params> decode_token_params(const json_value& p);
result<tokens_params> decode_tokens_params(const json_value& p);
result<list_params> decode_list_params(const json_value& p);
result<put_params> decode_put_params(const json_value& p);
result<fetch_params> decode_fetch_params(const json_value& p);

}  // namespace westerly
