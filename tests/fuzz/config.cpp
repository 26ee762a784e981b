#include "broker/codec/certificate_json.hpp"
#include "broker/codec/config_json.hpp"
#include "broker/codec/facts_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)westerly::decode_policy("fuzzed", text);
    (void)westerly::decode_provider("fuzzed", text);
    (void)westerly::decode_certificates(text);
    (void)westerly::decode_regions(text);
    return 0;
}
