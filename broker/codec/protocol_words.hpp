#pragma once

#include "broker/codec/names.hpp"
#include "broker/domain/protocol.hpp"

namespace westerly {

template <>
struct enum_names<idempotency_class> {
    static constexpr std::string_view list[] = {"native_token", "unique_name", "tag_and_find", "none"};
};
template <>
struct enum_names<call_outcome> {
    static constexpr std::string_view list[] = {"done", "not_done", "unknown"};
};
template <>
struct enum_names<adapter_error> {
    static constexpr std::string_view list[] = {"none",         "unavailable",    "rate_limited",
                                                "no_capacity",  "quota_exceeded", "invalid",
                                                "unauthorised", "not_found",      "internal"};
};

// Limits that the schema states and the decoders hold.
inline constexpr std::size_t protocol_name_max = 63;       // slugs: providers, sites, kinds, methods
inline constexpr std::size_t protocol_offer_max = 128;     // an offer's name within its site
inline constexpr std::size_t protocol_path_max = 4096;     // of files and directories
inline constexpr std::size_t protocol_text_max = 1024;     // messages, handles, cursors
inline constexpr std::size_t protocol_warnings_max = 16;   // beside offers
inline constexpr std::size_t protocol_piece_max = 524288;  // bytes before base64
inline constexpr std::size_t protocol_tokens_max = 256;    // of one `get`
inline constexpr std::size_t protocol_entries_max = 10000;

}  // namespace westerly
