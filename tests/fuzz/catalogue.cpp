#include "broker/codec/config_json.hpp"
#include "tools/catalogue/provider_file.hpp"

#include <cstdlib>

// Whatever a catalogue holds, every row is an offer or is left out by a rule, and the broker reads what comes of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const westerly::import_facts facts = *westerly::shipped_import_facts({});
    westerly::catalogue_import from(facts, {.provider = {}, .source = "s", .as_of = {}});
    if (!from.add({reinterpret_cast<const char*>(data), size}, 0, "f.csv"))
        return 0;
    std::uint64_t left_out = 0;
    for (const auto& one : from.findings().all())
        left_out += westerly::leaves_out(one.kind) ? 1 : 0;
    if (from.rows_used() + left_out != from.rows())
        std::abort();
    for (const auto& [id, one] : from.providers())
        if (!one.offers.empty() && !westerly::decode_provider(id, westerly::catalogue_file(one)))
            std::abort();
    return 0;
}
