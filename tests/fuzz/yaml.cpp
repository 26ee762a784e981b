#include "broker/codec/workload_json.hpp"

#include <cstdlib>

// What turns into JSON at all is JSON that our own parser takes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto json = westerly::yaml_to_json({reinterpret_cast<const char*>(data), size});
    if (json && !westerly::parse_json(*json, std::size_t{1} << 24))
        std::abort();
    return 0;
}
