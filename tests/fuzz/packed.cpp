#include "broker/codec/history_pack.hpp"
#include "broker/codec/signal_pack.hpp"
#include "broker/codec/views_json.hpp"

// Rows of a damaged database.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view row(reinterpret_cast<const char*>(data), size);
    (void)westerly::unpack_decision(row);
    (void)westerly::unpack_lease(row);
    (void)westerly::unpack_basis(row);
    (void)westerly::unpack_offers(row);
    (void)westerly::unpack_change(row);
    (void)westerly::unpack_facts(row);
    (void)westerly::unpack_signals(row);
    (void)westerly::unpack_terms(row);
    return 0;
}
