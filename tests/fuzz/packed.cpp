#include "broker/codec/views_json.hpp"

// Rows of a damaged database.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view row(reinterpret_cast<const char*>(data), size);
    (void)westerly::unpack_decision(row);
    (void)westerly::unpack_lease(row);
    return 0;
}
