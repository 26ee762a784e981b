#include "adapters/sdk/dispatch.hpp"

#include "broker/support/bytes.hpp"

#include <algorithm>
#include <array>

namespace westerly {
namespace {

constexpr std::size_t message_bytes_max = 1024;

/// Texts for people stay within the protocol: UTF-8 and short.
std::string fit(std::string text) {
    if (!is_utf8(text))
        std::ranges::replace_if(
            text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    if (text.size() > message_bytes_max) {
        std::size_t end = message_bytes_max;
        while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
            --end;
        text.resize(end);
    }
    return text;
}

std::string failure_line(std::uint64_t id, rpc_failure why) {
    why.message = fit(std::move(why.message));
    return rpc_error(id, why);
}

template <class T>
std::string result_line(std::uint64_t id, verb_result<T> answer) {
    if (!answer)
        return failure_line(id, std::move(answer.error()));
    if constexpr (requires { answer->message; })
        answer->message = fit(std::move(answer->message));
    auto line = rpc_result(id, encode(*answer));
    if (line.size() >= protocol_line_max)
        return failure_line(id, failed(adapter_error::internal, "the answer does not fit into one message"));
    return line;
}

/// Decodes the params, calls the verb, encodes the answer.
template <class Params, class Verb>
std::string run(const rpc_message& request, result<Params> (*decode)(const json_value&), Verb verb) {
    auto params = decode(rpc_body(request));
    if (!params)
        return failure_line(request.id, invalid_because(params.error()));
    return result_line(request.id, verb(*params));
}

template <class Params, class Answer>
std::string call_verb(adapter& provider, const rpc_message& request, const call_state& call,
                      result<Params> (*decode)(const json_value&),
                      verb_result<Answer> (adapter::*verb)(const Params&, const call_state&)) {
    return run(request, decode, [&](const Params& params) { return (provider.*verb)(params, call); });
}

using runner = std::string (*)(adapter&, const rpc_message&, const call_state&);
struct verb_row {
    std::string_view name;
    runner run;
};

#define WESTERLY_VERB(name, decode)                                         \
    {                                                                       \
#name, [](adapter & a, const rpc_message& m, const call_state& c) { \
            return call_verb(a, m, c, decode, &adapter::name);              \
        }                                                                   \
    }
constexpr verb_row verbs[] = {
    WESTERLY_VERB(offers, decode_offers_params),
    WESTERLY_VERB(launch, decode_launch_request),
    WESTERLY_VERB(find, decode_token_params),
    WESTERLY_VERB(get, decode_tokens_params),
    WESTERLY_VERB(cancel, decode_token_params),
    WESTERLY_VERB(list, decode_list_params),
    WESTERLY_VERB(logs, decode_log_request),
    WESTERLY_VERB(put, decode_put_params),
    WESTERLY_VERB(fetch, decode_fetch_params),
    {"probe",
     [](adapter& a, const rpc_message& m, const call_state& c) {
         return result_line(m.id, a.probe(c));
     }},
};
#undef WESTERLY_VERB

template <class Work>
std::string guarded(std::uint64_t id, Work work) noexcept {
    try {
        return work();
    } catch (const std::exception& e) {
        return failure_line(id, failed(adapter_error::internal, std::string("the adapter failed: ") + e.what()));
    }
}

}  // namespace

rpc_failure invalid_because(const error& why) {
    rpc_failure told = failed(adapter_error::invalid, why.detail);
    // Of one fault alone the detail has told place and message already.
    const bool whole = why.faults.size() == 1 && why.detail.ends_with(why.faults[0].message);
    for (const auto& fault : why.faults)
        told.message += whole ? ": " + fault.remedy : "; " + fault.pointer + " " + fault.message + ": " + fault.remedy;
    return told;
}

verb_result<byte_piece> adapter::logs(const log_request&, const call_state&) {
    return failed(adapter_error::invalid, "this adapter does not give logs");
}
verb_result<mutation_reply> adapter::put(const put_params&, const call_state&) {
    return failed(adapter_error::invalid, "this adapter does not take files");
}
verb_result<fetch_reply> adapter::fetch(const fetch_params&, const call_state&) {
    return failed(adapter_error::invalid, "this adapter does not give files");
}

std::string answer_line(adapter& provider, const rpc_message& request, const call_state& call) {
    const auto* row = std::ranges::find(verbs, request.method, &verb_row::name);
    if (row == std::end(verbs))
        return failure_line(request.id, failed(adapter_error::invalid, "no verb \"" + request.method + "\""));
    return guarded(request.id, [&] { return row->run(provider, request, call); });
}

std::string initialize_line(adapter& provider, const rpc_message& request, notifier& tell, bool& ok) {
    return guarded(request.id, [&] {
        return run(request, decode_initialize_request, [&](const initialize_request& params) {
            verb_result<initialize_reply> answer =
                params.version == protocol_version
                    ? provider.initialize(params, tell)
                    : verb_result<initialize_reply>(
                          failed(adapter_error::invalid,
                                 "this adapter speaks protocol version " + std::to_string(protocol_version) + " only"));
            ok = answer.has_value();
            return answer;
        });
    });
}

}  // namespace westerly
