#include "broker/codec/protocol_json.hpp"

// One line from an adapter, read as every verb's answer and as every verb's request.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace westerly;
    const auto message = decode_rpc({reinterpret_cast<const char*>(data), size});
    if (!message)
        return 0;
    if (message->what == rpc_message::kind::error)
        (void)decode_rpc_failure(*message);
    for (const char* part : {"params", "result"}) {
        if (!message->document.HasMember(part))
            continue;
        const auto& v = message->document[part];
        (void)decode_initialize_request(v);
        (void)decode_initialize_reply(v);
        (void)decode_offers_reply(v);
        (void)decode_launch_request(v);
        (void)decode_mutation_reply(v);
        (void)decode_observation(v);
        (void)decode_observations(v);
        (void)decode_listing(v);
        (void)decode_log_request(v);
        (void)decode_byte_piece(v);
        (void)decode_fetch_reply(v);
        (void)decode_probe_reply(v);
    }
    return 0;
}
