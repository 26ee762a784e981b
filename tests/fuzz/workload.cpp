#include "broker/codec/workload_json.hpp"

#include <cstdlib>

// What decodes, encodes to something that decodes to the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto spec = westerly::decode_workload({reinterpret_cast<const char*>(data), size});
    if (!spec)
        return 0;
    const auto again = westerly::decode_workload(westerly::encode_workload_spec(*spec));
    if (!again || !(*again == *spec))
        std::abort();
    return 0;
}
