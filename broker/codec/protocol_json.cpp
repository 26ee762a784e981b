#include "broker/codec/protocol_json.hpp"

#include "broker/codec/protocol_words.hpp"

#include <algorithm>

namespace westerly {
namespace {

// JSON-RPC 2.0 codes; every failure of a verb itself is one code, told apart by data.kind.
constexpr int code_verb_failed = -32000;

std::string json_text(std::string_view text) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return {buffer.GetString(), buffer.GetSize()};
}

std::string head(std::uint64_t id) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id);
}

const json_value* find(const json_value& object, const char* key) {
    const auto found = object.FindMember(key);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

error bad(std::string detail) {
    return fail(errc::invalid, "not a JSON-RPC 2.0 message of the adapter protocol: " + std::move(detail));
}

/// Requests and notifications differ only in the id.
result<void> read_call(rpc_message& message, const json_value& method) {
    using kind = rpc_message::kind;
    if (!method.IsString() || method.GetStringLength() == 0 || method.GetStringLength() > protocol_name_max)
        return bad("method must be a short string");
    message.method.assign(method.GetString(), method.GetStringLength());
    message.what = find(message.document, "id") ? kind::request : kind::notification;
    const auto* params = find(message.document, "params");
    if (params && !params->IsObject())
        return bad("params must be an object");
    return {};
}

}  // namespace

result<rpc_message> decode_rpc(std::string_view line) {
    auto document = parse_json(line, protocol_line_max);
    if (!document)
        return document.error();
    rpc_message message;
    message.document = std::move(*document);
    const auto& root = message.document;
    if (!root.IsObject())
        return bad("it must be an object");
    const auto* version = find(root, "jsonrpc");
    if (!version || !version->IsString() || std::string_view(version->GetString()) != "2.0")
        return bad(R"(jsonrpc must be "2.0")");
    const auto* id = find(root, "id");
    if (id && !id->IsUint64())
        return bad("id must be a whole number, 0 or more");
    message.id = id ? id->GetUint64() : 0;

    if (const auto* method = find(root, "method")) {
        if (const auto read = read_call(message, *method); !read)
            return read.error();
        return message;
    }
    const auto* failure = find(root, "error");
    if (!id || (failure != nullptr) == (find(root, "result") != nullptr))
        return bad("a response needs an id and either result or error");
    if (failure && !failure->IsObject())
        return bad("error must be an object");
    message.what = failure ? rpc_message::kind::error : rpc_message::kind::response;
    return message;
}

const json_value& rpc_body(const rpc_message& message) {
    static const json_value empty(rapidjson::kObjectType);
    const bool call = message.what == rpc_message::kind::request || message.what == rpc_message::kind::notification;
    const auto* body = find(message.document, call ? "params" : "result");
    return body ? *body : empty;
}

std::string rpc_request(std::uint64_t id, std::string_view method, std::string_view params) {
    return head(id) + ",\"method\":" + json_text(method) + ",\"params\":" + std::string(params) + '}';
}

std::string rpc_notification(std::string_view method, std::string_view params) {
    return R"({"jsonrpc":"2.0","method":)" + json_text(method) + ",\"params\":" + std::string(params) + '}';
}

std::string rpc_result(std::uint64_t id, std::string_view result) {
    return head(id) + ",\"result\":" + std::string(result) + '}';
}

std::string rpc_error(std::uint64_t id, const rpc_failure& why) {
    const auto kind = why.kind == adapter_error::none ? adapter_error::internal : why.kind;
    std::string line = head(id) + ",\"error\":{\"code\":" + std::to_string(code_verb_failed) +
                       ",\"message\":" + json_text(why.message) + ",\"data\":{\"kind\":" + json_text(name_of(kind));
    if (why.retry_after_s)
        line += ",\"retry_after_s\":" + std::to_string(*why.retry_after_s);
    return line + "}}}";
}

rpc_failure decode_rpc_failure(const rpc_message& message) {
    rpc_failure why;
    const auto* failure = find(message.document, "error");
    if (!failure || !failure->IsObject())
        return why;
    if (const auto* text = find(*failure, "message"); text && text->IsString())
        why.message.assign(text->GetString(), std::min<std::size_t>(text->GetStringLength(), protocol_text_max));
    // Generic JSON-RPC libraries answer these three themselves: the call was refused before it did anything.
    if (const auto* code = find(*failure, "code"); code && code->IsInt())
        if (code->GetInt() == -32600 || code->GetInt() == -32601 || code->GetInt() == -32602)
            why.kind = adapter_error::invalid;
    const auto* data = find(*failure, "data");
    if (!data || !data->IsObject())
        return why;
    if (const auto* kind = find(*data, "kind"); kind && kind->IsString()) {
        const auto named = value_named<adapter_error>({kind->GetString(), kind->GetStringLength()});
        why.kind = named.value_or(adapter_error::internal);
    }
    if (const auto* after = find(*data, "retry_after_s"); after && after->IsUint())
        why.retry_after_s = after->GetUint();
    return why;
}

}  // namespace westerly
